/** What a deployment can configure, and what a real one keeps closed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} variables
 */
async function edgeWith(t, variables) {
  const edge = await Edge.start({ variables });
  t.after(() => edge.stop());
  return edge;
}

test('the routes of local development exist nowhere else', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_DEV: '' });
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('X')]);
  /** @type {[string, string, object?][]} */
  const routes = [
    ['GET', `/ec/dev/profile?anonymous_id=${visitor.anonymousId}`],
    ['POST', '/ec/dev/proof', { user_id: 'somebody' }],
    ['POST', '/ec/dev/timers', { now: Date.now() }],
    ['GET', '/ec/dev/sent'],
    ['GET', '/ec/dev/rows'],
    ['GET', '/ec/dev/tables'],
    ['GET', '/ec/dev/table-rules'],
    ['POST', '/ec/dev/row-format', { profile_id: visitor.anonymousId, format: 99 }],
    ['POST', '/ec/dev/old-timers', {}],
    ['POST', '/ec/dev/join-by-claim', { fragment: visitor.anonymousId, profile_id: visitor.anonymousId }],
  ];
  for (const [method, path, body] of routes) {
    const headers = { 'Content-Type': 'application/json', Origin: SHOP_ORIGIN };
    const { status } = await edge.fetch(path, { method, headers, body: body && JSON.stringify(body) });
    assert.equal(status, 404, `${method} ${path}`);
  }
  const { body } = await visitor.post(visitor.batch([visitor.track('Y')]));
  assert.equal(body.debug, undefined);
});

test('without a key the server API is closed, also to an empty one', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_API_KEY: '' });
  for (const authorization of [undefined, 'Bearer', 'Bearer ', 'Bearer undefined']) {
    const headers = authorization === undefined ? undefined : { Authorization: authorization };
    const { status } = await edge.fetch('/api/settings', { headers });
    assert.equal(status, 401, authorization);
  }
});

test('without identity secret and push keys nothing is proved and nothing offered', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_IDENTITY_SECRET: '', ENDCAP_VAPID_PRIVATE_KEY: '' });
  const visitor = new Visitor(edge);
  const { decision } = await visitor.send([visitor.identify('a', {}, edge.proof('a'))], { ask: { slots: [] } });
  assert.equal(decision.push, null);
  assert.deepEqual((await edge.api.profile({ anonymous_id: visitor.anonymousId })).user_ids, []);
});

test('a cookie signed with the last key is good until that key is gone', async (t) => {
  const edge = await edgeWith(t, {});
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('Before')]);
  await visitor.send([visitor.identify('ada', {}, edge.proof('ada'))]);
  const { profile_id: mine } = await edge.api.profile({ user_id: 'ada' });
  const fresh = `k2:${Buffer.alloc(32, 7).toString('base64url')}`;

  const old = new Map(visitor.cookies);
  await edge.restart({ ENDCAP_SIGNING_KEYS: `${fresh},${edge.signingKey}` });
  const { decision } = await visitor.send([visitor.track('After')], { ask: { slots: [] } });
  assert.equal(decision.profile_id, edge.opaque(mine, fresh));
  const { events } = await edge.api.profile({ user_id: 'ada' });
  assert.equal(events[0].name, 'After');
  assert.match(visitor.cookies.get('ec_r') ?? '', /^1\.k2\./);

  // Nothing shows any more whose this browser is: it begins anew, with a token of the new key.
  await edge.restart({ ENDCAP_SIGNING_KEYS: fresh, ENDCAP_IN_FLIGHT_MS: '0' });
  visitor.cookies = old;
  const { status, body } = await visitor.post(visitor.batch([visitor.track('Later')]));
  assert.deepEqual([status, typeof body.anonymous_id], [200, 'string']);
  for (const name of ['ec_r', 'ec_t']) assert.match(visitor.cookies.get(name) ?? '', /^1\.k2\./);
});

test('the cookie that names the profile lives on with each page view', async (t) => {
  const edge = await edgeWith(t, {});
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('First')]);
  const held = visitor.cookies.get('ec_r');
  const renewed = async (/** @type {object} */ event) => {
    const { headers } = await visitor.post(visitor.batch([event]));
    return headers.getSetCookie().filter((line) => line.startsWith('ec_r='));
  };
  assert.deepEqual(await renewed(visitor.track('X')), []);
  const [line, ...others] = await renewed(visitor.page(`${SHOP_ORIGIN}/`));
  assert.deepEqual(others, []);
  assert.match(line, /; HttpOnly; Path=\/; Max-Age=34560000; SameSite=Lax/);
  assert.equal(visitor.cookies.get('ec_r'), held);
});

test('profiles, configuration and duplicates outlive a deployment', async (t) => {
  const edge = await edgeWith(t, {});
  const visitor = new Visitor(edge);
  const batch = visitor.batch([visitor.product('Viewed', 'kept', { category: 'shoes' })]);
  await visitor.post(batch);
  await edge.api.set('/api/settings', { currency: 'CHF' });
  const before = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  await edge.restart();
  assert.deepEqual(await edge.api.profile({ anonymous_id: visitor.anonymousId }), before);
  assert.equal((await edge.api.get('/api/settings')).body.currency, 'CHF');
  assert.equal((await visitor.post(batch)).body.duplicate.length, 1);
});

test('the prefix of the browser routes can be chosen', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_PREFIX: '/shop-assets' });
  const visitor = new Visitor(edge);
  visitor.prefix = '/shop-assets';
  await visitor.send([visitor.track('X')]);
  assert.equal((await edge.fetch('/shop-assets/core.js')).status, 200);
  visitor.prefix = '/ec';
  assert.notEqual((await visitor.post(visitor.batch([visitor.track('X')]))).status, 200);
});

test('a page of another host name may send where its origin is a source\'s, with cookies', async (t) => {
  const edge = await edgeWith(t, {});
  const preflight = (/** @type {string} */ origin) =>
    edge.fetch('/ec/e', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' },
    });
  const allowed = await preflight(SHOP_ORIGIN);
  assert.ok(allowed.ok);
  assert.equal(allowed.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true');
  assert.equal((await preflight('https://evil.example')).status, 403);
  const visitor = new Visitor(edge);
  const { headers } = await visitor.post(visitor.batch([visitor.track('X')]));
  assert.equal(headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  assert.equal(headers.get('access-control-allow-credentials'), 'true');
});

test('one shard or many: the same answers', async (t) => {
  for (const shards of ['1', '64']) {
    const edge = await edgeWith(t, { ENDCAP_SHARDS: shards });
    const [first, second] = [new Visitor(edge), new Visitor(edge)];
    for (const [index, device] of [first, second].entries()) {
      await device.send([device.product('Viewed', `p-${index}`), device.identify('u', {}, edge.proof('u'))]);
    }
    const { products_viewed: viewed } = await edge.api.profile({ user_id: 'u' });
    assert.deepEqual(new Set(viewed), new Set(['p-0', 'p-1']), `${shards} shards`);
  }
});

test('a deployment that looks for its data elsewhere is refused, and loses nothing', async (t) => {
  const edge = await edgeWith(t, {});
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('Before')]);
  await edge.restart({ ENDCAP_JURISDICTION: 'eu' });
  const call = { method: 'POST', headers: { 'Content-Type': 'text/plain' } };
  const answers = [
    await edge.fetch('/healthz'),
    await edge.fetch('/ec/e', { ...call, body: JSON.stringify(visitor.batch([visitor.track('Lost')])) }),
    await edge.fetch('/v1/t', { ...call, body: JSON.stringify({ event: 'Lost', anonymousId: visitor.anonymousId, writeKey: SOURCE }) }),
  ];
  for (const answer of answers) {
    const { error } = await answer.json();
    assert.deepEqual([answer.status, error.code], [503, 'wrong_layout'], answer.url);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assert.ok(error.message.includes('written with ENDCAP_JURISDICTION=none'), error.message);
  }
  for (const path of ['/api/settings', `/api/profiles?anonymous_id=${visitor.anonymousId}`, '/api/quarantine']) {
    assert.equal((await edge.api.get(path)).body.error?.code, 'wrong_layout', path);
  }
  assert.equal((await edge.fetch('/ec/endcap.js')).status, 200, 'files are served');
  await edge.restart({ ENDCAP_JURISDICTION: '' });
  await visitor.send([visitor.track('After')]);
  const { events } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.deepEqual(events.map((/** @type {any} */ { name }) => name).sort(), ['After', 'Before']);
});

test('the identity graph lies in as many objects as data began with', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_GRAPH_PARTITIONS: '4' });
  const users = Array.from({ length: 12 }, (_, n) => `user-${n}`);
  for (const user of [...users, ...users]) {
    const device = new Visitor(edge);
    await device.send([device.product('Viewed', user), device.identify(user, {}, edge.proof(user))]);
  }
  for (const user of users) {
    assert.equal((await edge.api.profile({ user_id: user })).anonymous_ids.length, 2, user);
  }
  const objects = await (await edge.fetch('/ec/dev/tables')).json();
  const parts = objects.filter((/** @type {any} */ { seat }) => seat?.length > 0);
  assert.ok(parts.length > 1, 'seats lie in several objects');
  assert.ok(parts.every((/** @type {any} */ { mark }) => mark.length === 0), 'nothing is left to do');
  await edge.restart({ ENDCAP_GRAPH_PARTITIONS: '2' });
  const { error } = await (await edge.fetch('/healthz')).json();
  assert.equal(error.code, 'wrong_layout');
  assert.ok(error.message.includes('written with ENDCAP_JURISDICTION=none, ENDCAP_GRAPH_PARTITIONS=4'), error.message);
});

test('the number of shards that data began with stays, whatever is set later', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_SHARDS: '4' });
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('Before')]);
  for (const shards of ['1', '32']) {
    await edge.restart({ ENDCAP_SHARDS: shards });
    const { body } = await edge.api.get('/api/shards');
    assert.deepEqual([body.shards, body.remaining], [4, 0]);
    await visitor.send([visitor.track(`With ${shards}`)]);
  }
  assert.equal((await edge.api.profile({ anonymous_id: visitor.anonymousId })).counters.events, 3);
});
