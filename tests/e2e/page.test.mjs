/**
 * Endcap on a plain page, by the script tag: what it captures, when pop-ups open, and when they must not.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { Edge } from '../harness/edge.mjs';
import { NUDGE, PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';

const NONCE = 'c29tZS1ub25jZQ';
const POLICY = [
  "default-src 'none'",
  `script-src 'nonce-${NONCE}' 'wasm-unsafe-eval' 'strict-dynamic'`,
  `style-src 'nonce-${NONCE}'`,
  "connect-src 'self'",
  "img-src 'self' data:",
].join('; ');

/** The inline stub, used here to listen from the first moment on. */
const STUB = `<script nonce="${NONCE}">
  window.told = [];
  window.endcap = [['on', ['debug', (event) => told.push(event)]]];
</script>`;

/** @param {string} attributes @param {string} [body] */
const page = (attributes, body = '') => `<!doctype html><html lang=en><title>Plain page</title>
  <link rel=icon href="data:,">${STUB}
  <script async src="/ec/endcap.js" data-source="demo" ${attributes}></script>
  <h1>Plain page</h1><button id=before>Before</button>${body}<pre>${'\n'.repeat(200)}</pre></html>`;

const PAGES = {
  '/': { html: page('data-consent="granted"') },
  '/other': { html: page('data-consent="granted"') },
  '/pending': { html: page('', '<div data-endcap-consent>May we?</div>') },
  '/private': {
    html: page('data-consent="granted"').replace(
      STUB,
      `<script>Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true });</script>${STUB}`,
    ),
  },
  '/denied': { html: page('data-consent="denied"') },
  '/banner': { html: page('data-consent="granted"', '<div data-endcap-consent>May we?</div>') },
  // Without async the loader knows the element before it is drawn, so not even its empty place appears late.
  '/slot': {
    html: page('data-consent="granted"', '<endcap-slot name="home" limit="4" heading="For you"></endcap-slot>').replace('async', ''),
  },
  '/strict': {
    html: page(`data-consent="granted" nonce="${NONCE}"`, '<endcap-slot name="home" limit="4"></endcap-slot>'),
    headers: { 'Content-Security-Policy': POLICY },
  },
};

const DIALOG = 'endcap-popup >>> [role=dialog]';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ pages: PAGES });
  await edge.api.set('/api/products', { products: PRODUCTS.map((one) => ({ ...one, image: '/ec/none.svg' })) });
  await edge.api.set('/api/settings', { push_prompt: { enabled: false } });
});
after(() => edge.stop());

/** @type {Chromium} */
let chromium;
beforeEach(async () => {
  chromium = await Chromium.launch();
});
afterEach(async () => {
  await chromium.close();
  await edge.api.delete('/api/campaigns/c');
});

/** Puts the one campaign of a test, shown to everybody unless it says otherwise. @param {object} change */
const campaign = (change) => {
  const { condition: _, pages: __, ...rest } = NUDGE;
  const content = { template: 'card', title: 'Hello there', body: 'Something for you.', dismiss: 'No thanks' };
  return edge.api.set('/api/campaigns/c', { ...rest, content, trigger: { immediately: true }, ...change });
};

/**
 * Runs a function in the page with the SDK's API.
 *
 * @param {Function} code
 * @param {...unknown} args
 */
const withEndcap = (code, ...args) =>
  chromium.evaluate(new Function('...args', `return (${code})(window.endcap, ...args)`), ...args);

/** @param {string} path Opens a page and waits until the SDK is there, and has asked the edge if it may. */
async function open(path) {
  await chromium.open(edge.origin + path);
  await until(() => withEndcap((/** @type {any} */ endcap) => Boolean(endcap?.flush)), { what: 'the SDK is there' });
  await withEndcap((/** @type {any} */ endcap) => endcap.flush());
}

/** The profile of the page's visitor. */
async function profile() {
  const id = await withEndcap((/** @type {any} */ endcap) => endcap.anonymousId());
  return edge.api.profile({ anonymous_id: id });
}

/** @param {string} product Tracks a view of it and sends it. */
const view = (product) =>
  withEndcap((/** @type {any} */ endcap, /** @type {string} */ id) => {
    endcap.track('Product Viewed', { product_id: id, category: 'shoes', price: 10, currency: 'EUR' });
    return endcap.flush();
  }, product);

/** @param {RegExp} why Waits until the SDK tells developers that it showed no pop-up, and this is why. */
async function seeNotShown(why) {
  await until(
    async () => {
      const last = await chromium.evaluate(lastReason);
      if (!why.test(last ?? '')) throw new Error(`the last reason is ${last}`);
      return true;
    },
    { what: `nothing is shown because of ${why}` },
  );
  assert.equal(await chromium.sees(DIALOG), false);
}

/** Runs in the page. */
function lastReason() {
  const { told } = /** @type {any} */ (window);
  return told.findLast((/** @type {any} */ event) => event.kind === 'not_shown')?.detail.why;
}

test('one tag is enough: the page view, and what the page tracks, reach the profile', async () => {
  await open('/');
  await view('shoes-1');
  const { events, products_viewed: viewed } = await until(async () => {
    const now = await profile();
    return now.counters.events === 2 && now;
  });
  assert.deepEqual(viewed, ['shoes-1']);
  assert.deepEqual(events.map((/** @type {any} */ one) => one.name), ['Product Viewed', 'Page Viewed']);
});

test('ten calls and a navigation in the same moment: all ten arrive, once', async () => {
  await open('/');
  await withEndcap((/** @type {any} */ endcap) => {
    for (let n = 0; n < 10; n += 1) endcap.track('Product Viewed', { product_id: `p-${n}`, category: 'shoes' });
    location.href = '/other';
  });
  const seen = await until(async () => {
    const now = await profile();
    const named = (/** @type {string} */ name) => now.events.filter((/** @type {any} */ one) => one.name === name);
    return named('Product Viewed').length >= 10 && named('Page Viewed').length === 2 && now;
  });
  assert.equal(seen.counters.events, 12);
});

test('while consent is open or refused nothing is stored and nothing is sent about the visitor', async () => {
  /** @type {string[]} */
  const sent = [];
  chromium.page.on('request', (request) => sent.push(`${request.method()} ${new URL(request.url()).pathname}`));
  for (const path of ['/pending', '/denied']) {
    await open(path);
    await view('secret');
    const kept = await chromium.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]);
    assert.deepEqual(kept, ['', 0, 0], path);
  }
  assert.deepEqual(sent.filter((line) => line.startsWith('POST')), []);
  assert.deepEqual(await chromium.context.cookies(), []);
});

test('what was tracked while consent was open is sent once the visitor agrees', async () => {
  await open('/pending');
  await view('held');
  await withEndcap((/** @type {any} */ endcap) => endcap.consent('granted'));
  await until(async () => (await profile()).products_viewed.includes('held'), { what: 'the held event arrives' });
});

test('Global Privacy Control refuses messages after the visit, whatever the page says', async () => {
  await open('/private');
  await view('shoes-1');
  await until(async () => (await profile()).products_viewed.includes('shoes-1'), { what: 'the event arrives' });
  const { analytics, personalization, marketing } = (await profile()).consent;
  assert.deepEqual([analytics, personalization, marketing], [true, true, false]);
});

test('a refusal takes back what was kept', async () => {
  await open('/');
  await view('shoes-1');
  const anonymousId = await withEndcap((/** @type {any} */ endcap) => endcap.anonymousId());
  await until(async () => (await edge.api.profile({ anonymous_id: anonymousId }))?.consent.analytics, {
    what: 'the profile with its consent',
  });
  await withEndcap((/** @type {any} */ endcap) => endcap.consent('denied'));
  const left = async () => chromium.evaluate(() => document.cookie + JSON.stringify(Object.keys(localStorage)));
  await until(async () => !/ec[_.]id/.test(await left()), { what: 'the identity is gone' });
  await until(async () => (await edge.api.profile({ anonymous_id: anonymousId })).consent.analytics === false, {
    what: 'the edge knows of the refusal',
  });
});

test('a pop-up waits for the scroll depth of its trigger', async () => {
  await campaign({ trigger: { scroll_percent: 60 } });
  await open('/');
  await seeNotShown(/trigger/);
  const scrollTo = (/** @type {number} */ share) =>
    chromium.evaluate((/** @type {number} */ part) => {
      window.scrollTo({ top: (document.documentElement.scrollHeight - innerHeight) * part, behavior: 'instant' });
    }, share);
  await scrollTo(0.4);
  await seeNotShown(/trigger/);
  await scrollTo(0.8);
  await chromium.see(DIALOG, { text: /Hello there/ });
});

test('a pop-up opens when the pointer leaves the page at its top', async () => {
  await campaign({ trigger: { exit_intent: true } });
  await open('/');
  await chromium.moveTo({ x: 400, y: 300 });
  await seeNotShown(/trigger/);
  await leaveAtTop();
  await chromium.see(DIALOG, { text: /Hello there/ });
});

/** The driver's pointer cannot leave the window, so the event that the browser makes of it is made here. */
const leaveAtTop = () =>
  chromium.evaluate(() => {
    const leaving = { clientX: 400, clientY: -1, relatedTarget: null, bubbles: true };
    document.documentElement.dispatchEvent(new MouseEvent('mouseout', leaving));
    document.documentElement.dispatchEvent(new MouseEvent('mouseleave', { ...leaving, bubbles: false }));
  });

test('a pop-up whose rules are too large for a decision opens once they were fetched, and the most important comes first', async (t) => {
  t.after(() => edge.api.delete('/api/campaigns/1'));
  const leaf = (/** @type {number} */ n) => ({ fact: 'products_viewed', category: `a-category-with-a-name-${n}`, op: '>=', value: n });
  const parts = Array.from({ length: 50 }, (_, n) => leaf(n + 1));
  await campaign({ condition: { not: { any: [{ all: parts }, { all: parts }] } }, priority: 5 });
  // A name that is a number would come first in an object of JavaScript.
  const content = { template: 'card', title: 'Less important', dismiss: 'No thanks' };
  await edge.api.set('/api/campaigns/1', { name: 'D', type: 'popup', trigger: { dwell_seconds: 1 }, content });
  await open('/');
  const sent = await chromium.evaluate(() => {
    const { told } = /** @type {any} */ (window);
    return told.findLast((/** @type {any} */ event) => event.kind === 'decision').detail.decision;
  });
  assert.deepEqual([sent.campaigns.map((/** @type {any} */ one) => one.id), sent.left_out], [['c', '1'], { files: 1 }]);
  await chromium.see(DIALOG, { text: /Hello there/ });
});

test('a pop-up that was shown this session is not shown on the next page', async () => {
  await campaign({ frequency: { per_session: 1 } });
  await open('/');
  await chromium.see(DIALOG);
  await chromium.press('Escape');
  await chromium.seeGone(DIALOG);
  await open('/other');
  await seeNotShown(/frequen|often|cap/i);
});

test('a pop-up never opens over a consent banner, and opens once the banner is gone', async () => {
  await campaign({});
  await open('/banner');
  await seeNotShown(/consent/i);
  await chromium.evaluate(() => document.querySelector('[data-endcap-consent]')?.remove());
  await chromium.see(DIALOG);
});

test('of two campaigns that both hold, one opens, and the other after it is closed', async (t) => {
  t.after(() => edge.api.delete('/api/campaigns/d'));
  await campaign({});
  const content = { template: 'card', title: 'Second one', dismiss: 'No thanks' };
  await edge.api.set('/api/campaigns/d', { name: 'D', type: 'popup', trigger: { immediately: true }, content });
  await open('/');
  const first = await chromium.see(DIALOG);
  assert.equal(await chromium.count(DIALOG), 1);
  await chromium.press('Escape');
  const second = await chromium.see(DIALOG, { text: first.includes('Hello') ? /Second one/ : /Hello there/ });
  assert.notEqual(second, first);
  assert.equal(await chromium.count(DIALOG), 1);
});

test('a dialog has a name and large targets, keeps the focus, and gives it back', async () => {
  await campaign({ trigger: { scroll_percent: 60 } });
  await open('/');
  await chromium.evaluate(() => document.getElementById('before')?.focus());
  await chromium.evaluate(() => window.scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' }));
  await chromium.see(DIALOG);
  const dialog = chromium.page.getByRole('dialog', { name: 'Hello there' });
  await dialog.waitFor();
  await chromium.rest();
  for (const button of await dialog.getByRole('button').all()) {
    const box = await button.boundingBox();
    assert.ok(box && box.height >= 44 && box.width >= 44, `${await button.textContent()}: ${JSON.stringify(box)}`);
  }
  await until(() => chromium.focusIsIn(DIALOG), { what: 'the focus moves into the dialog' });
  await chromium.press('Tab');
  assert.equal(await chromium.focusIsIn(DIALOG), true);
  await dialog.getByText('No thanks').click();
  await chromium.seeGone(DIALOG);
  const focused = () => chromium.evaluate(() => document.activeElement?.id);
  await until(async () => (await focused()) === 'before', { what: 'the focus goes back' });
});

test('a slot reserves its space: filling it moves nothing', async () => {
  await chromium.page.addInitScript(() => {
    Object.assign(window, { shifts: [] });
    new PerformanceObserver((list) => /** @type {any} */ (window).shifts.push(...list.getEntries().map((one) => JSON.stringify(one.toJSON())))).observe({
      type: 'layout-shift',
      buffered: true,
    });
  });
  await open('/slot');
  await chromium.see('endcap-slot >>> a');
  await chromium.rest();
  assert.deepEqual(await chromium.evaluate(() => /** @type {any} */ (window).shifts), []);
});

test('under a strict content security policy it works and violates nothing', async () => {
  await campaign({});
  await open('/strict');
  await chromium.see('endcap-slot >>> a');
  await chromium.see(DIALOG);
  assert.deepEqual(chromium.errors.filter((text) => !text.includes('404')), []);
});
