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
const CUSTOMERS = 1200;
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
  for (let from = 0; from < all.length; from += CALLS) await order(all.slice(from, from + CALLS));
});
after(() => edge.stop());

/** How the scores are. @returns {Promise<any>} */
const scores = async () => (await edge.api.get('/api/scores')).body;

/** Has the scores fitted. @param {(fit: any) => Promise<void>} [meanwhile] What is done with each look at the fit under way. */
async function fit(meanwhile = async () => {}) {
  const before = (await scores()).fitted_at;
  const { status, body } = await edge.api.post('/api/scores/fit', {});
  assert.deepEqual([status, body.fit.phase], [200, 'collecting'], JSON.stringify(body));
  return until(async () => {
    const now = await scores();
    if (now.fit) await meanwhile(now.fit);
    return now.fitted_at !== before && now;
  }, { what: 'the scores are fitted', within: 90_000, every: 1 });
}

/** The rows of the object that fits. @returns {Promise<Record<string, unknown[][]>>} */
async function modelRows() {
  const objects = await (await edge.fetch('/ec/dev/tables')).json();
  return objects.find((/** @type {any} */ tables) => tables.score_packed?.length);
}

/** What a shop's server says of orders. @param {Order[]} orders @param {object} [more] */
async function order(orders, more = {}) {
  const batch = orders.map(({ customer, at, amount, id }) => ({
    type: 'track',
    userId: customer,
    event: 'Order Completed',
    timestamp: new Date(at).toISOString(),
    messageId: `m-${id}`,
    properties: { order_id: id, currency: 'EUR', revenue: amount / 100, ...more },
  }));
  const response = await edge.serverCall('batch', { batch });
  assert.equal(response.status, 200, await response.clone().text());
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

test('before the first fit a customer has what is assumed of a new shop, and a fit is due', async () => {
  const found = await scores();
  assert.deepEqual([found.fitted_at, found.customers, found.gamma_gamma, found.purchase.speaks], [null, 0, null, false]);
  assert.ok(found.next_fit_at > Date.now(), 'who looks has the scores fitted in time');
  const person = await edge.api.profile({ user_id: 'c-1' });
  assert.deepEqual([person.scores.fitted_at, person.scores.purchase, person.scores.rfm], [null, null, null]);
  assert.ok(person.scores.alive > 0 && person.scores.expected_orders > 0, JSON.stringify(person.scores));
});

test('the worker fits what the build tool fits, to the last bit, and goes on after kills', { timeout: 180_000 }, async () => {
  const expected = evaluated();
  // Killed once while it collects, and once while it fits.
  const seen = new Set();
  const found = await fit(async ({ phase, collected }) => {
    if (collected === 0 || seen.has(phase)) return;
    seen.add(phase);
    await edge.crash();
  });
  assert.deepEqual([...seen], ['collecting', 'fitting']);
  assert.equal(found.customers, expected.customers);
  const { evaluations, ...bg_nbd } = expected.bg_nbd;
  assert.deepEqual([found.bg_nbd, evaluations > 100], [bg_nbd, true]);
  const { p, q, v, customers, converged } = expected.gamma_gamma;
  const { v_minor, ...gamma_gamma } = found.gamma_gamma;
  assert.deepEqual([gamma_gamma, v_minor / 100], [{ p, q, customers, converged }, v]);
  assert.deepEqual([found.failed_runs, found.unreadable, found.fit], [0, 0, null]);
  const { stars, calibration_error } = found.purchase;
  assert.deepEqual(stars.map((/** @type {any} */ one) => one.stars), [5, 4, 3, 2, 1]);
  assert.ok(stars[0].observed > stars[4].observed && calibration_error < 0.2, JSON.stringify(found.purchase));
  assert.ok(found.next_fit_at > Date.now() + DAY / 2, 'the next one is due in a day');
});

test('nothing of a customer stays behind a fit', async () => {
  const { score_page, score_packed } = await modelRows();
  assert.deepEqual([score_page.length, score_packed.map(([name]) => name)], [0, ['fitted']]);
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

test('conditions ask for scores, and segments follow each fit', async () => {
  const late = all.toSorted((one, other) => other.at - one.at)[0].customer;
  const person = await edge.api.profile({ user_id: late });
  const { rfm, churn, alive, expected_orders, lifetime_value_minor } = person.scores;
  const explained = async (/** @type {string} */ condition) => {
    const { status, body } = await edge.api.post(`/api/segments/explain?user_id=${late}`, { condition });
    assert.equal(status, 200, JSON.stringify(body));
    return body.condition;
  };
  // A profile's scores are as of today, those in conditions as of the day up to which the fit counted.
  for (const [fact, value] of [['churn_risk', churn.risk * 100], ['alive', alive * 100], ['expected_orders', expected_orders], ['lifetime_value', lifetime_value_minor]]) {
    const { saw } = await explained(`${fact} >= 0`);
    assert.ok(Math.abs(saw - value) <= Math.max(1, value / 50), `${fact}: ${saw} and ${value}`);
    const holds = await Promise.all([saw - 1, saw + 1].map(async (other) => (await explained(`${fact} >= ${other}`)).holds));
    assert.deepEqual(holds, [true, false], `${fact} ${saw}`);
  }
  assert.equal((await explained(`rfm_group = ${rfm.group}`)).holds, true);
  for (const axis of ['recency', 'frequency', 'monetary']) assert.equal((await explained(`rfm_${axis} = ${rfm[axis]}`)).holds, true, axis);
  const stars = await explained('stars >= 1');
  const { purchase } = person.scores;
  assert.equal(stars.holds, Boolean(purchase), 'a score that declines to speak has no stars');
  if (purchase) assert.ok(Math.abs(stars.saw - purchase.stars) <= 1, `${stars.saw}, ${purchase.stars}`);

  const { error } = (await edge.api.put('/api/segments/wrong', { name: 'n', condition: 'rfm_group in (champion)' })).body;
  assert.match(error.message, /champions/);
  await edge.api.set('/api/segments/early', { name: 'n', condition: 'rfm_recency = 1' });
  const size = () => until(async () => {
    const { body } = await edge.api.get('/api/segments/early');
    return body.filling === null && { size: body.size };
  }, { what: 'the segment is filled', within: 30_000 });
  const before = (await size()).size;
  assert.ok(before > 100 && before < 400, `${before}`);
  const members = async () => {
    /** @type {string[]} */
    const found = [];
    for (let cursor = ''; ; ) {
      const { body } = await edge.api.get(`/api/segments/early/members?limit=200${cursor && `&cursor=${cursor}`}`);
      found.push(...body.members.flatMap((/** @type {any} */ one) => one.user_ids));
      if (!body.cursor) return found;
      cursor = body.cursor;
    }
  };
  const members_before = await members();
  // Customers who bought once, longer ago than all others: the fifths shift, and who was among the last of them is no more, without having
  // done anything.
  const since = Date.now() - 350 * DAY;
  const old = Array.from({ length: 300 }, (_, n) => ({ customer: `old-${n}`, at: since - n * 1000, amount: 500, id: `old-${n}` }));
  for (let from = 0; from < old.length; from += CALLS) await order(old.slice(from, from + CALLS));
  assert.ok((await members()).length >= before + 300, 'until the next fit nobody leaves');
  await fit();
  await until(async () => {
    const now = new Set(await members());
    return members_before.some((one) => !now.has(one));
  }, { what: 'everybody was looked at again', within: 60_000 });
  assert.equal((await edge.api.get('/api/segments/early')).body.filling, null, 'a look after a fit is no filling');
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

test('orders of today, returns and other currencies do not distort the models', async () => {
  const before = await fit();
  const customer = 'careful';
  const at = Date.now() - 80 * DAY;
  await order([1, 2, 3].map((n) => ({ customer, at: at + n * DAY, amount: 6000, id: `euro-${n}` })));
  await order([4, 5].map((n) => ({ customer, at: at + n * DAY, amount: 9_000_000, id: `dollar-${n}` })), { currency: 'USD' });
  await order([{ customer, at: Date.now() - 2 * DAY, amount: -6000, id: 'return' }]);
  await order([{ customer: 'of-today', at: Date.now(), amount: 5000, id: 'today' }]);
  const found = await fit();
  assert.equal(found.customers, before.customers + 1);
  const person = await until(async () => {
    const { scores } = await edge.api.profile({ user_id: customer });
    return scores.fitted_at === found.fitted_at && scores;
  }, { what: 'the shards have the models', within: 30_000 });
  assert.ok(person.expected_order_minor > 3000 && person.expected_order_minor < 9000, JSON.stringify(person));
  assert.ok(person.rfm.recency < 5, 'a return is no order');
});

test('a profile that cannot be read is counted, and holds up no other', async () => {
  const before = await fit();
  const { profile_id } = await edge.api.profile({ user_id: 'c-3' });
  const development = async (/** @type {number} */ format) => {
    const body = JSON.stringify({ profile_id, format });
    const response = await edge.fetch('/ec/dev/row-format', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    assert.equal(response.status, 200);
    return (await response.json()).format;
  };
  const format = await development(99);
  const found = await fit();
  assert.deepEqual([found.unreadable, found.customers], [1, before.customers - 1]);
  await development(format);
  assert.equal((await fit()).customers, before.customers);
});
