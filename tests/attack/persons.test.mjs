/**
 * Somebody fills a person: browsers as large as they can be made, all of one user. A person is never refused for its size, and
 * costs a batch no more than the browser that sends it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** Browsers of the person. A version that keeps a person in one row has no room for them. */
const BROWSERS = 24;
const USER = 'victim';
/** Most bytes of a row in SQLite of Durable Objects. */
const ROW_BYTES = 2 * 1024 * 1024;

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ variables: { ENDCAP_SHARDS: '1', ENDCAP_RATE_SOURCE: '100000/s' } });
  await edge.api.set('/api/settings', { identity: { merges_per_hour: 10_000 } });
});
after(() => edge.stop());

/** Text that nothing makes shorter. @param {number} length */
const long = (length) => Array.from({ length: Math.ceil(length / 13) }, () => Math.random().toString(36).slice(2, 15)).join('').slice(0, length);

/** As much of everything as a browser may have. @param {Visitor} visitor @returns {Json[][]} */
function fillings(visitor) {
  const arrivals = Array.from({ length: 20 }, () => {
    visitor.sessionId = long(90);
    const url = `${SHOP_ORIGIN}/${long(1900)}?utm_source=${long(60)}&utm_medium=${long(60)}`;
    return visitor.event('page', { context: { page: { url, referrer: `https://from.example/${long(1900)}`, title: 'x' } } });
  });
  const categories = Array.from({ length: 24 }, () => long(120));
  const looks = categories.map((category) => Array.from({ length: 16 }, () => visitor.product('Viewed', long(120), { category })));
  const cart = Array.from({ length: 100 }, () => visitor.product('Added', long(120), { category: categories[0] }));
  const traits = Object.fromEntries(Array.from({ length: 48 }, (_, n) => [`trait_${n}`, long(500)]));
  const orders = Array.from({ length: 100 }, () => visitor.order(long(90), [{ product_id: long(100) }]));
  return [arrivals, looks.slice(0, 12).flat(), looks.slice(12).flat(), cart, orders, [visitor.identify(USER, traits, edge.proof(USER))]];
}

/** @param {Visitor} visitor @param {Json[]} events */
async function deliver(visitor, events) {
  const answer = await until(
    async () => {
      const { status, body } = await visitor.post(visitor.batch(events));
      assert.ok(status === 200 || status === 503, JSON.stringify(body).slice(0, 500));
      return status === 200 ? body : undefined;
    },
    { what: 'the batch is answered', within: 20_000 },
  );
  assert.deepEqual(answer.rejected, []);
}

/** Bytes of the largest row that a profile has, and how many rows of fragments there are. */
async function rows() {
  const [tables] = await (await edge.fetch('/ec/dev/tables')).json();
  const largest = Math.max(...[...tables.profile, ...tables.fragment].flat().map((/** @type {string} */ text) => text.length));
  return { largest, fragments: tables.fragment.length };
}

/** Rows that a request writes. @param {() => Promise<unknown>} request */
async function written(request) {
  const count = async () => (await (await edge.fetch('/ec/dev/rows')).json()).rows_written;
  const begun = await count();
  await request();
  return (await count()) - begun;
}

/** @type {Visitor[]} */
const browsers = [];

test('a person of many large browsers takes every batch, login and order', async () => {
  for (let n = 0; n < BROWSERS; n += 1) {
    const visitor = new Visitor(edge);
    browsers.push(visitor);
    for (const events of fillings(visitor)) await deliver(visitor, events);
  }
  for (const visitor of browsers) await deliver(visitor, [visitor.product('Viewed', 'late', { category: 'late' })]);
  const device = new Visitor(edge);
  await deliver(device, [device.identify(USER, {}, edge.proof(USER))]);
  const { status, body } = await device.post(device.batch([], { ask: { slots: [], url: `${SHOP_ORIGIN}/` } }));
  assert.equal(status, 200);
  assert.ok(JSON.stringify(body).length <= 64 * 1024);
  assert.ok(Buffer.from(body.decision.behaviour, 'base64url').includes('late'), 'a new device is the person');
  const ordered = await edge.serverCall('track', { userId: USER, event: 'Order Completed', properties: { order_id: 'by-server', revenue: 5, currency: 'EUR', products: [{ product_id: 'p', price: 5 }] } });
  assert.equal(ordered.status, 200);
  const person = await until(
    async () => {
      const found = await edge.api.profile({ user_id: USER });
      const has = found.orders.some((/** @type {Json} */ order) => order.order_id === 'by-server');
      return has && found.anonymous_ids.length === BROWSERS + 2 ? found : undefined;
    },
    { what: 'the server’s order is the person’s', within: 20_000 },
  );
  assert.equal(person.counters.orders, BROWSERS * 100 + 1, 'orders of which only the number is kept count');
  const { outbox } = (await edge.api.get('/api/health')).body.shards[0];
  assert.deepEqual([outbox.waiting, outbox.parked ?? 0], [0, 0]);
  const { largest, fragments } = await rows();
  assert.ok(largest < ROW_BYTES / 2, `${largest} bytes`);
  assert.ok(fragments >= BROWSERS);
});

test('an everyday batch of such a person writes its browser’s row and the person’s', async () => {
  const [visitor] = browsers;
  await deliver(visitor, [visitor.track('Look')]);
  const counts = [];
  for (let n = 0; n < 5; n += 1) counts.push(await written(() => deliver(visitor, [visitor.track('Look')])));
  assert.ok(Math.min(...counts) <= 2, counts.join());
});

test('the person can be exported, and erased', async () => {
  const { profile_id: id } = await edge.api.profile({ user_id: USER });
  const exported = await edge.fetch(`/api/profiles/${id}/export`, { headers: { Authorization: `Bearer ${edge.apiKey}` } });
  const text = await exported.text();
  assert.equal(exported.status, 200, text.slice(0, 300));
  for (const { anonymousId } of browsers) assert.ok(text.includes(anonymousId));
  const { status } = await edge.api.delete(`/api/profiles/${id}`);
  assert.ok(status < 300, `${status}`);
  await until(async () => (await rows()).fragments === 0, { what: 'no row of a fragment is left', within: 30_000 });
});
