/**
 * The runtime is killed again and again while people log in, log out and are merged: nobody's events are lost, counted
 * twice, or end up with somebody else.
 *
 * Senders do what the SDK does: a batch is kept until it is answered, and sent again after a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const KILLS = 50;
/** A kill comes within so many milliseconds after the logins of a round were sent. */
const WITHIN_MS = 60;
const USERS = ['ann', 'bob', 'cyd', 'dan', 'eve'];

/** @typedef {Record<string, any>} Json */

/** Numbers from a seed, so that a failure can be run again (mulberry32). @param {number} seed */
function numbers(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

test(`over ${KILLS} kills during merges every event is in exactly one profile`, { timeout: 600_000 }, async (t) => {
  const seed = Number(process.env.ENDCAP_KILLS_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`ENDCAP_KILLS_SEED=${seed}`);
  const below = numbers(seed);
  const edge = await Edge.start();
  t.after(() => edge.stop());
  // So many logins within minutes would be held for review.
  await edge.api.set('/api/settings', { identity: { merges_per_hour: 10_000 } });

  /** What the edge acknowledged, by message ID, with whose it has to be. @type {Map<string, string>} */
  const accepted = new Map();
  /** Every browser that there was. @type {Visitor[]} */
  const browsers = [];
  let retries = 0;

  /** Sends a batch until it is answered. @param {Visitor} visitor @param {Json[]} events @param {string} user */
  async function deliver(visitor, events, user) {
    const batch = JSON.stringify(visitor.batch(events));
    const answer = await until(
      async () => {
        const { status, body } = await visitor.post(batch).catch(() => ({ status: 0, body: undefined }));
        if (status === 200) return body;
        retries += 1;
        return undefined;
      },
      { what: 'the batch is answered', within: 60_000 },
    );
    assert.deepEqual(answer.rejected, []);
    for (const id of [...answer.accepted, ...answer.duplicate]) accepted.set(id, user);
    assert.equal(answer.accepted.length + answer.duplicate.length, events.length);
  }

  /** Somebody comes on a new browser, looks around and logs in; sometimes the next person follows on it. */
  async function visit() {
    const visitor = new Visitor(edge);
    browsers.push(visitor);
    const user = USERS[below(USERS.length)];
    await deliver(visitor, [visitor.product('Viewed', `of-${user}`)], user);
    const login = visitor.identify(user, {}, edge.proof(user));
    await deliver(visitor, [login, visitor.product('Viewed', `of-${user}`)], user);
    if (below(3) === 0) {
      const next = USERS[below(USERS.length)];
      await deliver(visitor, [visitor.identify(next, {}, edge.proof(next))], next);
      await deliver(visitor, [visitor.product('Viewed', `of-${next}`)], next);
    }
    if (below(4) === 0) visitor.cookies.delete('ec_r');
    await deliver(visitor, [visitor.track('Left')], user);
  }

  for (let kill = 0; kill < KILLS; kill += 1) {
    const visits = Promise.all(Array.from({ length: 3 }, visit));
    visits.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, below(WITHIN_MS)));
    await edge.crash();
    await visits;
  }
  t.diagnostic(`${accepted.size} events of ${browsers.length} browsers, ${retries} tries failed`);

  // What is still on its way arrives by itself: alarms of both kinds of objects go on where they were.
  let tally = '';
  const people = await until(
    async () => {
      await edge.passTime(Date.now() + 3_600_000);
      const all = await Promise.all(USERS.map((user) => edge.api.profile({ user_id: user })));
      const counted = all.reduce((sum, { counters }) => sum + counters.events, 0);
      tally = `${counted} of ${accepted.size}`;
      return counted === accepted.size ? all : undefined;
    },
    { what: "all events are counted in the people's profiles", within: 60_000, every: 250 },
  ).catch((error) => assert.fail(`${tally}: ${error.message}`));
  assert.equal(new Set(people.map(({ profile_id: id }) => id)).size, USERS.length, 'nobody shares a profile');
  for (const [n, user] of USERS.entries()) {
    assert.deepEqual(people[n].user_ids, [user]);
    assert.deepEqual(people[n].products_viewed, [`of-${user}`], 'nothing of anybody else');
  }
  const seen = people.flatMap(({ anonymous_ids: ids }) => ids);
  assert.deepEqual([...new Set(seen)].sort(), browsers.map(({ anonymousId: id }) => id).sort());
});

test('a server names a browser before it was ever seen; its events follow once the browser has its ID and says the same', async (t) => {
  const edge = await Edge.start();
  t.after(() => edge.stop());
  const visitor = new Visitor(edge);
  const alias = async () => {
    assert.equal((await edge.serverCall('alias', { previousId: visitor.anonymousId, userId: 'early-bird' })).status, 200);
    return (await edge.api.profile({ user_id: 'early-bird' })).products_viewed;
  };
  assert.deepEqual(await alias(), []);
  await visitor.send([visitor.product('Viewed', 'first-look')]);
  await visitor.send([visitor.identify('early-bird')]);
  assert.deepEqual(await alias(), ['first-look']);
});
