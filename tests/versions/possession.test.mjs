/**
 * An upgrade, a roll-back and an upgrade again, on the same data. `ENDCAP_TEST_BEFORE` names the folder of the other version's
 * worker: `target/edge` of a clone at that commit, after `cargo xtask build edge`. CONTRIBUTING says when to run it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUILT, Edge } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

const BEFORE = process.env.ENDCAP_TEST_BEFORE ?? '';

/** Whether the edge takes a stranger for a browser who only knows its name. @param {Edge} edge @param {Visitor} visitor */
async function takesStranger(edge, visitor) {
  const stranger = new Visitor(edge);
  stranger.anonymousId = visitor.anonymousId;
  const { body } = await stranger.post(stranger.batch([], { ask: { slots: [] } }));
  return Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste');
}

test('visitors of the version before go on through an upgrade, a roll-back and an upgrade again', async (t) => {
  const edge = await Edge.start({ worker: BEFORE, variables: { ENDCAP_IN_FLIGHT_MS: '0' } });
  t.after(() => edge.stop());
  const visitors = Array.from({ length: 8 }, () => new Visitor(edge));
  const users = visitors.map((_, n) => `user-${n % 4}`);
  const view = (/** @type {Visitor} */ visitor, /** @type {string} */ what) =>
    visitor.send([visitor.product('Viewed', what, { category: 'private-taste' })]);
  for (const [n, visitor] of visitors.entries()) {
    await view(visitor, 'before');
    // Half of them log in, two browsers for each person.
    if (n % 4 < 2) await visitor.send([visitor.identify(users[n], {}, edge.proof(users[n]))]);
  }
  assert.ok(visitors.every(({ cookies }) => cookies.has('ec_r') && !cookies.has('ec_t')));
  const names = new Map();
  for (const visitor of visitors) names.set(visitor, (await edge.api.profile({ anonymous_id: visitor.anonymousId })).profile_id);

  for (const [round, worker] of [BUILT, BEFORE, BUILT].entries()) {
    await edge.restart({}, worker);
    for (const visitor of visitors) {
      const { decision } = await visitor.send([visitor.track(`Round ${round}`)], { ask: { slots: [] } });
      assert.equal(decision.profile_id, edge.opaque(names.get(visitor)), `round ${round}`);
      await visitor.send([visitor.track(`Round ${round}, again`)]);
    }
    if (worker !== BUILT) continue;
    for (const visitor of visitors) assert.equal(await takesStranger(edge, visitor), false, `round ${round}`);
  }
  for (const visitor of visitors) {
    const { events } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
    for (const name of [0, 1, 2].flatMap((round) => [`Round ${round}`, `Round ${round}, again`])) {
      assert.ok(events.some((/** @type {{name: string}} */ one) => one.name === name), name);
    }
  }
});
