/**
 * Scores of customers, from orders that come to the edge to what is said of a person: the models that the worker fits are those
 * that `cargo xtask eval` fits to the same orders, and a fit goes on after the runtime is killed.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { TARGET } from '../harness/paths.mjs';
import { until } from '../harness/until.mjs';

const DAY = 86_400_000;
const CUSTOMERS = 600;
/** Calls of one request. */
const CALLS = 100;
const XTASK = process.env.XTASK ?? `${TARGET}/debug/xtask`;

/** @typedef {{customer: string, at: number, amount: number, id: string}} Order */

/** Numbers between 0 and 1 from a seed (mulberry32). @param {number} seed */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A shop of customers with rhythms of their own, of whom some are lost. @returns {Order[]} */
function orders() {
  const random = numbers(4);
  const noon = Math.floor(Date.now() / DAY) * DAY - DAY / 2;
  /** @type {Order[]} */
  const all = [];
  for (let n = 0; n < CUSTOMERS; n += 1) {
    const [pace, spends] = [4 + 60 * random(), 1500 + 6000 * random()];
    for (let ago = 100 + 200 * random(); ago >= 1; ago -= pace * (0.3 + 1.4 * random())) {
      const at = noon - Math.floor(ago) * DAY;
      all.push({ customer: `c-${n}`, at, amount: Math.round(spends * (0.5 + random())), id: `o-${all.length}` });
      if (random() < 0.12) break;
    }
  }
  return all;
}

/** @type {Edge} */
let edge;
/** @type {Order[]} */
let all;
before(async () => {
  edge = await Edge.start();
  all = orders();
  for (let from = 0; from < all.length; from += CALLS) {
    const batch = all.slice(from, from + CALLS).map(({ customer, at, amount, id }) => ({
      type: 'track',
      userId: customer,
      event: 'Order Completed',
      timestamp: new Date(at).toISOString(),
      messageId: `m-${id}`,
      properties: { order_id: id, currency: 'EUR', revenue: amount / 100 },
    }));
    const response = await edge.serverCall('batch', { batch });
    assert.equal(response.status, 200, await response.clone().text());
  }
});
after(() => edge.stop());

/** How the scores are. @returns {Promise<any>} */
const scores = async () => (await edge.api.get('/api/scores')).body;

/** Has the scores fitted. */
async function fit() {
  const before = (await scores()).fitted_at;
  const answer = await edge.api.post('/api/scores/fit', {});
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return until(async () => {
    const now = await scores();
    return now.fit === null && now.fitted_at !== before && now;
  }, { what: 'the scores are fitted', within: 60_000 });
}

/** What `cargo xtask eval` finds in the same orders. */
function evaluated() {
  const folder = mkdtempSync(join(tmpdir(), 'endcap-scores-'));
  const file = join(folder, 'orders.csv');
  const lines = all.map(({ customer, at, amount, id }) => `${customer},${new Date(at).toISOString()},${(amount / 100).toFixed(2)},${id}`);
  writeFileSync(file, ['customer_id,date,amount,order_id', ...lines, ''].join('\n'));
  const yesterday = new Date(Date.now() - DAY).toISOString().slice(0, 10);
  const said = execFileSync(XTASK, ['eval', 'score', '--transactions', file, '--split', yesterday, '--json']);
  rmSync(folder, { recursive: true });
  return JSON.parse(String(said));
}

test('before the first fit a customer has what is assumed of a new shop', async () => {
  const found = await scores();
  assert.deepEqual([found.fitted_at, found.customers, found.gamma_gamma, found.purchase.speaks], [null, 0, null, false]);
  const person = await edge.api.profile({ user_id: 'c-1' });
  assert.deepEqual([person.scores.fitted_at, person.scores.purchase, person.scores.rfm], [null, null, null]);
  assert.ok(person.scores.alive > 0 && person.scores.expected_orders > 0, JSON.stringify(person.scores));
});

test('the worker fits what the build tool fits, to the last bit, and goes on after a kill', { timeout: 180_000 }, async () => {
  const expected = evaluated();
  const answer = await edge.api.post('/api/scores/fit', {});
  assert.equal(answer.status, 200);
  // Killed while it collects, and again while it fits.
  const seen = new Set();
  await until(async () => {
    const { fit } = await scores();
    if (!fit || fit.collected === 0 || seen.has(fit.phase)) return !fit;
    seen.add(fit.phase);
    await edge.crash();
    return false;
  }, { what: 'the scores are fitted', within: 90_000, every: 1 });
  assert.ok(seen.size > 0, 'it was killed in the middle');
  const found = await scores();
  assert.ok(found.fitted_at > 0);
  assert.equal(found.customers, expected.customers);
  const { evaluations, ...bg_nbd } = expected.bg_nbd;
  assert.deepEqual([found.bg_nbd, evaluations > 100], [bg_nbd, true]);
  assert.deepEqual([found.gamma_gamma.p, found.gamma_gamma.q, found.gamma_gamma.v_minor / 100], [expected.gamma_gamma.p, expected.gamma_gamma.q, expected.gamma_gamma.v]);
  assert.deepEqual([found.gamma_gamma.customers, found.failed_runs], [expected.gamma_gamma.customers, 0]);
});

test('a person has scores that follow from the models, and say since when', async () => {
  const { fitted_at } = await fit();
  const late = all.toSorted((one, other) => other.at - one.at)[0].customer;
  const gone = all.filter(({ customer }) => all.filter((order) => order.customer === customer).length === 1).toSorted((one, other) => one.at - other.at)[0].customer;
  const [here, away] = await until(async () => {
    const both = await Promise.all([late, gone].map(async (user_id) => (await edge.api.profile({ user_id })).scores));
    return both.every((one) => one.fitted_at === fitted_at) && both;
  }, { what: 'the shards have the models', within: 30_000 });
  assert.ok(here.churn.risk < away.churn.risk, JSON.stringify([here, away]));
  assert.deepEqual([here.rfm.recency, away.rfm.recency], [5, 1]);
  assert.ok(here.lifetime_value_minor > 0 && here.expected_order_minor > 0);
  assert.equal(here.churn.days, 90);
  assert.equal((await edge.api.profile({ user_id: 'c-2' })).scores.fitted_at, fitted_at);
});

test('the span of churn is a setting', async () => {
  await edge.api.set('/api/settings', { scores: { churn_days: 30 } });
  assert.equal((await fit()).churn_days, 30);
  const { status, body } = await edge.api.put('/api/settings', { scores: { churn_days: 3 } });
  assert.deepEqual([status, body.error.path], [400, 'scores.churn_days']);
});

test('who has not bought has no scores', async () => {
  const response = await edge.serverCall('track', { userId: 'looker', event: 'Product Viewed', properties: { product_id: 'p' } });
  assert.equal(response.status, 200);
  assert.equal((await edge.api.profile({ user_id: 'looker' })).scores, null);
});
