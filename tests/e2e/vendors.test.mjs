/**
 * Other vendors' browser clients, each told only our host and its write key, on a shop that is on another origin than
 * the edge: what they capture arrives in the profile of their visitor.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { Chromium } from '../harness/chromium.mjs';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { uuid } from '../harness/ids.mjs';
import { ROOT } from '../harness/paths.mjs';
import { StaticSite } from '../harness/staticSite.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {Record<string, any>} Json */

/** Both clients have the same calls, and so tell the same story. */
const STORY = `
  const story = (client, userId) => {
    client.page('Home');
    client.identify(userId, { plan: 'gold', address: { city: 'Graz' } });
    client.track('Product Viewed', { product_id: 'p1', category: 'shoes', price: 15.25, currency: 'EUR' });
    client.track('Order Completed', {
      order_id: 'order of ' + userId, revenue: 30.5, currency: 'EUR',
      products: [{ product_id: 'p1', price: 15.25, quantity: 2 }],
    });
  };`;

const SEGMENT = `
  import { AnalyticsBrowser } from '@segment/analytics-next';
  ${STORY}
  window.start = async (host, writeKey, userId, options) => {
    const client = AnalyticsBrowser.load({ writeKey, cdnURL: host }, options);
    story(client, userId);
    await client.ready();
    return (await client.user()).anonymousId();
  };`;

const RUDDER = `
  import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';
  ${STORY}
  window.start = (host, writeKey, userId, options) => new Promise((resolve) => {
    const client = new RudderAnalytics();
    client.load(writeKey, host, { configUrl: host, ...options });
    story(client, userId);
    client.ready(() => resolve(client.getAnonymousId()));
  });`;

/** @type {StaticSite} */
let shop;
/** @type {Edge} */
let edge;

before(async () => {
  shop = await StaticSite.start(Object.assign({}, ...(await Promise.all([pages('segment', SEGMENT), pages('rudder', RUDDER)]))));
  edge = await Edge.start({ variables: { ENDCAP_SOURCES: JSON.stringify({ [SOURCE]: [shop.origin] }) } });
});
after(async () => {
  await edge.stop();
  await shop.close();
});

/**
 * A page with a client, bundled as a shop does it.
 *
 * @param {string} name
 * @param {string} code
 * @returns {Promise<Record<string, [string, string]>>}
 */
async function pages(name, code) {
  const stdin = { contents: code, resolveDir: ROOT };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'iife', logLevel: 'error' });
  const html = `<!doctype html><title>Shop</title><link rel=icon href="data:,"><script src="/${name}.js"></script>`;
  return {
    [`/${name}?utm_source=news&utm_campaign=spring`]: ['text/html', html],
    [`/${name}.js`]: ['text/javascript', outputFiles[0].text],
  };
}

const CLIENTS = /** @type {[string, string, Json][]} */ ([
  ['segment', '@segment/analytics-next', {}],
  ['segment', '@segment/analytics-next in batches', batching()],
  ['rudder', '@rudderstack/analytics-js', {}],
  ['rudder', '@rudderstack/analytics-js by beacon', { useBeacon: true, beaconQueueOptions: { maxItems: 4 } }],
]);

for (const Browser of [Chromium, Firefox]) {
  for (const [client, how, options] of CLIENTS) {
    test(`${Browser.name}: ${how} delivers to its visitor's profile`, async (t) => {
      const browser = await Browser.launch();
      t.after(() => browser.close());
      const userId = `${client}-${uuid()}`;
      await browser.open(`${shop.origin}/${client}?utm_source=news&utm_campaign=spring`);
      const anonymousId = await browser.evaluate(start, edge.origin, SOURCE, userId, options);
      const profile = await until(() => arrived(anonymousId));
      assertStory(profile, userId);
      assert.deepEqual([profile.claimed_user_ids, profile.user_ids], [[userId], []]);
      if (browser instanceof Chromium) assert.deepEqual(browser.errors, []);
      await linkByServer(anonymousId, userId);
      const proved = await edge.api.profile({ user_id: userId });
      assertStory(proved, userId);
      assert.deepEqual([proved.claimed_user_ids, proved.user_ids], [[], [userId]]);
    });
  }
}

/** Segment's way to send many events at once. */
function batching() {
  return { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 4 } } } } };
}

/** Runs in the page. @param {...unknown} args */
function start(...args) {
  return /** @type {any} */ (globalThis).start(...args);
}

/** @param {string} anonymousId The profile, once all of the story is there. */
async function arrived(anonymousId) {
  const profile = await edge.api.profile({ anonymous_id: anonymousId });
  return profile.counters.events >= 4 ? profile : undefined;
}

/** @param {Json} profile @param {string} userId */
function assertStory(profile, userId) {
  const names = profile.events.map((/** @type {Json} */ event) => event.name).filter((/** @type {string} */ name) => name !== 'Told');
  assert.deepEqual(names.sort(), ['Identified', 'Order Completed', 'Page Viewed', 'Product Viewed']);
  assert.deepEqual(
    profile.orders.map((/** @type {Json} */ order) => [order.order_id, order.revenue_minor, order.currency]),
    [[`order of ${userId}`, 3050, 'EUR']],
  );
  assert.deepEqual(profile.products_viewed, ['p1']);
  assert.equal(profile.traits.plan, 'gold');
  assert.equal(profile.traits['address.city'], 'Graz');
  const { utm, landing_url: landing } = profile.touchpoints.first;
  assert.deepEqual([utm.source, utm.name], ['news', 'spring']);
  assert.match(landing, /^http:\/\/127\.0\.0\.1:\d+\/(segment|rudder)\?utm_source=news&utm_campaign=spring$/);
}

/**
 * What a page says about who somebody is is a claim; the shop's server makes it a fact.
 *
 * @param {string} anonymousId
 * @param {string} userId
 */
async function linkByServer(anonymousId, userId) {
  const response = await edge.serverCall('track', { anonymousId, userId, event: 'Told' });
  assert.deepEqual(await response.json(), { success: true });
}
