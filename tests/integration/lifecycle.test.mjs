/** The NASLD stage of a profile: it moves with orders and with the passage of time, and keeps its history. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

const DAY = 86_400_000;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** @param {Visitor} visitor */
async function stageOf(visitor) {
  const { stage } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.equal(stage.history.at(-1).stage, stage.current);
  return { now: stage.current, history: stage.history.map((/** @type {any} */ entry) => entry.stage), entries: stage.history };
}

test('a visitor is a prospect, with one order New, with two Active', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('Browsing')]);
  assert.equal((await stageOf(visitor)).now, 'prospect');
  await visitor.send([visitor.order('n-1', [{ product_id: 'a' }])]);
  assert.equal((await stageOf(visitor)).now, 'new');
  await visitor.send([visitor.order('n-2', [{ product_id: 'b' }])]);
  assert.deepEqual((await stageOf(visitor)).history, ['prospect', 'new', 'active']);
  const { decision } = await visitor.send([visitor.track('X')], { ask: { slots: [] } });
  assert.equal(decision.stage, 'active');
});

test('the same order told twice under other message IDs is one order', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.order('same', [{ product_id: 'a' }]), visitor.order('same', [{ product_id: 'a' }])]);
  const { counters, stage } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.deepEqual([counters.orders, stage.current], [1, 'new']);
});

test('as time passes a customer falls asleep, is lost, and goes deep, each in its moment', async () => {
  const visitor = new Visitor(edge);
  const bought = Date.now();
  await visitor.send([visitor.order('t-1', [{ product_id: 'a' }], { timestamp: bought })]);
  /** @type {[number, string][]} With a cycle of 30 days: Sleep to 60, Lost to 180, then Deep. */
  const days = [[29, 'new'], [31, 'sleep'], [59, 'sleep'], [61, 'lost'], [179, 'lost'], [181, 'deep']];
  for (const [day, expected] of days) {
    await edge.passTime(bought + day * DAY);
    assert.equal((await stageOf(visitor)).now, expected, `day ${day}`);
  }
  const { history, entries } = await stageOf(visitor);
  assert.deepEqual(history.slice(-4), ['new', 'sleep', 'lost', 'deep']);
  const since = entries.slice(-3).map((/** @type {any} */ entry) => Math.round((entry.since - bought) / DAY));
  assert.deepEqual(since, [30, 60, 180], 'each stage began when it was due, not when the timer ran');
});

test('thresholds are settings', async () => {
  await edge.api.set('/api/settings', { lifecycle: { default_cycle_days: 10 } });
  const visitor = new Visitor(edge);
  const bought = Date.now();
  await visitor.send([visitor.order('s-1', [{ product_id: 'a' }], { timestamp: bought })]);
  await edge.passTime(bought + 11 * DAY);
  assert.equal((await stageOf(visitor)).now, 'sleep');
});
