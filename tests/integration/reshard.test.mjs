/**
 * A shop wants more shards, or fewer: buckets move while visitors come, log in and leave carts behind. Nothing is lost,
 * nothing is counted twice, and nobody has to wait for long.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { bucketOf } from '../harness/ids.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

/** @param {import('node:test').TestContext} t @param {string} shards */
async function edgeOf(t, shards) {
  const edge = await Edge.start({ variables: { ENDCAP_SHARDS: shards } });
  t.after(() => edge.stop());
  await edge.api.set('/api/settings', { identity: { merges_per_hour: 10_000 } });
  return edge;
}

/** Sends a batch as the SDK does: until it is answered. @param {Visitor} visitor @param {Json[]} events */
async function deliver(visitor, events) {
  const batch = JSON.stringify(visitor.batch(events));
  const answer = await until(
    async () => {
      const { status, body } = await visitor.post(batch).catch(() => ({ status: 0, body: undefined }));
      return status === 200 ? body : undefined;
    },
    { what: 'the batch is answered', within: 60_000 },
  );
  assert.deepEqual(answer.rejected, []);
  return [...answer.accepted, ...answer.duplicate];
}

/** A visitor whose bucket leaves the first shard when a second comes. @param {Edge} edge */
function mover(edge) {
  for (;;) {
    const visitor = new Visitor(edge);
    if (bucketOf(visitor.anonymousId) >= 512) return visitor;
  }
}

/**
 * Visitors who come all the time, some of whom log in as one of a few people.
 *
 * @param {Edge} edge
 */
function traffic(edge) {
  /** @type {Map<string, Set<string>>} Messages that were acknowledged, by browser. */
  const sent = new Map();
  /** @type {Map<string, string>} */
  const users = new Map();
  let going = true;
  let slowest = 0;
  const visit = async (/** @type {number} */ lane) => {
    const visitor = new Visitor(edge);
    const kept = new Set();
    sent.set(visitor.anonymousId, kept);
    for (let n = 0; n < 4; n += 1) {
      const start = performance.now();
      const events = [visitor.product('Viewed', `p-${n}`), visitor.product('Added', `p-${n}`)];
      if (n === 2 && lane % 2) {
        const user = `user-${sent.size % 20}`;
        users.set(visitor.anonymousId, user);
        events.push(visitor.identify(user, {}, edge.proof(user)));
      }
      for (const id of await deliver(visitor, events)) kept.add(id);
      slowest = Math.max(slowest, performance.now() - start);
    }
  };
  const lane = async (/** @type {number} */ number) => {
    while (going) await visit(number);
  };
  const lanes = Promise.all([0, 1, 2, 3].map(lane));
  lanes.catch(() => {});
  return {
    sent,
    users,
    async stop() {
      going = false;
      await lanes;
      return slowest;
    },
  };
}

/** @param {Edge} edge @param {number} shards Waits until so many shards hold all buckets. */
async function settled(edge, shards) {
  const { body } = await until(
    async () => {
      const answer = await edge.api.get('/api/shards').catch(() => undefined);
      return answer?.status === 200 && answer.body.wanted === shards && answer.body.remaining === 0 ? answer : undefined;
    },
    { what: `all buckets are on ${shards} shards`, within: 120_000, every: 100 },
  );
  return body;
}

/** Every acknowledged event is in exactly one profile. @param {Edge} edge @param {ReturnType<typeof traffic>} visitors */
async function allThere(edge, { sent, users }) {
  const profiles = new Map();
  await until(
    async () => {
      await edge.passTime(Date.now());
      profiles.clear();
      for (const id of sent.keys()) {
        const profile = await edge.api.profile({ anonymous_id: id });
        profiles.set(profile.profile_id, profile);
      }
      const counted = [...profiles.values()].reduce((sum, { counters }) => sum + counters.events, 0);
      return counted === [...sent.values()].reduce((sum, kept) => sum + kept.size, 0) || undefined;
    },
    { what: 'every event is counted once', within: 30_000, every: 500 },
  );
  for (const user of new Set(users.values())) {
    const expected = [...users].filter(([, other]) => other === user).map(([id]) => id);
    assert.deepEqual((await edge.api.profile({ user_id: user })).anonymous_ids.sort(), expected.sort(), user);
  }
  const events = new Map();
  for (const [id] of profiles) {
    for (const event of await eventsOf(edge, id)) events.set(event, (events.get(event) ?? 0) + 1);
  }
  const all = [...sent.values()].flatMap((kept) => [...kept]);
  assert.equal(events.size, all.length);
  assert.ok(all.every((message) => events.get(message) === 1), 'every event is stored once');
}

/** The message IDs of all stored events. @param {Edge} edge @param {string} profile @returns {Promise<string[]>} */
async function eventsOf(edge, profile, cursor = '') {
  const { body } = await edge.api.get(`/api/profiles/${profile}/events?limit=200${cursor && `&cursor=${cursor}`}`);
  const page = body.events.map((/** @type {Json} */ { event }) => event.message_id);
  return body.cursor ? [...page, ...(await eventsOf(edge, profile, body.cursor))] : page;
}

test('shards are split and joined again while visitors come', { timeout: 300_000 }, async (t) => {
  const edge = await edgeOf(t, '4');
  const before = new Visitor(edge);
  await before.send([before.product('Viewed', 'old', { category: 'shoes' }), before.product('Added', 'old')]);
  const earlier = await edge.api.profile({ anonymous_id: before.anonymousId });
  const visitors = traffic(edge);
  await until(() => (visitors.sent.size > 20 ? true : undefined), { what: 'visitors came', within: 30_000 });

  const asked = await edge.api.put('/api/shards', { shards: 5 });
  assert.deepEqual([asked.status, asked.body.wanted, asked.body.remaining], [200, 5, 204]);
  assert.deepEqual((await settled(edge, 5)).buckets, [205, 205, 205, 205, 204]);
  await edge.api.set('/api/shards', { shards: 4 });
  assert.deepEqual((await settled(edge, 4)).buckets, [256, 256, 256, 256, 0]);

  const slowest = await visitors.stop();
  t.diagnostic(`${visitors.sent.size} visitors meanwhile, the slowest answer took ${Math.round(slowest)} ms`);
  await allThere(edge, visitors);
  assert.deepEqual(await edge.api.profile({ anonymous_id: before.anonymousId }), earlier, 'moving changes nothing');

  await edge.restart();
  assert.deepEqual(await edge.api.profile({ anonymous_id: before.anonymousId }), earlier);
  const { body } = await before.post(before.batch([before.product('Viewed', 'new')]));
  assert.equal(body.accepted.length, 1);
});

test('killed in the middle of a move, it goes on where it was', { timeout: 300_000 }, async (t) => {
  const edge = await edgeOf(t, '6');
  const visitors = traffic(edge);
  await until(() => (visitors.sent.size > 10 ? true : undefined), { what: 'visitors came', within: 30_000 });
  await edge.api.set('/api/shards', { shards: 7 });
  for (let kill = 0; kill < 8; kill += 1) {
    const { body } = await edge.api.get('/api/shards');
    if (body.remaining === 0) break;
    await until(
      async () => (await edge.api.get('/api/shards')).body.remaining < body.remaining || undefined,
      { what: 'a bucket moved', within: 30_000, every: 5 },
    );
    await edge.crash();
  }
  await settled(edge, 7);
  await visitors.stop();
  await allThere(edge, visitors);
});

test('timers, push subscriptions and duplicates move along, and who is erased stays erased', async (t) => {
  const edge = await edgeOf(t, '1');
  const [buyer, gone] = [mover(edge), mover(edge)];
  const batch = buyer.batch([buyer.order('o-1', [{ product_id: 'p' }]), buyer.product('Added', 'q')]);
  await buyer.post(batch);
  await gone.send([gone.track('Here')]);
  assert.equal((await edge.api.delete(`/api/profiles?anonymous_id=${gone.anonymousId}`)).status, 200);
  await edge.api.set('/api/shards', { shards: 2 });
  await settled(edge, 2);

  assert.equal((await buyer.post(batch)).body.duplicate.length, 2);
  const { body } = await gone.post(gone.batch([gone.track('Late')]));
  assert.equal(body.rejected[0].code, 'erased');
  const later = Date.now() + 400 * 86_400_000;
  assert.ok((await edge.passTime(later)).ran > 0, 'timers are there');
  const { stage } = await edge.api.profile({ anonymous_id: buyer.anonymousId });
  assert.notEqual(stage.current, 'new');
  assert.equal((await edge.api.delete(`/api/profiles?anonymous_id=${buyer.anonymousId}`)).status, 200);
  const tables = await (await edge.fetch('/ec/dev/tables')).text();
  assert.ok(!tables.includes(buyer.anonymousId), 'nothing is left in any shard');
});

test('refused events are found and taken in again after their bucket moved', async (t) => {
  const edge = await edgeOf(t, '1');
  const visitor = mover(edge);
  await visitor.post(visitor.batch([visitor.track('Order Completed', { coupon: 'x' })]));
  await edge.api.set('/api/shards', { shards: 2 });
  await settled(edge, 2);
  const { body: list } = await edge.api.get('/api/quarantine');
  assert.equal(list.events.length, 1);
  const [{ id }] = list.events;
  assert.equal((await edge.api.get(`/api/quarantine/${id}`)).status, 200);
  const patch = { properties: { order_id: 'o-1' } };
  const { body: replayed } = await edge.api.post('/api/quarantine/replay', { ids: [id], patch });
  assert.deepEqual(replayed.accepted, [id]);
  assert.equal((await edge.api.get('/api/quarantine')).body.events.length, 0);
  assert.equal((await edge.api.profile({ anonymous_id: visitor.anonymousId })).orders.length, 1);
});

test('a number of shards that cannot be is refused', async (t) => {
  const edge = await edgeOf(t, '2');
  for (const value of [{ shards: 0 }, { shards: 1025 }, { shards: 'many' }, {}, { shards: 2, more: 1 }]) {
    const { status, body } = await edge.api.put('/api/shards', value);
    assert.equal(status, 400, JSON.stringify(value));
    assert.ok(body.error.code === 'invalid_field' || body.error.code === 'invalid_json', JSON.stringify(body));
  }
  assert.equal((await edge.api.post('/api/shards', { shards: 4 })).status, 405);
  assert.equal((await edge.api.with().get('/api/shards')).status, 401);
  assert.equal((await edge.api.get('/api/shards')).body.shards, 2);
});
