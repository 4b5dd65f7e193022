/**
 * No event lost, none counted twice: what pages track arrives, however the page, the network or the browser ends.
 *
 * Every request takes 150 ms, and dies with who sent it if they do not wait. Book is kept on the way to the edge
 * (`slowEdge.mjs`) and compared with what the profile counts at its end.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { SlowEdge } from '../harness/slowEdge.mjs';
import { until } from '../harness/until.mjs';

const DELAY_MS = 150;
const ROUNDS = 10;
const CALLS = 10;
/** One shop for each scenario. */
const SHOPS = 'core loader tab offline down busy mute portal both burst back full stub blocked private killed'.split(' ');

const CALL = `<script>
  window.calls = (label, count, size = 0) => {
    for (let n = 0; n < count; n += 1) endcap.track('Called', { call: label + '-' + n, pad: 'x'.repeat(size) });
  };
  window.callAndGo = (label, to) => (calls(label, ${CALLS}), (location.href = to));
  addEventListener('pageshow', (event) => (window.returned = event.persisted));
</script>`;
const TAG = '<script src="/ec/endcap.js" data-source="demo" data-consent="granted"></script>';
/** @param {string} [first] @param {string} [last] */
const page = (first = '', last = '') => ({
  html: `<!doctype html><html lang=en><title>Plain page</title><link rel=icon href="data:,">${CALL}${first}${TAG}<h1>Plain</h1>${last}</html>`,
});
const PAGES = {
  '/': page(),
  '/next': page(),
  // Calls and goes before the core can be there, ten times.
  '/hurry': page('', `<script>
    const round = Number(location.search.slice(1));
    callAndGo('hurry-' + round, round < ${ROUNDS - 1} ? '/hurry?' + (round + 1) : '/next');
  </script>`),
  '/both': page(`<script>
    const bus = new BroadcastChannel('both');
    bus.onmessage = ({ data }) => calls(name + data, ${CALLS});
    window.callBoth = (round) => (bus.postMessage(round), calls(name + round, ${CALLS}));
  </script>`),
  '/stub': page(`<script>Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });</script>`),
  '/full': page(`<script>
    for (let size = 1 << 20; size; size >>= 1) try { for (let n = 0; ; n += 1) localStorage.setItem('shop.' + size + '.' + n, 'x'.repeat(size)); } catch {}
  </script>`),
};

/** @type {SlowEdge} */
let slow;
/** @type {Edge} */
let edge;
before(async () => {
  slow = await SlowEdge.start(DELAY_MS);
  const sources = { [SOURCE]: SHOPS.map((name) => slow.origin(name)) };
  edge = await Edge.start({ pages: PAGES, variables: { ENDCAP_SOURCES: JSON.stringify(sources) } });
  slow.leadTo(edge.origin);
});
after(async () => {
  await edge.stop();
  await slow.close();
});

/** Names of calls. @param {string} label @param {number} [count] */
const named = (label, count = CALLS) => Array.from({ length: count }, (_, n) => `${label}-${n}`);
const rounds = (/** @type {string} */ label) => Array.from({ length: ROUNDS }, (_, n) => named(`${label}${n}`)).flat();

/**
 * How often each call was on its way, and how often the edge applied it.
 *
 * @param {string} shop
 */
function tally(shop) {
  /** @type {Map<string, {sent: number, applied: number}>} */
  const calls = new Map();
  for (const { events, accepted } of slow.of(shop)) {
    for (const { id, call } of events) {
      if (call === undefined) continue;
      const now = calls.get(call) ?? { sent: 0, applied: 0 };
      calls.set(call, { sent: now.sent + 1, applied: now.applied + Number(accepted.includes(id)) });
    }
  }
  return calls;
}

/** One browser in which the scenarios run, one after the other. */
class Rig {
  #launch;
  #refuse;

  /**
   * @param {import('../harness/browserPage.mjs').BrowserPage & {close(): Promise<void>}} browser
   * @param {(profile: string) => Promise<any>} launch Starts the browser again.
   * @param {(browser: any, origin: string) => Promise<void>} refuse
   */
  constructor(browser, launch, refuse) {
    this.browser = browser;
    this.#launch = launch;
    this.#refuse = refuse;
  }

  /** The browser dies and is started again with what it left on disk. */
  async restart() {
    this.browser = await this.#launch(await this.browser.kill());
  }

  /** The person lets a shop keep nothing. @param {string} origin */
  refuse(origin) {
    return this.#refuse(this.browser, origin);
  }

  /** Opens a page of a shop and waits for the loader. @param {string} shop @param {string} [path] */
  async visit(shop, path = '/') {
    await this.browser.open(slow.origin(shop) + path);
    await this.there(path);
  }

  /** Waits until the page at `path` has the loader. @param {string} path */
  there(path) {
    const loaded = (/** @type {string} */ here) =>
      location.pathname + location.search === here && 'flush' in (/** @type {any} */ (window).endcap ?? {});
    return until(() => this.browser.evaluate(loaded, path), { what: `the loader is at ${path}` });
  }

  /** Waits until the core runs, and has sent what there was. */
  running() {
    return this.browser.evaluate(() => /** @type {any} */ (window).endcap.flush());
  }

  /** @param {string} label @param {number} [count] @param {number} [size] */
  call(label, count = CALLS, size = 0) {
    const code = (/** @type {unknown[]} */ ...args) => void (/** @type {any} */ (window).calls(...args));
    return this.browser.evaluate(code, label, count, size);
  }

  /**
   * Calls and goes to another page in the same task.
   *
   * @param {string} label
   * @param {string} to
   * @param {string} [end] Where that page goes on to.
   */
  async callAndGo(label, to, end = to) {
    const code = (/** @type {string[]} */ ...args) => void (/** @type {any} */ (window).callAndGo(...args));
    await this.browser.evaluate(code, label, to);
    await this.there(end);
  }

  /** Keys of the queue in this page's storage. @returns {Promise<string[]>} */
  queued() {
    return this.browser.evaluate(() => {
      try {
        return Object.keys(localStorage).filter((key) => key.startsWith('ec.q.'));
      } catch {
        return []; // Refused.
      }
    });
  }
}

/** Waits until calls of a shop arrived. @param {string} shop @param {string[]} calls */
async function arrived(shop, calls) {
  const missing = () => calls.filter((call) => !tally(shop).get(call)?.applied);
  await until(() => missing().length === 0).catch(() =>
    assert.deepEqual(missing(), [], `${missing().length} of ${calls.length} calls never arrived`),
  );
}

/**
 * Waits until calls arrived, lets everything that is still queued be sent, and proves that each was counted once.
 *
 * @param {import('node:test').TestContext} t
 * @param {Rig} rig
 * @param {string} shop
 * @param {string[]} calls
 */
async function arrive(t, rig, shop, calls) {
  await arrived(shop, calls);
  await drained(rig, shop);
  const sent = tally(shop);
  assert.deepEqual(calls.filter((call) => sent.get(call)?.applied !== 1), [], 'calls that were applied twice');
  await counted(shop);
  const again = calls.filter((call) => (sent.get(call)?.sent ?? 0) > 1).length;
  t.diagnostic(`${calls.length} of ${calls.length} calls arrived, 0 counted twice, ${again} sent more than once`);
}

/** Visits a shop until nothing is queued any more. @param {Rig} rig @param {string} shop */
async function drained(rig, shop) {
  await rig.visit(shop);
  await rig.running();
  await until(async () => (await rig.queued()).length === 0, { what: `nothing is queued for ${shop}` });
}

/** The edge counts for each visitor of a shop as many events as there were. @param {string} shop */
async function counted(shop) {
  const batches = slow.of(shop);
  for (const visitor of new Set(batches.map((batch) => batch.visitor))) {
    const ids = new Set(batches.filter((batch) => batch.visitor === visitor).flatMap(({ accepted }) => accepted));
    if (ids.size === 0) continue;
    const { counters } = await edge.api.profile({ anonymous_id: visitor });
    assert.equal(counters.events, ids.size, `events counted for ${visitor} of ${shop}`);
  }
}

/** Runs in the page. */
function keepsNothing() {
  try {
    return !localStorage;
  } catch {
    return true;
  }
}

/** Whether at least `count` events are queued, and all of them on disk. @param {Rig} rig @param {number} count */
async function written(rig, count) {
  const keys = await rig.queued();
  const found = await Promise.all(keys.map((key) => rig.browser.wrote(key)));
  return keys.length >= count && found.every(Boolean);
}

/** @typedef {(t: import('node:test').TestContext, rig: Rig) => Promise<void>} Scenario */

/** @type {Record<string, Scenario>} */
const SCENARIOS = {
  'ten calls, then a navigation in the same task, ten times': async (t, rig) => {
    await rig.visit('core');
    for (let round = 0; round < ROUNDS; round += 1) {
      await rig.running();
      await rig.callAndGo(`core${round}`, `/next?${round}`);
    }
    await arrive(t, rig, 'core', rounds('core'));
  },

  'the same before the core is there': async (t, rig) => {
    await rig.browser.open(`${slow.origin('loader')}/hurry?0`);
    await rig.there('/next');
    await arrive(t, rig, 'loader', rounds('hurry-'));
  },

  'ten calls, then the tab is closed, ten times': async (t, rig) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await rig.browser.openTab();
      await rig.visit('tab');
      const runs = round % 2 === 1;
      if (runs) await rig.running();
      await rig.call(`closed${round}`);
      await rig.browser.closeTab();
      // No later page has to bring them, unless the end came while the core was starting.
      if (runs) await arrived('tab', named(`closed${round}`));
    }
    await arrive(t, rig, 'tab', rounds('closed'));
  },

  'offline, then back': async (t, rig) => {
    await rig.visit('offline');
    await rig.running();
    await rig.browser.setOffline(true);
    slow.hangUp();
    await rig.call('offline');
    await rig.running();
    assert.equal(tally('offline').size, 0, 'the browser is offline');
    await rig.browser.setOffline(false);
    await arrive(t, rig, 'offline', named('offline'));
  },

  'the edge out of reach for a while, across a navigation': async (t, rig) => {
    await rig.visit('down');
    await rig.running();
    slow.weather = 'cut';
    await rig.call('first');
    await rig.running();
    // The first try has failed, also where the browser itself made it twice.
    const tries = slow.of('down').length;
    await until(() => slow.of('down').length > tries, { what: 'it is tried again' });
    await rig.callAndGo('last', '/next');
    slow.weather = 'pass';
    await arrive(t, rig, 'down', [...named('first'), ...named('last')]);
  },

  'the edge answers 503 for a while': async (t, rig) => {
    await rig.visit('busy');
    await rig.running();
    slow.weather = { status: 503, headers: { 'Retry-After': '1' } };
    await rig.call('busy');
    await until(() => slow.of('busy').filter(({ status }) => status === 503).length > 1, { what: 'it is tried again' });
    slow.weather = 'pass';
    await arrive(t, rig, 'busy', named('busy'));
    const [first, second] = slow.of('busy').filter(({ status }) => status === 503);
    assert.ok(second.at - first.at >= 1000, `tried again after ${second.at - first.at} ms, not after Retry-After`);
  },

  'the edge applies them and its answers get lost': async (t, rig) => {
    await rig.visit('mute');
    await rig.running();
    slow.weather = 'mute';
    await rig.call('mute');
    await until(() => tally('mute').get('mute-9')?.applied, { what: 'the edge has them' });
    slow.weather = 'pass';
    await arrive(t, rig, 'mute', named('mute'));
  },

  'a network that answers in the edge\'s place, and asks to log in': async (t, rig) => {
    await rig.visit('portal');
    await rig.running();
    slow.weather = { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<h1>Log in</h1>' };
    await rig.call('portal');
    await until(() => tally('portal').size, { what: 'somebody answered' });
    await rig.running();
    slow.weather = 'pass';
    await arrive(t, rig, 'portal', named('portal'));
  },

  'two tabs at once': async (t, rig) => {
    const tabs = [];
    for (const name of ['a', 'b']) {
      tabs.push(await rig.browser.openTab());
      await rig.visit('both', '/both');
      await rig.running();
      await rig.browser.evaluate((/** @type {string} */ own) => void Object.assign(window, { name: own }), name);
    }
    // The first tab calls when the second one does.
    for (let round = 0; round < ROUNDS; round += 1) {
      await rig.browser.evaluate((/** @type {number} */ n) => /** @type {any} */ (window).callBoth(n), round);
    }
    await arrive(t, rig, 'both', [...rounds('a'), ...rounds('b')]);
    for (const tab of tabs) {
      await rig.browser.switchTo(tab);
      await rig.browser.closeTab();
    }
  },

  'a burst larger than a browser lets go at once': async (t, rig) => {
    await rig.visit('burst');
    await rig.running();
    await rig.call('burst', 150, 1000);
    await rig.callAndGo('more', '/next');
    await arrive(t, rig, 'burst', [...named('burst', 150), ...named('more')]);
  },

  'back to a page that the browser kept': async (t, rig) => {
    /** @type {string[]} */
    const gone = [];
    // Whether a page is kept is the browser's choice, which it makes otherwise now and then.
    for (let kept = false; !kept; ) {
      const label = `gone${gone.length}`;
      gone.push(label);
      assert.ok(gone.length < 6, 'the page is the old one');
      await rig.visit('back');
      await drained(rig, 'back');
      await rig.callAndGo(label, '/next');
      await rig.browser.evaluate(() => history.back());
      await rig.there('/');
      kept = await rig.browser.evaluate(() => /** @type {any} */ (window).returned);
    }
    await rig.call('back');
    await arrive(t, rig, 'back', [...gone.flatMap((label) => named(label)), ...named('back')]);
  },

  'storage is full': async (t, rig) => {
    await rig.visit('full', '/full');
    await rig.running();
    await rig.call('stays');
    await rig.running();
    await rig.callAndGo('goes', '/next');
    await arrive(t, rig, 'full', [...named('stays'), ...named('goes')]);
  },

  'storage throws': async (t, rig) => {
    await rig.visit('stub', '/stub');
    await rig.call('early');
    await rig.running();
    await rig.call('stays');
    await rig.running();
    await rig.callAndGo('goes', '/next');
    await arrive(t, rig, 'stub', [...named('early'), ...named('stays'), ...named('goes')]);
  },

  'the person refuses cookies and storage': async (t, rig) => {
    await rig.refuse(slow.origin('blocked'));
    await rig.visit('blocked');
    assert.equal(await rig.browser.evaluate(keepsNothing), true, 'storage is refused');
    await rig.call('early');
    await rig.running();
    await rig.call('stays');
    await rig.running();
    await rig.callAndGo('goes', '/hurry?9', '/next');
    await arrive(t, rig, 'blocked', ['early', 'stays', 'goes', 'hurry-9'].flatMap((label) => named(label)));
  },

  'a private window': async (t, rig) => {
    await rig.browser.openPrivate();
    await rig.visit('private');
    await rig.running();
    await rig.callAndGo('goes', '/hurry?9', '/next');
    await arrive(t, rig, 'private', [...named('goes'), ...named('hurry-9')]);
    await rig.browser.closeTab();
  },

  // The last one: the browser starts again.
  'the browser is killed, and the person comes back': async (t, rig) => {
    slow.weather = 'cut';
    await rig.visit('killed');
    await rig.running();
    await rig.call('core');
    await rig.callAndGo('leaves', '/next');
    await rig.call('loader');
    await until(() => written(rig, 3 * CALLS), { what: 'the queue is on disk', within: 20_000, every: 250 });
    await rig.restart();
    slow.weather = 'pass';
    await rig.visit('killed');
    await arrive(t, rig, 'killed', ['core', 'leaves', 'loader'].flatMap((label) => named(label)));
  },
};

/** What a person of Chromium refuses to one site. @param {string} origin */
const refusal = (origin) => ({
  profile: { content_settings: { exceptions: { cookies: { [`${origin},*`]: { setting: 2 } } } } },
});

/** @type {Record<string, {launch(profile?: string): Promise<any>, refuse(browser: any, origin: string): Promise<void>}>} */
const BROWSERS = {
  Chromium: {
    launch: (profile) => {
      const preferences = profile ? undefined : refusal(slow.origin('blocked'));
      return Chromium.launch({ profile, preferences, keepsPages: true });
    },
    // It was refused at the start.
    refuse: async () => {},
  },
  Firefox: {
    launch: (profile) => Firefox.launch({ profile }),
    refuse: (/** @type {Firefox} */ browser, origin) => browser.chrome(refuseCookies, origin),
  },
};

/** Runs in Firefox's chrome. @param {string} origin */
function refuseCookies(origin) {
  const principal = Services.scriptSecurityManager.createContentPrincipalFromOrigin(origin);
  Services.perms.addFromPrincipal(principal, 'cookie', Services.perms.DENY_ACTION);
}

for (const [name, { launch, refuse }] of Object.entries(BROWSERS)) {
  test(`${name}: nothing is lost and nothing counted twice`, { timeout: 300_000 }, async (t) => {
    const rig = new Rig(await launch(), launch, refuse);
    t.after(() => rig.browser.close());
    for (const [what, run] of Object.entries(SCENARIOS)) {
      await t.test(what, async (t) => {
        const start = Date.now();
        try {
          await run(t, rig);
        } finally {
          slow.weather = 'pass';
          await rig.browser.setOffline(false);
          t.diagnostic(`${Date.now() - start} ms`);
        }
      });
      // A clean slate: whatever failed there shall fail nothing here.
      slow.batches = [];
    }
  });
}
