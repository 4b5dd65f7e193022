/** Other vendors' APIs, as their real clients and as plain HTTP speak them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Analytics as SegmentNode } from '@segment/analytics-node';
import RudderNode from '@rudderstack/rudder-sdk-node';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

const DAY = 86_400_000;
const ORDER = { revenue: 30.5, currency: 'EUR', products: [{ product_id: 'p1', price: 15.25, quantity: 2 }] };
const CAMEL_ORDER = { revenue: 30.5, currency: 'EUR', products: [{ productId: 'p1', price: 15.25, quantity: 2 }] };

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** @param {string} key A write key, as `Basic` authorization. */
const basic = (key) => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;

/**
 * @param {string} path
 * @param {unknown} body
 * @param {Record<string, string>} [headers]
 * @returns {Promise<{status: number, body: Json, headers: Headers}>}
 */
async function post(path, body, headers = {}) {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers } };
  const response = await edge.fetch(path, { ...init, body: /** @type {BodyInit} */ (raw ? body : JSON.stringify(body)) });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

/** @param {string} path @param {Json} body As the shop's server. */
const asServer = (path, body) => post(path, body, { Authorization: basic(edge.serverKey) });

/** @param {string} path @param {Json} body As a page, or whoever read its public write key. */
const asPage = (path, body) => post(path, body, { Authorization: basic(SOURCE), Origin: SHOP_ORIGIN });

/** @param {{user_id: string}} identifier A profile, where there is one. @returns {Promise<Json | undefined>} */
async function find(identifier) {
  const { status, body } = await edge.api.get(`/api/profiles?${new URLSearchParams(identifier)}`);
  return status === 200 ? body : undefined;
}

/** @param {Json} profile */
const names = (profile) => profile.events.map((/** @type {Json} */ event) => event.name);

/** @param {Json} profile @param {string} orderId */
function assertStory(profile, orderId) {
  assert.deepEqual([...names(profile)].sort(), ['Identified', 'Order Completed', 'Page Viewed', 'Product Viewed']);
  assert.deepEqual(profile.orders.map((/** @type {Json} */ order) => [order.order_id, order.revenue_minor]), [[orderId, 3050]]);
  assert.deepEqual(profile.products_viewed, ['p1']);
}

test('@segment/analytics-node, told only our host, tells who did what', async () => {
  const userId = `segment-${uuid()}`;
  const client = new SegmentNode({ writeKey: edge.serverKey, host: edge.origin, flushInterval: 100 });
  /** @type {unknown[]} */
  const errors = [];
  client.on('error', (error) => errors.push(error));
  client.identify({ userId, traits: { email: `${userId}@mail.example`, plan: 'gold' } });
  client.page({ userId, name: 'Home', properties: { url: `${SHOP_ORIGIN}/` } });
  client.track({ userId, event: 'Product Viewed', properties: { product_id: 'p1' } });
  client.track({ userId, event: 'Order Completed', properties: { order_id: 'o-segment', ...ORDER } });
  await client.closeAndFlush();
  assert.deepEqual(errors, []);
  const profile = await edge.api.profile({ user_id: userId });
  assertStory(profile, 'o-segment');
  assert.equal(profile.traits.plan, 'gold');
  assert.equal((await edge.api.profile({ email: `${userId}@mail.example` })).profile_id, profile.profile_id);
});

test('@rudderstack/rudder-sdk-node, told only our host, tells who did what', async () => {
  const userId = `rudder-${uuid()}`;
  const client = new RudderNode(edge.serverKey, { dataPlaneUrl: edge.origin, flushInterval: 100, logLevel: 'error' });
  client.identify({ userId, traits: { email: `${userId}@mail.example`, plan: 'gold' } });
  client.page({ userId, name: 'Home', properties: { url: `${SHOP_ORIGIN}/` } });
  client.track({ userId, event: 'Product Viewed', properties: { productId: 'p1' } });
  client.track({ userId, event: 'Order Completed', properties: { orderId: 'o-rudder', ...CAMEL_ORDER } });
  await client.flush();
  const profile = await until(async () => {
    const found = await find({ user_id: userId });
    return found?.events.length === 4 ? found : undefined;
  });
  assertStory(profile, 'o-rudder');
  assert.equal(profile.traits.plan, 'gold');
});

test('each route takes its kind of call, by its long and its short name', async () => {
  const anonymousId = uuid();
  const calls = {
    track: { event: 'Quiz Finished' },
    identify: { traits: { plan: 'gold' } },
    page: { name: 'Home' },
    screen: { name: 'Start' },
    group: { groupId: 'g1', traits: { size: 3 } },
  };
  for (const [kind, call] of Object.entries(calls)) {
    for (const path of [kind, kind[0]]) {
      const reply = await asServer(`/v1/${path}`, { anonymousId, messageId: uuid(), ...call });
      assert.deepEqual([reply.status, reply.body], [200, { success: true }], path);
    }
  }
  const profile = await edge.api.profile({ anonymous_id: anonymousId });
  assert.deepEqual([...names(profile)].sort(), [
    ...['Group Joined', 'Group Joined', 'Identified', 'Identified'],
    ...['Page Viewed', 'Page Viewed', 'Page Viewed', 'Page Viewed', 'Quiz Finished', 'Quiz Finished'],
  ]);
  assert.equal(profile.traits.plan, 'gold');
});

test('a message that comes again changes nothing', async () => {
  const call = { userId: `twice-${uuid()}`, messageId: uuid(), event: 'Quiz Finished' };
  for (const path of ['/v1/track', '/v1/t', '/v1/track']) assert.equal((await asServer(path, call)).status, 200);
  assert.deepEqual(names(await edge.api.profile({ user_id: call.userId })), ['Quiz Finished']);
});

test('a batch speaks of many people, and one bad call spoils no other', async () => {
  const users = Array.from({ length: 40 }, () => `many-${uuid()}`);
  const batch = [
    ...users.map((userId) => ({ type: 'track', userId, messageId: uuid(), event: 'Quiz Finished' })),
    { type: 'track', messageId: 'nobody', event: 'Quiz Finished' },
    { type: 'track', userId: users[0], messageId: 'no-order', event: 'Order Completed', properties: {} },
    { type: 'dance', userId: users[0] },
    7,
  ];
  const { status, body } = await asServer('/v1/batch', { batch, sentAt: new Date().toISOString() });
  assert.equal(status, 200);
  assert.equal(body.success, true);
  assert.deepEqual(
    body.rejected.map((/** @type {Json} */ { index, code, path }) => [index, code, path]),
    [
      [40, 'invalid_field', 'userId'],
      [41, 'invalid_field', 'properties.order_id'],
      [42, 'invalid_field', 'type'],
      [43, 'invalid_event', ''],
    ],
  );
  for (const userId of users) assert.deepEqual(names(await edge.api.profile({ user_id: userId })), ['Quiz Finished']);
});

test('what nothing is good of is refused, and tells why', async () => {
  const one = await asServer('/v1/track', { userId: 'ann' });
  assert.deepEqual([one.status, one.body.success, one.body.error.path], [400, false, 'event']);
  for (const text of ['', '[]', '{', '{"batch":{}}', '{"batch":[]} x', 'null']) {
    assert.equal((await post('/v1/batch', text, { Authorization: basic(edge.serverKey) })).status, 400, text);
  }
  assert.deepEqual((await asServer('/v1/batch', { batch: [] })).body, { success: true });
  assert.equal((await edge.fetch('/v1/batch')).status, 405);
});

test('sizes are bounded as the vendors do', async () => {
  const pad = (/** @type {number} */ size) => ({ userId: 'pad', event: 'Padded', properties: { x: 'x'.repeat(size) } });
  assert.equal((await asServer('/v1/track', pad(31 * 1024))).status, 200);
  const event = await asServer('/v1/track', pad(32 * 1024));
  assert.deepEqual([event.status, event.body.error.code], [400, 'too_large']);
  const batch = await asServer('/v1/batch', { batch: [pad(500 * 1024)] });
  assert.deepEqual([batch.status, batch.body.error.code], [400, 'too_large']);
  const headers = { Authorization: basic(edge.serverKey), 'Content-Encoding': 'gzip' };
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
  assert.equal((await post('/v1/batch', bomb, headers)).status, 400);
  assert.equal((await post('/v1/batch', 'no gzip', headers)).status, 400);
});

test('only known write keys are taken, wherever they stand', async () => {
  const call = { anonymousId: uuid(), event: 'Quiz Finished' };
  const plain = { 'Content-Type': 'text/plain' };
  assert.equal((await post('/v1/t', call)).status, 401);
  assert.equal((await post('/v1/t', call, { Authorization: basic('stranger') })).status, 401);
  assert.equal((await post('/v1/t', call, { Authorization: basic(`${edge.serverKey}x`) })).status, 401);
  assert.equal((await post('/v1/t', { ...call, writeKey: SOURCE }, plain)).status, 200);
  const beacon = { batch: [{ ...call, type: 'track' }] };
  assert.equal((await post(`/beacon/v1/batch?writeKey=${SOURCE}`, beacon, plain)).status, 200);
  assert.equal((await post('/beacon/v1/batch?writeKey=stranger', beacon, plain)).status, 401);
});

test('pages send from the origins of the source alone', async () => {
  const call = { anonymousId: uuid(), event: 'Quiz Finished', writeKey: SOURCE };
  const own = await post('/v1/t', call, { Origin: SHOP_ORIGIN });
  assert.equal(own.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  assert.equal(own.headers.get('access-control-allow-credentials'), null);
  const foreign = await post('/v1/t', call, { Origin: 'https://evil.example' });
  assert.equal(foreign.status, 403);
  assert.equal(foreign.headers.get('access-control-allow-origin'), null);
  const headers = { Origin: SHOP_ORIGIN, 'Access-Control-Request-Method': 'POST' };
  const preflight = await edge.fetch('/v1/t', { method: 'OPTIONS', headers });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization.*content-type.*anonymousid/);
});

test("a server's word links what only servers name to the person, a page's word does not", async () => {
  const [claimed, proved] = [uuid(), uuid()];
  const userId = `linked-${uuid()}`;
  await asPage('/v1/identify', { anonymousId: claimed, userId, traits: { plan: 'stolen' } });
  await asPage('/v1/track', { userId, event: 'Claimed Without A Browser' });
  assert.deepEqual((await find({ user_id: userId }))?.user_ids, [], 'a claim proves nothing');
  await asServer('/v1/track', { userId, event: 'Server Told' });
  await asServer('/v1/track', { anonymousId: proved, event: 'Before' });
  await asServer('/v1/identify', { anonymousId: proved, userId, traits: { plan: 'gold' } });
  const profile = await edge.api.profile({ user_id: userId });
  assert.deepEqual([...names(profile)].sort(), ['Before', 'Identified', 'Server Told'], 'claims add nothing to the person');
  assert.deepEqual([profile.anonymous_ids.includes(proved), profile.anonymous_ids.includes(claimed)], [true, false]);
  assert.deepEqual([profile.traits.plan, profile.unproved.browsers], ['gold', 2], 'and are listed');
  const visitor = Object.assign(new Visitor(edge), { anonymousId: claimed });
  const { decision } = await visitor.send([], { ask: { slots: [] } });
  assert.notEqual(decision.profile_id, edge.opaque(profile.profile_id), 'the claiming browser is shown itself');
});

test('an alias says that two names are one person', async () => {
  const [anonymousId, first, second] = [uuid(), `first-${uuid()}`, `second-${uuid()}`];
  await asServer('/v1/track', { anonymousId, event: 'Before' });
  await asServer('/v1/alias', { previousId: anonymousId, userId: first });
  assert.ok(names(await edge.api.profile({ user_id: first })).includes('Before'));
  await asServer('/v1/alias', { previousId: first, userId: second });
  const [a, b] = [await edge.api.profile({ user_id: first }), await edge.api.profile({ user_id: second })];
  assert.equal(a.profile_id, b.profile_id);
  assert.deepEqual([...b.user_ids].sort(), [first, second].sort());
});

test("a browser cannot name a server's history", async () => {
  const userId = `reserved-${uuid()}`;
  await asServer('/v1/track', { userId, event: 'Secret' });
  const { anonymous_ids: ids } = await edge.api.profile({ user_id: userId });
  const body = { source: SOURCE, anonymous_id: ids[0], events: [], ask: { slots: [] } };
  const reply = await post('/ec/e', body, { Origin: SHOP_ORIGIN, 'Content-Type': 'text/plain' });
  assert.deepEqual([reply.status, reply.body.error.path], [400, 'anonymous_id']);
  await asPage('/v1/track', { anonymousId: ids[0], event: 'Forged' });
  assert.deepEqual(names(await edge.api.profile({ user_id: userId })), ['Secret']);
});

test('times are corrected by the time of sending, and a server may speak of years ago', async () => {
  const [userId, anonymousId] = [`old-${uuid()}`, uuid()];
  const event = { type: 'track', userId, event: 'Order Completed', properties: { order_id: 'old', ...ORDER } };
  const now = Date.now();
  const at = now - 3 * 365 * DAY;
  // The client's clock is a day behind.
  const sentAt = new Date(now - DAY).toISOString();
  const batch = [{ ...event, messageId: uuid(), originalTimestamp: new Date(at - DAY).toISOString(), sentAt }];
  assert.deepEqual((await asServer('/v1/batch', { batch, sentAt })).body, { success: true });
  const [order] = (await edge.api.profile({ user_id: userId })).orders;
  assert.ok(Math.abs(order.at - at) < 10_000, String(order.at - at));
  const late = await asPage('/v1/track', { anonymousId, event: 'Late', timestamp: new Date(now - 8 * DAY).toISOString() });
  assert.deepEqual([late.status, late.body.error.code], [400, 'too_late']);
});

test('the campaign of a call is a touchpoint', async () => {
  const anonymousId = uuid();
  const context = { campaign: { name: 'spring', source: 'news', medium: 'email' }, page: { url: `${SHOP_ORIGIN}/sale` } };
  await asPage('/v1/page', { anonymousId, context });
  const profile = await edge.api.profile({ anonymous_id: anonymousId });
  assert.deepEqual(profile.touchpoints.first.utm, { source: 'news', medium: 'email', name: 'spring' });
});

test('what could not be read is kept in quarantine', async () => {
  const marker = `bad-${uuid()}`;
  await asServer('/v1/track', { userId: marker, messageId: marker });
  const kept = await until(async () => {
    const { body } = await edge.api.get('/api/quarantine?route=vendor&limit=200');
    return body.events.find((/** @type {Json} */ event) => event.subject === marker);
  });
  assert.deepEqual([kept.source, kept.code, kept.path], [SOURCE, 'invalid_field', 'event']);
  const { status, body } = await edge.api.post('/api/quarantine/replay', { ids: [kept.id] });
  assert.deepEqual([status, body.rejected.map((/** @type {Json} */ one) => [one.id, one.path])], [200, [[kept.id, 'event']]]);
});

/** How many events were refused for want of consent. */
async function unconsented() {
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  return counts.filter((/** @type {Json} */ one) => one.code === 'no_consent')
    .reduce((/** @type {number} */ sum, /** @type {Json} */ one) => sum + one.count, 0);
}

test('what a visitor did not agree to is dropped and counted, by the consent that the client tells', async () => {
  const refusals = [
    { consent: { categoryPreferences: { Advertising: true, Analytics: false, Functional: true } } },
    { consentManagement: { allowedConsentIds: ['C0001'], deniedConsentIds: ['C0002', 'C0004'], provider: 'oneTrust' } },
  ];
  for (const context of refusals) {
    const [anonymousId, before] = [uuid(), await unconsented()];
    const good = await asPage('/v1/track', { anonymousId, event: 'Quiz Finished', context });
    assert.deepEqual([good.status, good.body.success, good.body.rejected[0].code], [200, true, 'no_consent']);
    const bad = await asPage('/v1/track', { anonymousId, context });
    assert.deepEqual([bad.status, bad.body.rejected[0].code], [200, 'no_consent']);
    const known = await edge.api.get(`/api/profiles?anonymous_id=${anonymousId}`);
    assert.deepEqual(known.body.events ?? [], []);
    assert.equal(await unconsented(), before + 2);
    const { events } = (await edge.api.get('/api/quarantine?route=vendor&limit=200')).body;
    assert.ok(!events.some((/** @type {Json} */ { subject }) => subject === anonymousId));
  }
});

test('what a visitor agreed to is recorded, in the order in which they changed it', async () => {
  const anonymousId = uuid();
  const said = (/** @type {boolean} */ Marketing) => ({ consent: { categoryPreferences: { Analytics: true, Marketing } } });
  const call = (/** @type {string} */ event, /** @type {Json} */ context) => ({ type: 'track', anonymousId, event, context });
  const batch = [call('A', said(true)), call('B', said(true)), call('C', said(false)), call('D', {})];
  assert.deepEqual((await asPage('/v1/batch', { batch })).body, { success: true });
  const { consent, events } = await edge.api.profile({ anonymous_id: anonymousId });
  assert.deepEqual(events.map((/** @type {Json} */ { name }) => name).sort(), ['A', 'B', 'C', 'D']);
  assert.deepEqual([consent.analytics, consent.personalization, consent.marketing], [true, false, false]);
  const history = consent.history.map((/** @type {Json} */ one) => [one.marketing, one.source]);
  assert.deepEqual(history, [[true, 'banner'], [false, 'banner']]);
});

test("a browser's privacy signal limits what other clients tell, a server's request has none", async () => {
  const [page, server] = [uuid(), uuid()];
  const context = { consent: { categoryPreferences: { Analytics: true, Advertising: true } } };
  const call = { event: 'Quiz Finished', context };
  const signal = { 'Sec-GPC': '1' };
  await post('/v1/track', { ...call, anonymousId: page }, { ...signal, Authorization: basic(SOURCE), Origin: SHOP_ORIGIN });
  const limited = (await edge.api.profile({ anonymous_id: page })).consent;
  assert.deepEqual([limited.analytics, limited.marketing, limited.history[0].source], [true, false, 'gpc']);
  await post('/v1/track', { ...call, anonymousId: server }, { ...signal, Authorization: basic(edge.serverKey) });
  assert.equal((await edge.api.profile({ anonymous_id: server })).consent.marketing, true);
});

test('where the signal refuses everything nothing is kept, and a source can name its own categories', async (t) => {
  const own = { [SOURCE]: { 'cat-1': 'analytics' } };
  const strict = await Edge.start({ variables: { ENDCAP_GPC: 'analytics', ENDCAP_CONSENT_CATEGORIES: JSON.stringify(own) } });
  t.after(() => strict.stop());
  const send = async (/** @type {Json} */ call, /** @type {Record<string, string>} */ headers = {}) => {
    const all = { 'Content-Type': 'text/plain', Origin: SHOP_ORIGIN, ...headers };
    const response = await strict.fetch('/v1/t', { method: 'POST', headers: all, body: JSON.stringify({ ...call, writeKey: SOURCE }) });
    return (await response.json()).rejected?.map((/** @type {Json} */ one) => one.code) ?? [];
  };
  const anonymousId = uuid();
  assert.deepEqual(await send({ anonymousId, event: 'A' }, { 'Sec-GPC': '1' }), ['no_consent']);
  assert.deepEqual(await send({ anonymousId }, { 'Sec-GPC': '1' }), ['no_consent']);
  const denied = { consent: { categoryPreferences: { 'cat-1': false } } };
  assert.deepEqual(await send({ anonymousId, event: 'B', context: denied }), ['no_consent']);
  assert.deepEqual((await strict.api.get('/api/quarantine')).body.events, []);
  assert.deepEqual(await send({ anonymousId, event: 'C' }), []);
  assert.deepEqual(names(await strict.api.profile({ anonymous_id: anonymousId })), ['C']);
});

test('what a robot makes of a page is not counted as a visit, what a server sends is', async () => {
  const [page, server] = [uuid(), uuid()];
  const agent = { 'User-Agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' };
  const call = { event: 'Quiz Finished', writeKey: SOURCE };
  const seen = await post('/v1/t', { ...call, anonymousId: page }, { ...agent, Origin: SHOP_ORIGIN });
  assert.deepEqual([seen.status, seen.body], [200, { success: true }]);
  assert.equal((await edge.api.get(`/api/profiles?anonymous_id=${page}`)).status, 404);
  await post('/v1/t', { ...call, anonymousId: server }, agent);
  assert.deepEqual(names(await edge.api.profile({ anonymous_id: server })), ['Quiz Finished']);
});

test('clients read their settings before they start', async () => {
  const settings = await (await edge.fetch(`/v1/projects/${SOURCE}/settings`, { headers: { Origin: SHOP_ORIGIN } })).json();
  const { apiHost, protocol, apiKey } = settings.integrations['Segment.io'];
  assert.deepEqual([`${protocol}://${apiHost}`, apiKey], [`${edge.origin}/v1`, SOURCE]);
  const below = await (await edge.fetch(`/ec/v1/projects/${SOURCE}/settings`)).json();
  assert.equal(below.integrations['Segment.io'].apiHost, `${edge.origin.replace('http://', '')}/ec/v1`);
  assert.equal((await edge.fetch('/v1/projects/stranger/settings')).status, 401);
  assert.equal((await edge.fetch(`/v1/projects/%${SOURCE.charCodeAt(0).toString(16)}${SOURCE.slice(1)}/settings`)).status, 200);
  assert.equal((await edge.fetch('/v1/projects/%ff/settings')).status, 400);
  const config = await (await edge.fetch(`/sourceConfig/?p=npm&v=3.0.0&writeKey=${SOURCE}`)).json();
  assert.deepEqual([config.source.id, config.source.enabled, config.source.destinations], [SOURCE, true, []]);
});
