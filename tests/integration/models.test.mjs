/**
 * Models of customers' life over a real year of a shop (UCI Online Retail): groups as the references have them, and movements as a plain
 * reckoning of the same orders finds them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Edge } from '../harness/edge.mjs';
import { ROOT } from '../harness/paths.mjs';
import { until } from '../harness/until.mjs';

const DAY = 86_400_000;
/** Calls of one request. */
const CALLS = 200;
/** The day of the references. */
const TO = '2011-12-10';
const FROM = '2011-09-10';
/** Of RFM, NAPL and NES on that day, as other tools found them. */
const GOLDEN = {
  rfm: {
    loyal: 861, at_risk: 672, champions: 653, hibernating: 637, potential_loyalist: 458, lost: 334, about_to_sleep: 304,
    need_attention: 210, promising: 89, cant_lose: 84, new: 36,
  },
  napl: { N: 646, A: 2243, P: 602, L: 847 },
  nes: { N: 207, E0: 1750, S1: 694, S2: 391, S3: 1296 },
};

/** @typedef {{customer: string, at: number, amount: number, id: string}} Order */

/** @returns {Order[]} Orders by time; one that was free is left out, as the references do. */
function uci() {
  const lines = String(gunzipSync(readFileSync(`${ROOT}edge/models/tests/data/uci_orders.csv.gz`))).trim().split('\n').slice(1);
  const orders = lines.map((line, n) => {
    const [customer, date, amount] = line.split(',');
    return { customer: `c-${customer}`, at: Date.parse(`${date.replace(' ', 'T')}Z`), amount: Math.round(Number(amount) * 100), id: `o-${n}` };
  });
  return orders.filter(({ amount }) => amount > 0).toSorted((one, other) => one.at - other.at);
}

/** @type {Edge} */
let edge;
/** @type {Order[]} */
let all;
before(async () => {
  edge = await Edge.start();
  all = uci();
  for (let from = 0; from < all.length; from += CALLS) await order(all.slice(from, from + CALLS));
});
after(() => edge.stop());

/** What a shop's server says of orders. @param {Order[]} orders */
async function order(orders) {
  const batch = orders.map(({ customer, at, amount, id }) => ({
    type: 'track', userId: customer, event: 'Order Completed', timestamp: new Date(at).toISOString(), messageId: `m-${id}`,
    properties: { order_id: id, currency: 'EUR', revenue: amount / 100 },
  }));
  const response = await edge.serverCall('batch', { batch });
  assert.equal(response.status, 200, await response.clone().text());
}

/** @param {string} path @returns {Promise<any>} */
async function get(path) {
  const { status, body } = await edge.api.get(`/api/models${path}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Orders by customer. */
function byCustomer() {
  /** @type {Map<string, Order[]>} */
  const found = new Map();
  for (const order of all) found.set(order.customer, [...(found.get(order.customer) ?? []), order]);
  return found;
}

/**
 * The NASLD stage, reckoned as the documentation says it.
 * @param {Order[]} orders @param {number} now @param {number} cycleDays
 */
function stage(orders, now, cycleDays) {
  const times = orders.map(({ at }) => at).filter((at) => at < now);
  const [first, last] = [times[0], times.at(-1)];
  if (last === undefined) return 'prospect';
  const shop = Math.round(cycleDays * DAY);
  const cycle = times.length === 1 ? shop : Math.floor((last - first + 3 * shop) / (times.length + 2));
  const age = now - last;
  if (age <= cycle) return times.length === 1 ? 'new' : 'active';
  if (age <= 2 * cycle) return 'sleep';
  return age <= Math.max(3 * cycle, 180 * DAY) ? 'lost' : 'deep';
}

/** @param {any} moved @param {'from' | 'to'} side @returns {Record<string, number>} How many are in each group. */
function sizes(moved, side) {
  /** @type {Record<string, number>} */
  const found = {};
  for (const cell of moved.cells) found[cell[side]] = (found[cell[side]] ?? 0) + cell.customers;
  return found;
}

test('the models are named with their groups', async () => {
  const { models } = await get('');
  assert.deepEqual(models.map((/** @type {any} */ one) => one.model), ['nasld', 'rfm', 'napl', 'nes', 'dciu']);
  assert.deepEqual(models[2].groups, ['prospect', 'N', 'A', 'P', 'L']);
});

test('groups of a day gone by are those of the references', async () => {
  for (const [model, golden] of Object.entries(GOLDEN)) {
    const moved = await get(`/${model}/transitions?from=${FROM}&to=${TO}`);
    assert.deepEqual(sizes(moved, 'to'), golden, model);
    assert.deepEqual([moved.customers, moved.unreadable, moved.to], [4338, 0, { date: TO, at: Date.parse(TO) }], model);
  }
  assert.deepEqual((await get(`/nes/transitions?to=${TO}`)).thresholds, { cycle_days: 28 });
});

test('movements, with their people and what they brought, are those of a plain reckoning', async () => {
  const moved = await get(`/nasld/transitions?from=${FROM}&to=${TO}`);
  const [from, to] = [Date.parse(FROM), Date.parse(TO)];
  /** @type {Record<string, any>} */
  const plain = {};
  for (const orders of byCustomer().values()) {
    const between = orders.filter(({ at }) => at >= from && at < to);
    const [was, is] = [from, to].map((at) => stage(orders, at, moved.thresholds.cycle_days));
    const cell = (plain[`${was} ${is}`] ??= { from: was, to: is, customers: 0, buyers: 0, orders: 0, revenue_minor: 0 });
    cell.customers += 1;
    cell.buyers += between.length ? 1 : 0;
    cell.orders += between.length;
    cell.revenue_minor += between.reduce((sum, { amount }) => sum + amount, 0);
  }
  const found = Object.fromEntries(moved.cells.map((/** @type {any} */ cell) => [`${cell.from} ${cell.to}`, cell]));
  assert.deepEqual(found, plain);
  assert.ok(moved.cells.length > 12, 'people moved');

  const { groups, currency } = await get(`/nasld/revenue?from=${FROM}&to=${TO}`);
  for (const { group, customers, revenue_minor, share } of groups) {
    const cells = Object.values(plain).filter((cell) => cell.from === group);
    assert.equal(customers, cells.reduce((sum, cell) => sum + cell.customers, 0), group);
    assert.equal(revenue_minor, cells.reduce((sum, cell) => sum + cell.revenue_minor, 0), group);
    assert.ok(share >= 0 && share < 1, group);
  }
  assert.deepEqual([currency, groups.map((/** @type {any} */ one) => one.group)], ['EUR', ['prospect', 'new', 'active', 'sleep', 'lost', 'deep']]);
});

test('a movement lists its people, page by page', async () => {
  const { thresholds } = await get(`/nasld/transitions?from=${FROM}&to=${TO}`);
  const [from, to] = [Date.parse(FROM), Date.parse(TO)];
  const moves = (/** @type {[string, Order[]]} */ [, orders]) => stage(orders, from, thresholds.cycle_days) === 'active' && stage(orders, to, thresholds.cycle_days) === 'sleep';
  const expected = [...byCustomer()].filter(moves).map(([customer]) => customer);
  /** @type {{user_ids: string[], was: string, is: string, orders: number}[]} */
  const people = [];
  /** @type {number[]} */
  const pages = [];
  for (let cursor = ''; ; ) {
    const page = await get(`/nasld/people?from=${FROM}&to=${TO}&was=active&is=sleep&limit=40${cursor && `&cursor=${cursor}`}`);
    pages.push(page.people.length);
    people.push(...page.people);
    if (!page.cursor) break;
    cursor = page.cursor;
  }
  assert.deepEqual(people.flatMap(({ user_ids }) => user_ids).sort(), expected.sort());
  assert.ok(pages.length > 1 && pages.slice(0, -1).every((length) => length === 40), `${pages}`);
  const revenue = byCustomer().get(people[0].user_ids[0])?.filter(({ at }) => at >= from && at < to);
  assert.deepEqual([people[0].was, people[0].is, people[0].orders], ['active', 'sleep', revenue?.length]);
});

test('sizes are told of now and of each day, and follow an order at once', async () => {
  const before = await get('/napl?days=2');
  assert.deepEqual(before.groups.map((/** @type {any} */ one) => [one.group, one.customers]), [['N', 0], ['A', 0], ['P', 2845], ['L', 1493]]);
  await order([{ customer: 'c-today', at: Date.now(), amount: 500, id: 'o-today' }, { customer: all[0].customer, at: Date.now(), amount: 500, id: 'o-again' }]);
  const now = await until(async () => {
    const found = await get('/napl?days=2');
    return found.customers === 4339 && found;
  }, { what: 'the new customer counts' });
  assert.deepEqual(now.groups.slice(0, 2).map((/** @type {any} */ one) => one.customers), [1, 1]);
  assert.deepEqual(now.days.map((/** @type {any} */ day) => day.customers), [4338, 4338]);
  assert.equal(now.days[1].date, new Date(now.as_of).toISOString().slice(0, 10));
  const rfm = await get('/rfm');
  assert.equal(rfm.groups.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.customers, 0), 4339);
});

test('DCIU ranks customers by what they looked at since their last order', async () => {
  const users = [...byCustomer().keys()].slice(100, 800);
  const day = (/** @type {number} */ ago) => new Date(Date.now() - ago * DAY).toISOString();
  // The first of 700 customers looked most, 30 of them as often as each other; the last 140 looked at something two weeks ago.
  const batch = users.flatMap((userId, n) =>
    Array.from({ length: n < 560 ? 1 + Math.floor((560 - n) / 30) : 1 }, (_, k) => ({
      type: 'track', userId, event: 'Product Viewed', messageId: `v-${n}-${k}`, timestamp: day(n < 560 ? 1 : 15), properties: { product_id: `p-${k}` },
    })),
  );
  for (let from = 0; from < batch.length; from += CALLS) {
    const response = await edge.serverCall('batch', { batch: batch.slice(from, from + CALLS) });
    assert.equal(response.status, 200, await response.clone().text());
  }
  const found = await get('/dciu');
  const sizes = Object.fromEntries(found.groups.map((/** @type {any} */ one) => [one.group, one.customers]));
  // 3 % of 4,339 customers are 131, and 10 % are 434; equal scores are in one group.
  assert.deepEqual([found.customers, sizes, found.days], [4339, { D: 141, C: 300, I: 119, U: 4339 - 560 }, []]);
  const { people } = await get('/dciu/people?is=D&limit=200');
  assert.deepEqual(people.map((/** @type {any} */ one) => one.user_ids[0]).sort(), users.slice(0, sizes.D).sort());
  await order([{ customer: users[0], at: Date.now(), amount: 500, id: 'o-bought' }]);
  await until(async () => (await get('/dciu')).groups.at(-1).customers === sizes.U + 1, { what: 'who bought is not interested any more' });
});

test('the window of NAPL is a setting', async () => {
  await edge.api.set('/api/settings', { lifecycle: { napl_days: 30 } });
  const found = await until(async () => {
    const moved = await get(`/napl/transitions?to=${TO}`);
    return moved.thresholds.window_days === 30 && sizes(moved, 'to');
  }, { what: 'the settings are known', within: 20_000 });
  assert.ok(found.N < GOLDEN.napl.N && found.A < GOLDEN.napl.A);
  await edge.api.set('/api/settings', {});
});

test('a model of the shop has groups, movements and days like any other', async () => {
  const groups = [
    { group: 'vip', condition: 'revenue >= 100000 in 90 days' },
    { group: 'regular', condition: 'orders >= 3 and last_order within 60 days' },
    { group: 'asleep', condition: 'stage in (lost, deep) or last_order before 200 days ago' },
  ];
  await edge.api.set('/api/settings', { models: { loyalty: { about: 'How close customers are.', groups } } });
  const model = await until(async () => (await get('')).models.find((/** @type {any} */ one) => one.model === 'loyalty'), { what: 'the model is known', within: 20_000 });
  assert.deepEqual(model, { model: 'loyalty', about: 'How close customers are.', groups: ['prospect', 'vip', 'regular', 'asleep', 'other'] });
  const { thresholds } = await get(`/nasld/transitions?from=${FROM}&to=${TO}`);
  /** The group on a day, reckoned plainly. @param {Order[]} orders @param {number} now */
  const group = (orders, now) => {
    const placed = orders.filter(({ at }) => at < now);
    const last = placed.at(-1)?.at;
    if (last === undefined) return 'prospect';
    const lately = placed.filter(({ at }) => at >= now - 89 * DAY).reduce((sum, { amount }) => sum + amount, 0);
    if (lately >= 100_000) return 'vip';
    if (placed.length >= 3 && now - last < 60 * DAY) return 'regular';
    return ['lost', 'deep'].includes(stage(orders, now, thresholds.cycle_days)) || now - last >= 200 * DAY ? 'asleep' : 'other';
  };
  const moved = await get(`/loyalty/transitions?from=${FROM}&to=${TO}`);
  /** @type {Record<string, number>} */
  const plain = {};
  for (const orders of byCustomer().values()) {
    const cell = [FROM, TO].map((day) => group(orders, Date.parse(day))).join(' ');
    plain[cell] = (plain[cell] ?? 0) + 1;
  }
  delete plain['prospect prospect'];
  assert.deepEqual(Object.fromEntries(moved.cells.map((/** @type {any} */ cell) => [`${cell.from} ${cell.to}`, cell.customers])), plain);
  assert.ok(Object.keys(plain).length > 8, JSON.stringify(plain));
  const sized = await get('/loyalty?days=366');
  assert.equal(sized.groups.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.customers, 0), sized.customers);
  const { people } = await get(`/loyalty/people?from=${FROM}&to=${TO}&is=vip`);
  assert.ok(people.length > 0 && people.every((/** @type {any} */ one) => one.is === 'vip'));
  const profile = await edge.api.profile({ user_id: people[0].user_ids[0] });
  assert.deepEqual(Object.keys(profile.groups), ['loyalty', 'napl']);
  assert.ok(groups.some(({ group }) => group === profile.groups.loyalty) || profile.groups.loyalty === 'other');
  const refused = await edge.api.put('/api/settings', { models: { loyalty: { groups: [{ group: 'x', condition: 'viewed >= 3' }] } } });
  assert.deepEqual([refused.status, refused.body.error.path], [400, 'models.loyalty.groups[0].condition']);
  await edge.api.set('/api/settings', {});
});

test('what is asked wrongly is named', async () => {
  const tomorrow = new Date(Date.now() + 2 * DAY).toISOString().slice(0, 10);
  for (const [path, status, word] of [
    ['/dcui', 404, 'model'],
    ['/dciu?days=3', 400, 'now'],
    ['/dciu/transitions', 400, 'now'],
    ['/dciu/people?was=D', 400, 'now'],
    ['/nasld?days=0', 400, 'days'],
    ['/rfm?days=32', 400, '31'],
    ['/nasld/transitions?from=2011-13-01', 400, 'from'],
    [`/nasld/transitions?to=${tomorrow}`, 400, 'today'],
    ['/nasld/transitions?from=2011-12-10&to=2011-12-10', 400, 'before'],
    ['/nasld/people?was=asleep', 400, 'deep'],
    ['/nasld/people?limit=201', 400, 'limit'],
  ]) {
    const found = await edge.api.get(`/api/models${path}`);
    assert.equal(found.status, status, `${path}: ${JSON.stringify(found.body)}`);
    assert.ok(JSON.stringify(found.body).includes(`${word}`), `${path}: ${JSON.stringify(found.body)}`);
  }
});
