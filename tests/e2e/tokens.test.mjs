/**
 * How a browser gets its token, what changes the token, and what else needs it: a bad network, a login, a logout, the shop's
 * own server, an earlier version's cookie, and web push.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { ChromiumPush } from '../harness/chromiumPush.mjs';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { pushPrefs } from '../harness/firefoxPrefs.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { SlowEdge } from '../harness/slowEdge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @param {string} [before] Script that runs before the tag. */
const page = (before = '') => ({
  html: `<!doctype html><html lang=en><title>Shop</title><link rel=icon href="data:,"><script>window.endcap = [];${before}</script>
    <script async src="/ec/endcap.js" data-source="${SOURCE}" data-consent="granted"></script><h1>Shop</h1></html>`,
});
/** A page without the tag. */
const PLAIN = { html: '<!doctype html><html lang=en><title>Plain</title><link rel=icon href="data:,"><h1>Plain</h1></html>' };
/** Tabs of a browser without Web Locks do not wait for each other. */
const WITHOUT_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined });";

/** @type {SlowEdge} */
let slow;
/** @type {Edge} */
let edge;
/** @type {PushService} */
let mozilla;
/** @type {ChromiumPush} */
let google;
before(async () => {
  [slow, mozilla, google] = await Promise.all([SlowEdge.start(0), PushService.start(), ChromiumPush.start()]);
  const pages = { '/': page(), '/next': page(), '/alone': page(WITHOUT_LOCKS), '/plain': PLAIN };
  edge = await Edge.start({ pages, outbound: (request) => google.receive(request) });
  slow.leadTo(edge.origin);
});
after(async () => {
  await edge.stop();
  await Promise.all([slow, mozilla, google].map((one) => one.close()));
});

/**
 * Runs the edge for one scenario.
 *
 * @param {string} shop
 * @param {number} inFlightMs How long a request may be under way.
 */
async function serve(shop, inFlightMs) {
  const sources = { [SOURCE]: [slow.origin(shop), SHOP_ORIGIN] };
  await edge.restart({ ENDCAP_SOURCES: JSON.stringify(sources), ENDCAP_IN_FLIGHT_MS: String(inFlightMs) });
  slow.weather = 'pass';
  return slow.origin(shop);
}

const BROWSERS = [
  { name: 'chromium', launch: () => Chromium.launch({ flags: google.flags }) },
  { name: 'firefox', launch: () => Firefox.launch({ prefs: pushPrefs(mozilla.webSocketUrl) }) },
];

for (const { name, launch } of BROWSERS) {
  describe(name, { timeout: 240_000 }, () => {
    /** @type {import('../harness/browserPage.mjs').BrowserPage & {close(): Promise<void>}} */
    let browser;
    before(async () => {
      browser = await launch();
    });
    after(() => browser.close());

    const flushed = () => browser.flushed();

    /** Calls the page's own Endcap. @param {string} method @param {...unknown} args @returns {Promise<any>} */
    const call = (method, ...args) =>
      browser.evaluate((/** @type {string} */ method, /** @type {unknown[]} */ args) => /** @type {any} */ (window).endcap[method](...args), method, args);

    /** @param {string} id */
    const profile = (id) => edge.api.profile({ anonymous_id: id });

    /** How often the edge has an event of a browser. @param {string} id @param {string} event */
    async function count(id, event) {
      const { events } = await profile(id);
      return events.filter((/** @type {{name: string}} */ one) => one.name === event).length;
    }

    /** A browser of somebody else's that knows the name, and has what cookies it was given. @param {string} id @param {Record<string, string>} [cookies] */
    function stranger(id, cookies = {}) {
      const other = new Visitor(edge);
      other.anonymousId = id;
      other.cookies = new Map(Object.entries(cookies));
      return other;
    }

    /** Makes the browser a visitor, with cookies, by a script of the page. @param {Visitor} visitor @param {Record<string, string>} cookies */
    const plant = ({ deviceId, anonymousId }, cookies) =>
      browser.evaluate((/** @type {Record<string, string>} */ all) => {
        for (const [key, value] of Object.entries(all)) document.cookie = `${key}=${value}; path=/`;
      }, { ...cookies, ec_id: `1.${deviceId}.${anonymousId}.0` });

    /** What the edge tells a stranger who asks for a decision. @param {Visitor} other */
    const told = (other) => other.post(other.batch([], { ask: { slots: [] } }));

    /** A visitor whose token came back. @param {string} origin */
    async function bound(origin) {
      await browser.open(`${origin}/`);
      const id = await flushed();
      await browser.open(`${origin}/next`);
      assert.equal(await flushed(), id);
      assert.notEqual((await told(stranger(id))).body.anonymous_id ?? id, id, 'the name alone is nobody');
      return id;
    }

    test('a first answer that never arrived: the browser keeps its ID, and has its token with the next one', async () => {
      const origin = await serve(`lost-${name}`, 0);
      slow.weather = 'mute';
      await browser.open(`${origin}/`);
      const first = await until(() => slow.of(`lost-${name}`).find(({ status }) => status === 200), { what: 'the edge applies the batch' });
      slow.weather = 'pass';
      const id = await flushed();
      assert.equal(id, first.visitor);
      assert.equal(await count(id, 'Page Viewed'), 1, 'sent again, and counted once');
      await browser.open(`${origin}/next`);
      assert.equal(await flushed(), id);
      assert.notEqual((await told(stranger(id))).body.anonymous_id ?? id, id);
      assert.equal(await count(id, 'Page Viewed'), 2);
    });

    test('a request that was under way when the ID was bound comes again with the token, and counts once', async () => {
      const shop = `way-${name}`;
      const origin = await serve(shop, 30_000);
      const early = await browser.openTab();
      await browser.open(`${origin}/plain`);
      const late = await browser.openTab();
      slow.weather = 'hold';
      await browser.open(`${origin}/alone`);
      await until(() => slow.held, { what: 'the first batch is under way' });
      slow.weather = 'pass';
      await browser.switchTo(early);
      for (const path of ['/alone', '/next']) {
        await browser.open(origin + path);
        await flushed();
      }
      const id = await call('anonymousId');
      slow.release();
      await until(() => slow.of(shop).some(({ status }) => status === 503), { what: 'the batch under way is asked to come again' });
      await browser.switchTo(late);
      await call('track', 'Waited');
      assert.equal(await flushed(), id, 'nobody takes another ID');
      assert.deepEqual([await count(id, 'Page Viewed'), await count(id, 'Waited')], [3, 1]);
      assert.ok(slow.of(shop).every(({ visitor }) => visitor === id));
    });

    test('a login with a proof: what somebody planted is worth nothing, and lost cookies come back', async () => {
      const origin = await serve(`login-${name}`, 0);
      const planted = new Visitor(edge);
      await planted.send([planted.track('Planted')]);
      const cookies = Object.fromEntries(planted.cookies);
      await browser.open(`${origin}/plain`);
      // As a script on another host of the shop's domain can.
      await plant(planted, cookies);
      await browser.open(`${origin}/`);
      assert.equal(await flushed(), planted.anonymousId);
      await call('identify', `fay-${name}`, {}, { proof: edge.proof(`fay-${name}`) });
      await call('track', 'Product Viewed', { product_id: 'p1', category: 'private-taste' });
      const id = await flushed();
      assert.equal(id, planted.anonymousId);
      const { body } = await told(stranger(id, cookies));
      assert.notEqual(body.anonymous_id ?? id, id);
      assert.ok(!Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste'));
      // A page for somebody who is logged in says so with each view: by that proof the browser has its ID again.
      await browser.clearCookies();
      await call('identify', `fay-${name}`, {}, { proof: edge.proof(`fay-${name}`) });
      assert.equal(await flushed(), id);
      await browser.open(`${origin}/next`);
      assert.equal(await flushed(), id);
      assert.deepEqual((await profile(id)).user_ids, [`fay-${name}`]);
    });

    test('after a logout nothing is shown under the ID of before, also to who puts it back', async () => {
      const origin = await serve(`out-${name}`, 0);
      const id = await bound(origin);
      await call('identify', `gil-${name}`, {}, { proof: edge.proof(`gil-${name}`) });
      await call('track', 'Product Viewed', { product_id: 'p1', category: 'private-taste' });
      assert.equal(await flushed(), id);
      const ask = (/** @type {string} */ anonymousId) =>
        browser.evaluate(
          async (/** @type {string} */ source, /** @type {string} */ anonymous_id) => {
            const body = JSON.stringify({ source, anonymous_id, sent_at: Date.now(), ask: { slots: [] }, events: [] });
            return (await fetch('/ec/e', { method: 'POST', body })).json();
          },
          SOURCE,
          anonymousId,
        );
      const before = await ask(id);
      assert.ok(Buffer.from(before.decision.behaviour, 'base64url').includes('private-taste'), 'so far it is the visitor');
      await call('reset');
      await call('track', 'Next');
      const next = await flushed();
      assert.notEqual(next, id);
      const old = await ask(id);
      assert.deepEqual([old.decision, old.anonymous_id], [undefined, undefined], 'the token is still there, and shows nothing');
      assert.ok(!Buffer.from((await ask(next)).decision.behaviour, 'base64url').includes('private-taste'));
      assert.deepEqual((await profile(next)).user_ids, []);
    });

    test("what the shop's server says of a browser counts there with the token that came to the shop, else by the browser's own word", async () => {
      const shop = `server-${name}`;
      const id = await bound(await serve(shop, 0));
      /** @param {string} anonymousId @param {string} userId @param {object} [context] */
      const says = async (anonymousId, userId, context) => {
        assert.equal((await edge.serverCall('track', { anonymousId, userId, event: 'Told', context })).status, 200);
      };
      const users = async () => (await profile(id)).user_ids;
      await says(id, `hal-${name}`);
      assert.deepEqual(await users(), [], 'so far nobody who has the token said so');
      await call('identify', `hal-${name}`);
      assert.equal(await flushed(), id);
      await until(async () => (await users()).length, { what: 'the browser says the same' });
      assert.deepEqual(await users(), [`hal-${name}`]);
      // A shop's own server gets the cookie with each request of its page.
      await call('reset');
      const next = await bound(slow.origin(shop));
      const [, token] = /(?:^|; )ec_t=([^;]+)/.exec(slow.of(shop).at(-1)?.cookie ?? '') ?? [];
      await says(next, `ira-${name}`, { possession: token });
      assert.deepEqual((await profile(next)).user_ids, [`ira-${name}`]);
    });

    test('a visitor from before there were tokens goes on by the route cookie of that version, and then by a token', async () => {
      const origin = await serve(`before-${name}`, 0);
      const earlier = new Visitor(edge);
      await earlier.send([earlier.track('Long ago')]);
      await browser.open(`${origin}/plain`);
      await plant(earlier, { ec_r: edge.signed('route', earlier.anonymousId) });
      // Somebody else, who only knows the name, comes first.
      const racer = stranger(earlier.anonymousId);
      for (let n = 0; n < 2; n += 1) await told(racer);
      assert.equal(await bound(origin), earlier.anonymousId);
      assert.equal(await count(earlier.anonymousId, 'Long ago'), 1);
      assert.notEqual((await told(racer)).body.anonymous_id ?? earlier.anonymousId, earlier.anonymousId);
    });

    test('a push subscription needs the token, and one that the browser renews the token of that subscription', async () => {
      const origin = await serve(`push-${name}`, 0);
      const id = await bound(origin);
      await browser.allowNotifications(origin);
      await until(async () => (await call('requestPush')) === 'granted', { what: 'the browser subscribes' });
      const endpoints = async () => {
        const { profile_id } = await profile(id);
        const { body } = await edge.api.get(`/api/profiles/${profile_id}/export`);
        return body.subscriptions.map((/** @type {{endpoint: string}} */ one) => one.endpoint);
      };
      const [first] = await until(async () => (await endpoints()).length && endpoints(), { what: 'the edge has the subscription' });
      const refused = await stranger(id).subscribe(new Receiver(mozilla, edge.pushKey).subscription);
      assert.deepEqual([refused.status, refused.body.error.code], [403, 'unverified']);
      const kept = () => browser.evaluate(async () => Boolean(await caches.match('/endcap-sw/renewal')));
      await until(kept, { what: "the worker keeps the subscription's token" });
      // No cookie is left when the browser replaces it.
      await flushed();
      await browser.clearCookies();
      slow.cutPushes = 1; // No page is there to try again.
      await browser.replaceSubscription();
      await until(async () => !(await endpoints()).includes(first), { what: 'the new one takes its place' });
      assert.equal((await endpoints()).length, 1);
      assert.equal(slow.cutPushes, 0);
      assert.ok(!slow.pushCookies.at(-1)?.includes('ec_t='), 'it came with the token of the subscription alone');
    });
  });
}
