/** What becomes of events that are refused: kept with the reason, counted, listed, tried again, removed in time. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { Visitor } from '../harness/visitor.mjs';

const DAY = 86_400_000;

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** The refused events that fit. @param {Record<string, string>} [query] @returns {Promise<Json>} */
async function listed(query = {}) {
  const { status, body } = await edge.api.get(`/api/quarantine?${new URLSearchParams(query)}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** All refused events of a visitor. @param {Visitor} visitor @param {Record<string, string>} [query] */
async function of(visitor, query = {}) {
  const { events } = await listed({ limit: '200', ...query });
  return events.filter((/** @type {Json} */ { subject }) => subject === visitor.anonymousId);
}

/** How many events were refused for a reason so far. @param {string} code @returns {Promise<number>} */
async function count(code) {
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  return counts.filter((/** @type {Json} */ one) => one.code === code && one.source === SOURCE)
    .reduce((/** @type {number} */ sum, /** @type {Json} */ one) => sum + one.count, 0);
}

test('a refused event is kept with its text, its reason and its path, beside those that are good', async () => {
  const visitor = new Visitor(edge);
  const before = await count('invalid_field');
  const bad = visitor.track('Order Completed', { coupon: 'x' });
  await visitor.post(visitor.batch([visitor.track('Good'), bad]));
  const [kept, ...others] = await of(visitor);
  assert.deepEqual(others, []);
  assert.deepEqual([kept.source, kept.route, kept.code, kept.path], [SOURCE, 'batch', 'invalid_field', 'properties.order_id']);
  assert.deepEqual(JSON.parse(kept.raw), bad);
  assert.ok(Math.abs(kept.received_at - Date.now()) < 60_000);
  assert.equal(await count('invalid_field'), before + 1);
  const { status, body } = await edge.api.get(`/api/quarantine/${kept.id}`);
  assert.deepEqual([status, body], [200, kept]);
});

test('an event that is refused again is kept and counted once', async () => {
  const visitor = new Visitor(edge);
  const batch = visitor.batch([visitor.event('shout')]);
  const before = await count('invalid_field');
  for (let n = 0; n < 3; n += 1) await visitor.post(batch);
  assert.equal((await of(visitor)).length, 1);
  assert.equal(await count('invalid_field'), before + 1);
});

test('what the visitor did not agree to is counted, and nothing of it is kept', async () => {
  const visitor = new Visitor(edge);
  visitor.consent = { analytics: false, personalization: false, marketing: false };
  const before = await count('no_consent');
  await visitor.post(visitor.batch([visitor.product('Viewed', 'a'), visitor.product('Viewed', 'b')]));
  assert.equal(await count('no_consent'), before + 2);
  assert.deepEqual(await listed({ code: 'no_consent' }), { events: [] });
});

test('the list is paged over all shards, and can be narrowed', async () => {
  const visitors = Array.from({ length: 7 }, () => new Visitor(edge));
  await Promise.all(visitors.map((one) => one.post(one.batch([one.track('X', {}, { timestamp: Date.now() + DAY }), one.event('shout')]))));
  const found = [];
  for (let cursor = ''; cursor !== undefined;) {
    const page = await listed({ code: 'in_future', limit: '2', ...(cursor && { cursor }) });
    assert.ok(page.events.length <= 2);
    found.push(...page.events);
    cursor = page.cursor;
  }
  assert.deepEqual(new Set(found.map(({ subject }) => subject)), new Set(visitors.map((one) => one.anonymousId)));
  assert.equal(found.length, 7);
  assert.deepEqual((await listed({ source: 'elsewhere' })).events, []);
  assert.deepEqual((await listed({ route: 'webhook' })).events, []);
});

test('wrong questions are answered with the field', async () => {
  /** @type {[string, string][]} */
  const wrong = [
    ['code=nonsense', 'code'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['cursor=x', 'cursor'],
    ['cursor=0.-1', 'cursor'],
    ['cursor=0.9007199254740993', 'cursor'],
    ['route=x', 'route'],
  ];
  for (const [query, path] of wrong) {
    const { status, body } = await edge.api.get(`/api/quarantine?${query}`);
    assert.deepEqual([status, body.error.path], [400, path], query);
  }
  for (const id of ['none', '0-0', '9999-1', '%00']) {
    assert.equal((await edge.api.get(`/api/quarantine/${id}`)).status, 404, id);
  }
  assert.equal((await edge.api.get('/api/quarantine/%zz')).body.error.path, 'id');
  assert.equal((await edge.api.with().get('/api/quarantine')).status, 401);
  assert.equal((await edge.api.get('/api/quarantine/replay')).status, 405);
  const ids = Array.from({ length: 201 }, (_, n) => `0-${n}`);
  assert.equal((await edge.api.post('/api/quarantine/replay', { ids })).body.error.path, 'ids');
});

test('what is still wrong stays, and the replay says why', async () => {
  const visitor = new Visitor(edge);
  await visitor.post(visitor.batch([visitor.track('')]));
  const [kept] = await of(visitor);
  const { status, body } = await edge.api.post('/api/quarantine/replay', { ids: [kept.id] });
  assert.equal(status, 200);
  assert.deepEqual(body.accepted, []);
  assert.deepEqual([body.rejected[0].id, body.rejected[0].code], [kept.id, 'invalid_field']);
  assert.equal((await of(visitor)).length, 1);
  const unknown = await edge.api.get(`/api/profiles?anonymous_id=${visitor.anonymousId}`);
  assert.equal(unknown.status, 404, 'nothing was applied');
});

test('a patch puts events right before they are taken in again', async () => {
  const [one, other, call] = [new Visitor(edge), new Visitor(edge), `patched-${uuid()}`];
  for (const visitor of [one, other]) {
    await visitor.post(visitor.batch([visitor.track('Order Completed', { coupon: 'hats' }), visitor.track('')]));
  }
  assert.equal((await edge.serverCall('track', { anonymousId: call, properties: { n: 1 } })).status, 400);
  const path = 'properties.order_id';
  const listedNow = (await listed({ path, limit: '200' })).events.map((/** @type {Json} */ { subject }) => subject);
  assert.ok([one, other].every((visitor) => listedNow.includes(visitor.anonymousId)));

  const wrong = await edge.api.post('/api/quarantine/replay', { path, patch: { properties: { coupon: 'caps' } } });
  assert.deepEqual([wrong.body.accepted, wrong.body.rejected.length >= 2], [[], true]);
  const right = await edge.api.post('/api/quarantine/replay', { path, patch: { properties: { coupon: null, order_id: 'o-patched' } } });
  assert.deepEqual([right.status, right.body.rejected], [200, []]);
  for (const visitor of [one, other]) {
    const profile = await edge.api.profile({ anonymous_id: visitor.anonymousId });
    assert.deepEqual(profile.events.map((/** @type {Json} */ { name }) => name), ['Order Completed']);
    assert.deepEqual(profile.orders.map((/** @type {Json} */ order) => order.order_id), ['o-patched']);
    assert.deepEqual((await of(visitor)).map((/** @type {Json} */ { path }) => path), ['name']);
  }
  const vendor = await edge.api.post('/api/quarantine/replay', { route: 'vendor', patch: { event: 'Quiz Finished' } });
  assert.deepEqual([vendor.status, vendor.body.accepted.length], [200, 1]);
  assert.deepEqual((await edge.api.profile({ anonymous_id: call })).events.map((/** @type {Json} */ { name }) => name), ['Quiz Finished']);
});

test('a patch is an object of bounded size', async () => {
  for (const patch of [7, 'x', [], { a: 'x'.repeat(9000) }]) {
    const { status, body } = await edge.api.post('/api/quarantine/replay', { ids: [], patch });
    assert.deepEqual([status, body.error.path], [400, 'patch']);
  }
});

test('after 30 days it is gone', async () => {
  const visitor = new Visitor(edge);
  await visitor.post(visitor.batch([visitor.track('')]));
  await edge.passTime(Date.now() + 29 * DAY);
  assert.equal((await of(visitor)).length, 1);
  await edge.passTime(Date.now() + 30 * DAY + 60_000);
  assert.deepEqual((await listed()).events, []);
});
