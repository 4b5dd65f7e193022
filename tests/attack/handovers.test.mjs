/**
 * Somebody logs in as hundreds of people, in one batch or one after the other. Each would begin a history of its own, so one
 * batch may do so four times, and nobody walks through all of them.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** Changes of person that one batch may hold. */
const HANDOVERS = 4;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ variables: { ENDCAP_SHARDS: '1', ENDCAP_IN_FLIGHT_MS: '0' } });
});
after(() => edge.stop());

/** @param {string} source @param {number} count Logins of so many people, without a proof. @param {Visitor} visitor */
const logins = (visitor, source, count) => Array.from({ length: count }, (_, n) => visitor.identify(`${source}-${n}`));

test('a batch hands its browser over four times; the rest is refused, kept, and can be replayed', async () => {
  const visitor = new Visitor(edge);
  const bad = visitor.track('Order Completed', { coupon: 'x' });
  const events = [bad, ...logins(visitor, 'many', 400), visitor.track('Last')];
  const { status, body } = await visitor.post(visitor.batch(events));
  assert.equal(status, 200);
  const taken = HANDOVERS + 1;
  assert.deepEqual(body.accepted, events.slice(1, 1 + taken).map(({ message_id: id }) => id));
  const refused = body.rejected.filter((/** @type {any} */ { code }) => code === 'too_many_people');
  // A page drops from its queue what stands at these places.
  assert.deepEqual(body.rejected.map((/** @type {any} */ { index }) => index), [0, ...Array.from({ length: 401 - taken }, (_, n) => n + 1 + taken)]);
  // Of each it says where it stood and why; more of the first.
  const named = refused.map((/** @type {any} */ one) => one.message_id).filter(Boolean);
  assert.ok(named.length > 10);
  assert.deepEqual(named, events.slice(1 + taken, 1 + taken + named.length).map(({ message_id: id }) => id));
  assert.equal(refused[0].path, `events[${1 + taken}].user_id`);
  assert.match(refused[0].message, /4 changes of person.*can be replayed/);

  const { events: kept } = (await edge.api.get('/api/quarantine?code=too_many_people&limit=200')).body;
  assert.equal(kept.length, 200);
  const { body: replayed } = await edge.api.post('/api/quarantine/replay', { ids: kept.slice(0, 3).map((/** @type {any} */ { id }) => id) });
  assert.deepEqual([replayed.accepted.length, replayed.rejected], [3, []]);
});

test('what the shop’s server or a proof says of few people is taken as ever', async () => {
  const visitor = new Visitor(edge);
  const people = ['ann', 'bob', 'cy', 'dan', 'eve'];
  const body = await visitor.send(people.map((user) => visitor.identify(user, {}, edge.proof(user))));
  assert.equal(body.accepted.length, people.length);
  // Each of them begins a history of their own.
  for (const user of people) assert.equal((await edge.api.profile({ user_id: user })).events.length, 1, user);
});

/** Statements that the shard's database runs for a request, at least. @param {() => Promise<unknown>} request */
async function statements(request) {
  const count = async () => (await (await edge.fetch('/ec/dev/rows')).json()).statements;
  let least = Infinity;
  for (let n = 0; n < 5; n += 1) {
    const begun = await count();
    await request();
    least = Math.min(least, (await count()) - begun);
  }
  return least;
}

test('however many people had a browser, nobody walks through all of them', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('First')]);
  const early = new Map(visitor.cookies);
  const handOver = async (/** @type {string} */ name) => visitor.send(logins(visitor, name, HANDOVERS));
  const ask = async (/** @type {[string, string][]} */ cookies) => {
    const asking = new Visitor(edge);
    asking.anonymousId = visitor.anonymousId;
    asking.cookies = new Map(cookies);
    const { status, body } = await asking.post(asking.batch([], { ask: { slots: [], url: 'https://shop.example/' } }));
    return { status, body };
  };
  const walks = {
    'without cookies': () => ask([]),
    'with an early route': () => ask([['ec_r', /** @type {string} */ (early.get('ec_r'))], ['ec_t', /** @type {string} */ (visitor.cookies.get('ec_t'))]]),
  };
  const settled = () => until(async () => (await edge.api.get('/api/health')).body.shards[0].outbox.waiting === 0, { what: 'no job waits' });
  await handOver('few');
  await settled();
  /** @type {Record<string, number>} */
  const few = {};
  for (const [name, walk] of Object.entries(walks)) few[name] = await statements(walk);
  for (let n = 0; n < 30; n += 1) await handOver(`more-${n}`);
  await settled();
  for (const [name, walk] of Object.entries(walks)) {
    const { status, body } = await walk();
    assert.equal(status, 200, `${name}: ${JSON.stringify(body).slice(0, 300)}`);
    const many = await statements(walk);
    assert.ok(many <= few[name] + 2, `${name}: ${many} statements after 124 people, ${few[name]} after 4`);
  }
  // And the browser itself goes on where it was.
  const { accepted } = await visitor.send([visitor.track('Still here')]);
  assert.equal(accepted.length, 1);
});

test('who shared a browser with somebody who is erased goes on as somebody new', async () => {
  const [shared, phone] = [new Visitor(edge), new Visitor(edge)];
  await shared.send([shared.identify('shared-ann', {}, edge.proof('shared-ann'))]);
  await phone.send([phone.identify('shared-bob', {}, edge.proof('shared-bob'))]);
  await shared.send([shared.identify('shared-bob', {}, edge.proof('shared-bob'))]);
  const { profile_id: bob } = await edge.api.profile({ user_id: 'shared-bob' });
  await until(async () => (await edge.api.get('/api/health')).body.shards[0].outbox.waiting === 0, { what: 'no job waits' });
  assert.equal((await edge.api.delete(`/api/profiles/${bob}`)).status, 200);
  const tables = JSON.stringify(await (await edge.fetch('/ec/dev/tables')).json());
  assert.ok(!tables.includes(phone.anonymousId), 'nobody’s row names the erased person’s phone');
  // The browser is told that it was erased, with its cookies and without.
  for (const cookies of [new Map(shared.cookies), new Map()]) {
    const again = new Visitor(edge);
    again.anonymousId = shared.anonymousId;
    again.cookies = cookies;
    const { status, body } = await again.post(again.batch([again.track('Back')]));
    assert.ok(status === 400 && body.rejected[0].code === 'erased', `${status} ${JSON.stringify(body)}`);
  }
});

test('another vendor’s client speaks of five people in one request, and the shop’s server of as many as it wants', async () => {
  const call = (/** @type {number} */ n) => ({ type: 'track', event: 'X', messageId: `vendor-${n}`, anonymousId: `vendor-browser-${n}` });
  const send = (/** @type {string} */ key, /** @type {object[]} */ batch) =>
    edge.fetch('/v1/batch', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${key}:`)}` },
      body: JSON.stringify({ batch }),
    });
  const answer = await send('demo', Array.from({ length: 2500 }, (_, n) => call(n)));
  const text = await answer.text();
  assert.ok(answer.status === 200 && text.length <= 64 * 1024, `${answer.status}, ${text.length} bytes`);
  const body = JSON.parse(text);
  assert.deepEqual([body.rejected.length, body.more_rejected, body.rejected[0].index], [500, 1995, 5]);
  assert.ok(body.rejected.every((/** @type {any} */ { code }) => code === 'too_many_people'));
  assert.equal((await edge.api.profile({ anonymous_id: 'vendor-browser-4' })).events.length, 1);
  assert.equal((await edge.api.get('/api/profiles?anonymous_id=vendor-browser-5')).status, 404);
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  const counted = counts.filter((/** @type {any} */ one) => one.code === 'too_many_people');
  assert.ok(counted.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0) >= 2495, 'all are counted');

  const server = await send(edge.serverKey, Array.from({ length: 40 }, (_, n) => ({ ...call(n), messageId: `server-${n}`, userId: `server-user-${n}` })));
  assert.deepEqual([server.status, (await server.json()).rejected], [200, undefined]);
});
