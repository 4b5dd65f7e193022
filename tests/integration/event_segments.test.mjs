/** What people did, as conditions: right of what was before a question was asked, at each event, and at each hour after it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { everydayRows } from '../harness/everydayRows.mjs';
import { request } from '../harness/request.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** Saves a segment and waits until everybody was held against it. @param {string} id @param {unknown} condition @param {Edge} [shop] @returns {Promise<any>} */
async function save(id, condition, shop = edge) {
  await shop.api.set(`/api/segments/${id}`, { name: id, condition });
  return until(async () => {
    const { body } = await shop.api.get(`/api/segments/${id}`);
    return body.filling === null && body;
  }, { what: `${id} is filled`, within: 60_000 });
}

/** Names of members. @param {string} id @param {Edge} [shop] @returns {Promise<string[]>} */
const names = async (id, shop = edge) => (await shop.api.get(`/api/segments/${id}/members?limit=200`)).body.members
  .map((/** @type {any} */ { profile_id: profile }) => profile).sort();

/** What the exact count of a preview says. @param {unknown} condition @param {Edge} [shop] @returns {Promise<number>} */
async function counted(condition, shop = edge) {
  const headers = { Authorization: `Bearer ${shop.apiKey}`, 'Content-Type': 'application/json' };
  const response = await request(`${shop.origin}/api/segments/preview`, { method: 'POST', headers, body: JSON.stringify({ condition }) });
  const text = await response.text();
  const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
  assert.equal(last.state, 'exact', text);
  return last.matching.people;
}

/** Visitors who each viewed so many jackets. @param {Edge} shop @param {number[]} counts */
async function viewers(shop, counts) {
  return Promise.all(counts.map(async (count) => {
    const visitor = new Visitor(shop);
    await visitor.send([visitor.page('https://shop.example/')]);
    for (let n = 0; n < count; n += 1) await visitor.send([visitor.product('Viewed', `p-${n}`, { category: 'jackets', price: 60 })]);
    return visitor;
  }));
}

test('every question is answered of what was before anybody asked it, with what it saw', async () => {
  const visitor = new Visitor(edge);
  const noon = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
  const at = (/** @type {number} */ timestamp) => ({ timestamp });
  const now = Date.now();
  await visitor.send([
    visitor.product('Viewed', 'j-1', { category: 'jackets', price: 60 }, at(noon - 5 * DAY)),
    visitor.product('Viewed', 'j-1', { category: 'jackets', price: 60 }, at(now - 3 * HOUR)),
    visitor.product('Viewed', 'j-2', { category: 'jackets', price: 40 }, at(now - 2 * HOUR)),
    visitor.product('Viewed', 's-1', { category: 'shoes', price: 90 }, at(now - 40 * MINUTE)),
    visitor.track('Product Added', { product_id: 'j-1', price: 60, currency: 'EUR', brand: 'Alpina' }, at(now - 39 * MINUTE)),
    visitor.product('Removed', 'j-1', {}, at(now - 38 * MINUTE)),
    visitor.track('Product Clicked', { product_id: 's-1', list: 'Sale' }, at(now - 37 * MINUTE)),
    visitor.track('Product List Viewed', { category: 'shoes/running' }, at(now - 36 * MINUTE)),
    visitor.track('Products Searched', { query: 'rain jacket' }, at(now - 35 * MINUTE)),
    visitor.track('Cart Viewed', {}, at(now - 34 * MINUTE)),
    visitor.track('Checkout Started', { value: 60 }, at(now - 33 * MINUTE)),
    visitor.event('page', { name: '/blog/wax', context: { page: { url: 'https://shop.example/blog/wax', path: '/blog/wax' } } }),
    visitor.track('Quiz Finished', { result: 'dry', 'skin type': 'dry', score: 7.5 }, at(now - 32 * MINUTE)),
    visitor.track('Quiz Finished', { result: 'oily', score: 2 }, at(now - 31 * MINUTE)),
  ]);
  await visitor.send([
    visitor.order('o-1', [{ product_id: 'j-1', price: 60, category: 'jackets' }, { product_id: 's-1', price: 90, category: 'shoes' }], at(now - 4 * HOUR)),
    // The same order, told again.
    visitor.order('o-1', [{ product_id: 'j-1', price: 60, category: 'jackets' }, { product_id: 's-1', price: 90, category: 'shoes' }], at(now - HOUR)),
  ]);
  for (const [condition, holds, saw] of /** @type {[string, boolean, unknown][]} */ ([
    ['viewed >= 4', true, 4],
    ['viewed >= 5', false, 4],
    ['viewed(category = "jackets") >= 3', true, 3],
    ['viewed(category = "jackets") >= 3 in 2 days', false, 2],
    ['viewed(category = "jackets", price >= 6000) = 2', true, 2],
    ['viewed(category = "Jackets")', false, 0],
    ['viewed(product in ("j-2", "s-1")) = 2 in 12 hours', true, 2],
    ['viewed = 1 in 90 minutes', true, 1],
    ['distinct(viewed, product) = 3', true, 3],
    ['distinct(viewed, category) >= 3', false, 2],
    ['added(brand = "Alpina")', true, 1],
    ['added(brand = "Other")', false, 0],
    ['removed(product = "j-1")', true, 1],
    ['clicked(list = "Sale")', true, 1],
    ['list_viewed(category starts_with "shoes")', true, 1],
    ['searched(query contains "rain")', true, 1],
    ['searched(query contains "snow")', false, 0],
    ['cart_viewed', true, 1],
    ['checkout_started', true, 1],
    ['ordered = 1', true, 1],
    ['ordered(category = "shoes", price >= 9000)', true, 1],
    ['ordered(category = "jackets", price >= 9000)', false, 0],
    ['sum(ordered, value) = 15000', true, 15_000],
    ['sum(ordered, quantity) = 2', true, 2],
    ['average(ordered(category = "shoes"), price) = 9000', true, 9000],
    ['page_viewed(path starts_with "/blog")', true, 1],
    ['event("Quiz Finished") = 2', true, 2],
    ['event("Quiz Finished", result = "dry")', true, 1],
    ['event("Quiz Finished", "skin type" is set)', true, 1],
    ['event("Quiz Finished", score >= 7)', true, 1],
    ['event("quiz finished")', false, 0],
    ['viewed >= 3 after ordered', true, 3],
    ['ordered after checkout_started', false, 0],
    ['at_least 2 of (viewed, searched, event("None"))', true, undefined],
    ['at_least 2 of (viewed, event("None"), not ordered)', false, undefined],
    ['first(viewed) within 7 days', true, noon - 5 * DAY],
    ['first(viewed) within 4 days', false, noon - 5 * DAY],
    ['last(viewed) within 41 minutes', true, now - 40 * MINUTE],
    ['last(viewed(category = "jackets")) before 119 minutes ago', true, now - 2 * HOUR],
    ['last(viewed(category = "jackets")) before 3 hours ago', false, now - 2 * HOUR],
    ['last(slot_clicked) before 1 minutes ago', false, undefined],
    ['campaign_shown or campaign_clicked or campaign_dismissed or slot_shown', false, undefined],
  ])) {
    const { status, body } = await edge.api.post(`/api/segments/explain?anonymous_id=${visitor.anonymousId}`, { condition });
    assert.deepEqual([status, body.condition?.holds, body.condition?.saw], [200, holds, saw], `${condition}: ${JSON.stringify(body)}`);
  }
  // One that is saved says the same, and so does one that is only tried.
  const condition = 'viewed(category = "jackets", price >= 4000) >= 3 and not ordered after checkout_started';
  assert.equal(await counted(condition), 1);
  const saved = await save('same', condition);
  assert.deepEqual([saved.size, saved.text, await names('same')], [1, condition, [visitor.anonymousId]]);
  assert.ok(Math.abs(saved.events_since - (Date.now() - 90 * DAY)) < HOUR, JSON.stringify(saved));
  assert.equal(await counted(condition), 1);
});

test('what was before, what comes and what passes are one count', async () => {
  const [none, two, three, five] = await viewers(edge, [0, 2, 3, 5]);
  const ids = (/** @type {Visitor[]} */ ...all) => all.map(({ anonymousId }) => anonymousId).sort();
  const condition = 'viewed(category = "jackets", price = 6000) >= 3 in 14 days';
  assert.equal(await counted(condition), 2);
  const saved = await save('jackets', condition);
  assert.deepEqual([saved.size, await names('jackets')], [2, ids(three, five)]);
  // Another question does not make the first one forget, nor count twice.
  await save('others', 'event("Sized") >= 2');
  await two.send([two.product('Viewed', 'p-9', { category: 'jackets', price: 60 }), two.track('Sized')]);
  await none.send([none.product('Viewed', 'p-9', { category: 'jackets', price: 60 })]);
  assert.deepEqual(await names('jackets'), ids(two, three, five));
  assert.deepEqual(await names('others'), []);
  await two.send([two.track('Sized')]);
  assert.deepEqual(await names('others'), ids(two));
  const { body: { days: [day] } } = await edge.api.get('/api/segments/jackets/history?days=1');
  assert.deepEqual([day.size, day.entered, day.left, day.by_definition], [3, 1, 0, 2]);

  // The shop's fourteenth day after it ends, and nobody has to come for that.
  const settings = (await edge.api.get('/api/settings')).body;
  const zone = settings.time_zone ?? settings.timezone ?? 'UTC';
  const days = new Intl.DateTimeFormat('en-CA', { timeZone: zone });
  let midnight = Date.now() + 13 * DAY;
  const last = days.format(midnight);
  while (days.format(midnight) === last) midnight += MINUTE;
  midnight = Math.floor(midnight / MINUTE) * MINUTE;
  await edge.passTime(midnight - MINUTE);
  assert.deepEqual(await names('jackets'), ids(two, three, five));
  await edge.passTime(midnight);
  assert.deepEqual(await names('jackets'), []);
});

test('who viewed and did not buy within two hours gets the campaign, who buys gets it no more', async () => {
  const visitor = new Visitor(edge);
  const condition = 'last(viewed(category = "tents")) before 2 hours ago and not ordered after viewed(category = "tents")';
  await edge.api.set('/api/campaigns/tents', { name: 'Tents', type: 'popup', condition, trigger: { exit_intent: true }, content: { title: 'Still looking?' } });
  const offered = async () => (await visitor.decision()).campaigns.map((/** @type {any} */ { id }) => id);
  await visitor.send([visitor.product('Viewed', 't-1', { category: 'tents' })]);
  assert.deepEqual(await offered(), []);
  await visitor.send([visitor.product('Viewed', 't-2', { category: 'tents' }, { timestamp: Date.now() - 3 * HOUR })]);
  assert.deepEqual(await offered(), [], 'the latest counts');
  const other = new Visitor(edge);
  await other.send([other.product('Viewed', 't-1', { category: 'tents' }, { timestamp: Date.now() - 3 * HOUR })]);
  assert.deepEqual((await other.decision()).campaigns.map((/** @type {any} */ { id }) => id), ['tents']);
  await other.send([other.order('o-tent', [{ product_id: 't-1', category: 'tents' }])]);
  assert.deepEqual((await other.decision()).campaigns, []);
  assert.equal((await edge.api.delete('/api/campaigns/tents')).status, 204);
});

test('a login brings the counts of two browsers together, wherever they were before', async () => {
  const shop = await Edge.start({ variables: { ENDCAP_SHARDS: '4' } });
  try {
    const [desk, phone, alone] = await viewers(shop, [2, 2, 3]);
    for (const browser of [desk, phone]) await browser.send([browser.event('identify', { user_id: 'u-both', proof: shop.proof('u-both') })]);
    const one = async () => {
      const [of, other] = await Promise.all([desk, phone].map(({ anonymousId }) => shop.api.profile({ anonymous_id: anonymousId })));
      return of.profile_id === other.profile_id && of.profile_id;
    };
    const joined = /** @type {string} */ (await until(one, { what: 'both are one' }));
    // What they did before they were one is read from wherever it was written.
    assert.equal(await counted('viewed(category = "jackets") >= 4', shop), 1);
    assert.equal((await save('fans', 'viewed(category = "jackets") >= 4', shop)).size, 1);
    assert.deepEqual(await names('fans', shop), [joined]);
    // And what was counted before moves with them.
    for (const browser of [alone, phone]) await browser.send([browser.product('Viewed', 'p-7', { category: 'jackets' })]);
    assert.deepEqual(await names('fans', shop), [joined, alone.anonymousId].sort());
    await save('more', 'viewed(category = "jackets") = 9', shop);
    await alone.send([alone.event('identify', { user_id: 'u-both', proof: shop.proof('u-both') })]);
    await until(async () => (await names('more', shop)).length === 1, { what: 'three are one' });
    assert.deepEqual((await names('fans', shop)).length, 1);
  } finally {
    await shop.stop();
  }
});

test('the log of a shard that gave its people away still answers for them', async () => {
  const shop = await Edge.start({ variables: { ENDCAP_SHARDS: '1', ENDCAP_LOG_TAIL_BYTES: '0' } });
  try {
    const counts = Array.from({ length: 40 }, (_, n) => n % 4);
    const people = await viewers(shop, counts);
    await save('before', 'viewed >= 3', shop);
    await shop.api.set('/api/shards', { shards: 4 });
    await until(async () => (await shop.api.get('/api/shards')).body.remaining === 0, { what: 'the buckets moved', within: 60_000 });
    await Promise.all(people.map((visitor) => visitor.send([visitor.product('Viewed', 'p-new', { category: 'jackets' })])));
    const atLeast = (/** @type {number} */ least) => people.filter((_, n) => counts[n] + 1 >= least).map(({ anonymousId }) => anonymousId).sort();
    const names_ = async (/** @type {string} */ id) => until(async () => {
      const { body } = await shop.api.get(`/api/segments/${id}`);
      return body.filling === null && names(id, shop);
    }, { what: 'it is complete' });
    assert.deepEqual(await names_('before'), atLeast(3));
    assert.equal(await counted('viewed(category = "jackets") >= 2', shop), atLeast(2).length);
    await save('after', 'viewed(category = "jackets") >= 2', shop);
    assert.deepEqual(await names('after', shop), atLeast(2));
  } finally {
    await shop.stop();
  }
});

test('a runtime that is killed while the past is read, and while people come, counts nothing twice', async () => {
  const shop = await Edge.start({ variables: { ENDCAP_SHARDS: '2' } });
  try {
    const counts = Array.from({ length: 120 }, (_, n) => n % 5);
    const people = await viewers(shop, counts);
    await shop.api.set('/api/segments/killed', { name: 'Killed', condition: 'viewed(category = "jackets") = 4' });
    for (let round = 0; round < 3; round += 1) {
      await shop.crash();
      await Promise.all(people.slice(round * 40, round * 40 + 40).map((visitor) => visitor.send([visitor.product('Viewed', `p-${round}`, { category: 'jackets' })])));
    }
    const whole = await save('killed', 'viewed(category = "jackets") = 4', shop);
    const expected = people.filter((_, n) => counts[n] + 1 === 4).map(({ anonymousId }) => anonymousId).sort();
    assert.deepEqual([whole.size, await names('killed', shop)], [expected.length, expected]);
    assert.equal(await counted('viewed(category = "jackets") = 4', shop), expected.length);
  } finally {
    await shop.stop();
  }
});

test('a batch writes no more rows for questions about events', async () => {
  const without = await everydayRows(edge);
  for (let n = 0; n < 20; n += 1) {
    await edge.api.set(`/api/segments/e-${n}`, { name: `e-${n}`, condition: `viewed(category = "c-${n}") >= ${2 + n} in 30 days or page_viewed(path = "/p/${n}") >= 9` });
  }
  await save('e-20', 'viewed >= 900');
  assert.ok(await everydayRows(edge) <= without);
});

test('a shop asks so many questions about events and no more', async () => {
  const condition = (/** @type {number} */ from) => ({ any: Array.from({ length: 45 }, (_, n) => ({ fact: 'event', name: `E ${from + n}`, op: '>=', value: 1 })) });
  let refused;
  for (let n = 0; n < 6 && !refused; n += 1) {
    const { status, body } = await edge.api.put(`/api/segments/many-${n}`, { name: 'many', condition: condition(n * 45) });
    if (status !== 200 && status !== 201) refused = { status, body };
  }
  assert.deepEqual([refused?.status, refused?.body.error.path], [400, 'condition']);
  assert.match(refused?.body.error.message, /questions of at most 200/);
});
