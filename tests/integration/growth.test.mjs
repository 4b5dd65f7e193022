/**
 * A deployment without `ENDCAP_SHARDS`: a shard that is filled past its limit gets company by itself, while visitors come.
 * Nothing is lost or doubled, nobody waits long, and nothing moves back.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** A request that waits longer for a bucket is refused, in milliseconds. On a quiet machine the slowest takes a tenth of a second. */
const PATIENCE = 4000;
/** Fills a shard soon: the log keeps what events said, and cannot make this shorter. */
const long = () => randomBytes(17_000).toString('base64');

/** @param {import('node:test').TestContext} t @param {Record<string, string>} variables */
async function edgeWith(t, variables) {
  const edge = await Edge.start({ variables: { ENDCAP_SHARDS: '', ...variables } });
  t.after(() => edge.stop());
  return edge;
}

/** @param {Edge} edge */
const shards = async (edge) => (await edge.api.get('/api/shards')).body;

/**
 * Visitors who come all the time; what was acknowledged, and how long each answer took.
 *
 * @param {Edge} edge
 */
function traffic(edge) {
  /** @type {Map<string, Set<string>>} */
  const sent = new Map();
  /** @type {number[]} */
  const waits = [];
  let going = true;
  let name = long;
  const visit = async () => {
    const visitor = new Visitor(edge);
    const kept = new Set();
    sent.set(visitor.anonymousId, kept);
    for (let n = 0; n < 4 && going; n += 1) {
      const start = performance.now();
      const { status, body } = await visitor.post(visitor.batch([visitor.track('Page Read', { name: name() })]));
      waits.push(performance.now() - start);
      assert.equal(status, 200, JSON.stringify(body));
      // A request that one shard handed to another may have been tried twice: it counts once, and says duplicate.
      for (const id of [...body.accepted, ...body.duplicate]) kept.add(id);
    }
  };
  const lane = async () => {
    while (going) await visit();
  };
  const lanes = Promise.all([lane(), lane()]);
  lanes.catch(() => {});
  return {
    sent,
    waits,
    /** From now on visitors hardly fill the shard. */
    sayLess() {
      name = () => 'short';
    },
    async stop() {
      going = false;
      await lanes;
    },
  };
}

test('a full shard gives half of its buckets to a new one, and none comes back', { timeout: 180_000 }, async (t) => {
  const edge = await edgeWith(t, { ENDCAP_SHARD_MEGABYTES: '48', ENDCAP_SHARD_BATCHES: '1000000' });
  const first = await shards(edge);
  assert.deepEqual([first.sharding, first.shards, first.limits.bytes], ['automatic', 1, 48_000_000]);
  const visitors = traffic(edge);
  /** @type {number[]} Buckets of the first shard, each time it was asked. */
  const held = [];
  const grown = await until(
    async () => {
      const now = await shards(edge);
      held.push(now.buckets[0]);
      if (now.wanted > 1) visitors.sayLess();
      return now.wanted === 2 && now.remaining === 0 && now;
    },
    { what: 'a second shard has its half', within: 120_000, every: 50 },
  );
  await visitors.stop();
  assert.deepEqual(grown.buckets, [512, 512]);
  assert.ok(held.every((count, at) => at === 0 || count <= held[at - 1]), 'no bucket came back');
  const { cause } = grown.last_growth;
  assert.ok(cause.shard === 0 && cause.bytes >= 48_000_000, JSON.stringify(cause));
  const slowest = Math.max(...visitors.waits);
  t.diagnostic(`${visitors.waits.length} answers meanwhile, the slowest took ${Math.round(slowest)} ms`);
  assert.ok(slowest <= PATIENCE, `somebody waited ${Math.round(slowest)} ms`);

  // Its log stays until it ages, so the first shard is as full as before: that alone moves nothing.
  await edge.passTime(Date.now());
  const after = await shards(edge);
  assert.deepEqual([after.wanted, after.buckets, after.last_growth], [2, grown.buckets, grown.last_growth]);
  for (const [id, kept] of visitors.sent) {
    if (kept.size) assert.equal((await edge.api.profile({ anonymous_id: id })).counters.events, kept.size);
  }
  const { shards: health, sharding } = (await edge.api.get('/api/health')).body;
  assert.equal(health.length, 2);
  assert.deepEqual([sharding.sharding, sharding.last_growth], ['automatic', grown.last_growth]);
});

test('a busy shard gets company too, and a number of shards that is set stays', { timeout: 120_000 }, async (t) => {
  const busy = await edgeWith(t, { ENDCAP_SHARD_BATCHES: '60' });
  const fixed = await edgeWith(t, { ENDCAP_SHARD_BATCHES: '60', ENDCAP_SHARDS: '1' });
  const lanes = [traffic(busy), traffic(fixed)];
  const grown = await until(async () => (await shards(busy)).wanted === 2 && shards(busy), { what: 'company', within: 60_000 });
  assert.ok(grown.last_growth.cause.batches_per_minute >= 60);
  await Promise.all(lanes.map((lane) => lane.stop()));
  assert.ok(lanes[1].waits.length > 0);
  assert.deepEqual(await shards(fixed).then(({ wanted, sharding, last_growth }) => [wanted, sharding, last_growth]), [1, 'fixed', null]);
});
