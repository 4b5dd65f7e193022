/** Segments: who is in them is right at each event and at each hour, and counts, lists and days say the same. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { everydayRows } from '../harness/everydayRows.mjs';
import { request } from '../harness/request.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const DAY = 86_400_000;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** A segment as the API shows it. @param {string} id @returns {Promise<any>} */
const segment = async (id) => (await edge.api.get(`/api/segments/${id}`)).body;

/** Waits until everybody was held against a segment. @param {string} id @returns {Promise<any>} */
const filled = (id) => until(async () => {
  const found = await segment(id);
  return found.filling === null && found;
}, { what: `${id} is filled`, within: 60_000 });

/** Saves a segment and waits until everybody was held against it. @param {string} id @param {unknown} condition @param {string} [name] */
async function save(id, condition, name = id) {
  await edge.api.set(`/api/segments/${id}`, { name, condition });
  return filled(id);
}

/** Every member, page by page. @param {string} id @param {number} [limit] @returns {Promise<any[]>} */
async function members(id, limit = 7) {
  const all = [];
  let cursor = '';
  do {
    const { status, body } = await edge.api.get(`/api/segments/${id}/members?limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(body.members.length <= limit);
    all.push(...body.members);
    cursor = body.cursor ?? '';
  } while (cursor);
  return all;
}

/** Names of members. @param {string} id */
const names = async (id) => (await members(id)).map(({ profile_id: profile }) => profile);

/** The last `days` days of a segment. @param {string} id @param {number} [days] @returns {Promise<any>} */
const history = async (id, days = 1) => (await edge.api.get(`/api/segments/${id}/history?days=${days}`)).body;

/** What is streamed from a route. @param {string} path @param {RequestInit} [init] @param {Edge} [shop] */
async function streamed(path, init = {}, shop = edge) {
  const headers = { Authorization: `Bearer ${shop.apiKey}`, 'Content-Type': 'application/json' };
  const response = await request(shop.origin + path, { ...init, headers });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** The lines of a preview. @param {object} ask @param {Edge} [shop] @returns {Promise<any[]>} */
async function preview(ask, shop = edge) {
  const { status, text } = await streamed('/api/segments/preview', { method: 'POST', body: JSON.stringify(ask) }, shop);
  assert.equal(status, 200, text);
  return text.trimEnd().split('\n').map((line) => JSON.parse(line));
}

/** Orders of customers whom only the shop's server knows. @param {string} prefix @param {number} count @param {number} daysAgo @param {Edge} [shop] */
async function customers(prefix, count, daysAgo, shop = edge) {
  const batch = Array.from({ length: count }, (_, n) => ({
    type: 'track', event: 'Order Completed', userId: `${prefix}-${n}`, messageId: `${prefix}-${n}`,
    timestamp: new Date(Date.now() - daysAgo * DAY).toISOString(),
    properties: { order_id: `${prefix}-${n}`, revenue: 10 + n, currency: 'EUR' },
  }));
  for (let from = 0; from < batch.length; from += 100) {
    const headers = { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${shop.serverKey}:`)}` };
    /** @type {Response} */
    const response = await shop.fetch('/v1/batch', { method: 'POST', headers, body: JSON.stringify({ batch: batch.slice(from, from + 100) }) });
    assert.equal(response.status, 200, await response.text());
  }
}

describe('a segment', () => {
  test('is saved, shown, renamed and deleted', async () => {
    assert.equal((await edge.api.get('/api/segments/none')).status, 404);
    const made = await save('regulars', 'orders >= 2 and days_since_last_order < 90', 'Regulars');
    assert.deepEqual([made.id, made.version, made.name, made.size], ['regulars', 1, 'Regulars', 0]);
    assert.equal(made.text, 'orders >= 2 and days_since_last_order < 90');
    assert.deepEqual(made.condition.all[0], { fact: 'orders', op: '>=', value: 2 });
    const renamed = await edge.api.set('/api/segments/regulars', { name: 'Those who come back', condition: made.condition });
    assert.deepEqual([renamed.version, renamed.changed_at, renamed.filling], [2, made.changed_at, null], 'a name moves nobody');
    const { body } = await edge.api.get('/api/segments');
    assert.deepEqual(body.segments.map((/** @type {any} */ { id, name }) => [id, name]), [['regulars', 'Those who come back']]);
    assert.equal((await edge.api.delete('/api/segments/regulars')).status, 204);
    assert.equal((await edge.api.delete('/api/segments/regulars')).status, 404);
    assert.deepEqual((await edge.api.get('/api/segments')).body, { segments: [] });
  });

  test('is refused with a path where it is wrong', async () => {
    for (const [id, body, path] of /** @type {[string, unknown, string][]} */ ([
      ['x', { name: 'x', condition: 'ordrs >= 1' }, 'condition'],
      ['x', { name: 'x', condition: 'orders >= 1 and url_path matches "/c/*"' }, 'condition'],
      ['x', { name: '', condition: 'orders >= 1' }, 'name'],
      ['x', { name: 'x' }, 'condition'],
      ['x', { name: 'x', list: true, condition: 'orders >= 1' }, 'condition'],
      ['x', { name: 'x', condition: 'orders >= 1', members: [] }, 'members'],
      ['y'.repeat(65), { name: 'x', condition: 'orders >= 1' }, 'segment_id'],
    ])) {
      const { status, body: answer } = await edge.api.put(`/api/segments/${id}`, body);
      assert.deepEqual([status, answer.error.path], [400, path], JSON.stringify(answer));
    }
    assert.equal((await edge.api.with('wrong').put('/api/segments/x', { name: 'x', condition: 'orders = 1' })).status, 401);
    for (const path of ['members', 'history', 'export']) assert.equal((await edge.api.get(`/api/segments/none/${path}`)).status, 404);
    await save('wrongly-asked', 'orders > 100');
    for (const [query, path] of [['members?limit=0', 'limit'], ['members?limit=201', 'limit'], ['history?days=731', 'days'], ['export?format=xls', 'format']]) {
      const { status, body } = await edge.api.get(`/api/segments/wrongly-asked/${query}`);
      assert.deepEqual([status, body.error.path], [400, path], query);
    }
  });
});

test('an event lets in, time lets out, and each is counted on its day', async () => {
  await save('just-bought', 'orders >= 1 and days_since_last_order < 30', 'Just bought');
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Viewed', 'p-1', { category: 'jackets' })]);
  assert.deepEqual(await names('just-bought'), []);
  await visitor.send([visitor.order('o-just', [{ product_id: 'p-1' }])]);
  const [member] = await members('just-bought');
  assert.deepEqual([member.profile_id, member.stage, member.orders, member.user_ids], [visitor.anonymousId, 'new', 1, []]);
  const profile = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.deepEqual(profile.segments, [{ id: 'just-bought', name: 'Just bought', since: member.since }]);
  assert.equal((await segment('just-bought')).size, 1);
  assert.deepEqual((await history('just-bought')).days.map((/** @type {any} */ day) => [day.size, day.entered, day.left, day.by_definition]), [[1, 1, 0, 0]]);

  // A minute before its time nobody leaves; then time alone lets them out.
  await edge.passTime(Date.now() + 30 * DAY - 60_000);
  assert.deepEqual(await names('just-bought'), [visitor.anonymousId]);
  await edge.passTime(Date.now() + 30 * DAY);
  assert.deepEqual(await names('just-bought'), []);
  assert.equal((await segment('just-bought')).size, 0);
});

test('people who were there before are looked at once, by definition, and the size is not final before', async () => {
  await customers('old', 230, 40);
  const saved = await edge.api.set('/api/segments/old-buyers', { name: 'Old', condition: 'days_since_last_order >= 40 and days_since_last_order < 41' });
  assert.ok(saved.filling.shards_left > 0 && saved.size <= 230);
  const whole = await filled('old-buyers');
  assert.equal(whole.size, 230);
  const all = await members('old-buyers', 50);
  assert.equal(new Set(all.map(({ profile_id: id }) => id)).size, 230);
  assert.deepEqual(all.map(({ user_ids: [user] }) => user).sort().slice(0, 2), ['old-0', 'old-1']);
  const [day] = (await history('old-buyers')).days;
  assert.deepEqual([day.size, day.entered, day.left, day.by_definition], [230, 0, 0, 230]);

  // One that is deleted and made again counts from the beginning.
  const definition = { name: 'Old', condition: 'days_since_last_order >= 40 and days_since_last_order < 41' };
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await edge.api.delete('/api/segments/old-buyers')).status, 204);
    await edge.api.set('/api/segments/old-buyers', definition);
  }
  assert.equal((await filled('old-buyers')).size, 230);
  assert.deepEqual((await history('old-buyers')).days.map((/** @type {any} */ { size, by_definition: by }) => [size, by]), [[230, 230]]);
  assert.equal((await members('old-buyers', 200)).length, 230);

  // A changed definition lets out by definition too, and what asks for it is complete no sooner.
  await save('asks-for-old', 'segment("old-buyers")');
  const before = (await segment('asks-for-old')).changed_at;
  const changed = await save('old-buyers', 'days_since_last_order >= 40 and days_since_last_order < 41 and orders > 1');
  assert.equal(changed.size, 0);
  assert.deepEqual((await history('old-buyers')).days[0].by_definition, 0);
  const asking = await filled('asks-for-old');
  assert.deepEqual([asking.size, asking.changed_at], [0, before]);
  assert.equal((await edge.api.delete('/api/segments/asks-for-old')).status, 204);
});

test('what only the edge knows of a person decides too, and each part says what it saw', async () => {
  const visitor = new Visitor(edge);
  const noon = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
  const arrival = { page: { url: 'https://shop.example/sale/boots?utm_source=news&utm_medium=email&utm_campaign=may', path: '/sale/boots' } };
  await visitor.send([
    visitor.event('page', { name: '/sale/boots', context: arrival }),
    visitor.order('o-facts-1', [{ product_id: 'p-1', price: 30 }], { timestamp: noon - 5 * DAY }),
    visitor.order('o-facts-2', [{ product_id: 'p-1', price: 50 }], { timestamp: Date.now() - 60_000 }),
    visitor.product('Added', 'boot-1', { category: 'boots' }),
    visitor.event('identify', { user_id: 'u-facts', proof: edge.proof('u-facts'), traits: { city: 'Zürich', age: 41, vip: true } }),
  ]);
  await edge.api.profile({ user_id: 'u-facts' });
  const explain = async (/** @type {string} */ condition) => {
    const { status, body } = await edge.api.post('/api/segments/explain?user_id=u-facts', { condition });
    assert.equal(status, 200, JSON.stringify(body));
    return [body.condition.holds, body.condition.saw];
  };
  for (const [condition, holds, saw] of /** @type {[string, boolean, unknown][]} */ ([
    ['orders >= 2 in 7 days', true, 2],
    ['orders >= 2 in 2 days', false, 1],
    ['orders = 1 in 1 hour', true, 1],
    ['revenue >= 8000', true, 8000],
    ['revenue > 5000 in 3 days', false, 5000],
    ['average_order = 4000', true, 4000],
    ['highest_order = 5000 in 30 days', true, 5000],
    ['order_units = 2', true, 2],
    ['first_order_value = 3000', true, 3000],
    ['last_order_value = 3000', false, 5000],
    ['known', true, undefined],
    ['push_reachable', false, undefined],
    ['consent_analytics and consent_personalization', true, undefined],
    ['trait("city") = "Zürich"', true, 'Zürich'],
    ['trait("age") in ("40", "41")', true, '41'],
    ['trait("vip") = "true"', true, 'true'],
    ['trait("phone") is set', false, undefined],
    ['first_source = "news"', true, 'news'],
    ['last_channel = "Email"', true, 'Email'],
    ['first_campaign starts_with "ma"', true, 'may'],
    ['first_landing_page contains "sale"', true, '/sale/boots'],
    ['time_zone = "Europe/Berlin"', true, 'Europe/Berlin'],
    ['cart_has(category = "boots")', true, undefined],
    ['cart_has(product = "boot-2")', false, undefined],
  ])) {
    const found = await explain(condition);
    assert.deepEqual(found, [holds, saw], condition);
  }
  for (const [condition, holds] of /** @type {[string, boolean][]} */ ([
    ['first_order before 4 days ago', true],
    ['first_order before 6 days ago', false],
    ['last_order within 20 minutes', true],
    ['last_seen within 15 minutes', true],
    ['cart_changed before 2 hours ago', false],
  ])) assert.equal((await explain(condition))[0], holds, condition);

  // A segment of them is left at the hour at which its span ends.
  await save('big-spenders', 'revenue >= 8000 in 7 days and trait("city") = "Zürich"');
  assert.deepEqual((await members('big-spenders')).map(({ user_ids: [user] }) => user), ['u-facts']);
  // Who only claims to be that person learns nothing of their segments.
  const campaign = { name: 'Big', type: 'popup', condition: 'segment("big-spenders") or known', trigger: { exit_intent: true }, content: { title: 'For you' } };
  await edge.api.set('/api/campaigns/big', campaign);
  const offered = async (/** @type {Visitor} */ browser) => (await browser.decision()).campaigns.map((/** @type {any} */ { id }) => id);
  assert.deepEqual(await offered(visitor), ['big']);
  const claimant = new Visitor(edge);
  await claimant.send([claimant.event('identify', { user_id: 'u-facts' })]);
  assert.deepEqual(await offered(claimant), []);
  assert.deepEqual((await edge.api.profile({ anonymous_id: claimant.anonymousId })).segments.filter((/** @type {any} */ { id }) => id === 'big-spenders'), []);
  assert.equal((await edge.api.delete('/api/campaigns/big')).status, 204);
  const midnight = noon - DAY / 2 + 2 * DAY;
  await edge.passTime(midnight - 60_000);
  assert.equal((await members('big-spenders')).length, 1);
  await edge.passTime(midnight);
  assert.equal((await members('big-spenders')).length, 0);
});

test('a preview estimates, then counts exactly, and says what a change would do', async () => {
  await save('compared', 'days_since_last_order >= 40 and days_since_last_order < 41');
  const lines = await preview({ condition: 'orders >= 1 and days_since_last_order >= 40', segment: 'compared' });
  const last = lines.at(-1);
  assert.equal(last.state, 'exact');
  const { matching, entering, leaving } = last;
  assert.deepEqual([matching.people, entering.people, leaving.people], [230, 0, 0]);
  assert.deepEqual([matching.low, matching.high, last.of], [230, 230, last.looked_at]);
  assert.deepEqual(lines.filter(({ state }) => state === 'estimate').map(({ matching: { low, high } }) => low <= 230 && 230 <= high).includes(false), false);

  const other = (await preview({ condition: 'orders = 0', segment: 'compared' })).at(-1);
  assert.deepEqual([other.leaving.people, other.entering.people, other.sample.leaving.length], [230, other.matching.people, 5]);
  const { status, body } = await edge.api.post('/api/segments/preview', { condition: 'orders = 0', segment: 'none' });
  assert.deepEqual([status, body.error.code], [404, 'not_found']);
  assert.equal((await edge.api.post('/api/segments/preview', { condition: 'ordrs = 0' })).status, 400);
  assert.equal((await preview({ condition: 'orders = 0' })).at(-1).entering, undefined);
});

test('an export has a line for each member, in either form', async () => {
  const expected = await members('compared', 200);
  const csv = await streamed('/api/segments/compared/export');
  assert.deepEqual([csv.status, csv.type], [200, 'text/csv; charset=utf-8']);
  const [head, ...rows] = csv.text.trimEnd().split('\r\n');
  assert.equal(head, 'profile_id,since,user_id,stage,orders');
  assert.deepEqual(rows, expected.map(({ profile_id: id, since, user_ids: [user], stage, orders }) => `${id},${since},${user},${stage},${orders}`));
  const lines = await streamed('/api/segments/compared/export?format=ndjson');
  assert.equal(lines.type, 'application/x-ndjson');
  assert.deepEqual(lines.text.trimEnd().split('\n').map((line) => JSON.parse(line)), expected);
});

test('a login brings a person of two browsers together, and an erasure takes them out', async () => {
  await save('known-buyers', 'units_bought(category = "known") >= 1');
  const [desk, phone] = [new Visitor(edge), new Visitor(edge)];
  await desk.send([desk.order('o-desk', [{ product_id: 'p-1', category: 'known' }])]);
  await phone.send([phone.order('o-phone', [{ product_id: 'p-2', category: 'known' }])]);
  assert.equal((await names('known-buyers')).length, 2);
  for (const browser of [desk, phone]) await browser.send([browser.event('identify', { user_id: 'u-joined', proof: edge.proof('u-joined') })]);
  await until(async () => (await names('known-buyers')).length === 1, { what: 'one person is one member' });
  assert.deepEqual((await members('known-buyers')).map(({ user_ids: users, orders }) => [users, orders]), [[['u-joined'], 2]]);
  assert.equal((await segment('known-buyers')).size, 1);
  assert.equal((await edge.api.delete('/api/profiles?user_id=u-joined')).status, 200);
  await until(async () => (await segment('known-buyers')).size === 0, { what: 'nobody is left' });
  assert.deepEqual(await names('known-buyers'), []);
  const tables = await (await edge.fetch('/ec/dev/tables')).text();
  for (const gone of [desk.anonymousId, phone.anonymousId]) assert.ok(!tables.includes(gone), 'no table names them');
});

test('a pop-up for a segment travels as one for everybody who is in it, and to nobody else', async () => {
  await save('jacket-fans', 'products_viewed(category = "jackets") >= 2');
  const condition = 'segment("jacket-fans") and not segment("regular-fans") and cart_units >= 1';
  const campaign = { name: 'Fans', type: 'popup', condition, trigger: { exit_intent: true }, content: { title: 'You like jackets' } };
  const unknown = await edge.api.put('/api/campaigns/fans', campaign);
  assert.deepEqual([unknown.status, unknown.body.error.path], [400, 'condition']);
  assert.match(unknown.body.error.message, /`regular-fans`, which there is not/);
  await save('regular-fans', 'segment("jacket-fans") and orders >= 2');
  await edge.api.set('/api/campaigns/fans', campaign);

  const visitor = new Visitor(edge);
  const offered = async () => (await visitor.decision()).campaigns.map((/** @type {any} */ { id, eligible, labels }) => [id, eligible, labels]);
  await visitor.send([visitor.product('Viewed', 'p-1', { category: 'jackets' })]);
  assert.deepEqual(await offered(), [], 'nobody else gets it');
  await visitor.send([visitor.product('Viewed', 'p-2', { category: 'jackets' })]);
  assert.deepEqual(await offered(), [['fans', false, ['cart_units >= 1']]], 'the page has only its own question left');
  await visitor.send([visitor.product('Added', 'p-2')]);
  assert.deepEqual(await offered(), [['fans', true, ['cart_units >= 1']]]);
  await visitor.send([visitor.order('o-f1', [{ product_id: 'p-1' }]), visitor.order('o-f2', [{ product_id: 'p-1' }]), visitor.product('Added', 'p-2')]);
  assert.deepEqual(await offered(), [], 'who came into the other one is out');

  // What is asked for stays.
  for (const [id, user] of [['jacket-fans', /segment `regular-fans`/], ['regular-fans', /campaign `fans`/]]) {
    const { status, body } = await edge.api.delete(`/api/segments/${id}`);
    assert.equal(status, 400);
    assert.match(body.error.message, /** @type {RegExp} */ (user));
  }
  const circle = await edge.api.put('/api/segments/jacket-fans', { name: 'x', condition: 'segment("regular-fans")' });
  assert.match(circle.body.error.message, /itself/);
  const why = await edge.api.post(`/api/segments/explain?anonymous_id=${visitor.anonymousId}`, { condition });
  assert.deepEqual(why.body.condition.parts.map((/** @type {any} */ { holds }) => holds), [true, false, true]);
  assert.equal((await edge.api.post(`/api/segments/explain?anonymous_id=${visitor.anonymousId}`, { condition: 'segment("none")' })).status, 400);
  assert.equal((await edge.api.post('/api/segments/preview', { condition: 'segment("none")' })).status, 400);
  const inside = (await preview({ condition: 'segment("jacket-fans") and not segment("regular-fans")' })).at(-1);
  assert.deepEqual([inside.state, inside.matching.people], ['exact', 0]);
  assert.equal((await edge.api.delete('/api/campaigns/fans')).status, 204);
});

test('people keep their segments when their buckets move to other shards', async () => {
  const shop = await Edge.start({ variables: { ENDCAP_SHARDS: '1' } });
  try {
    await customers('moving', 120, 20, shop);
    await shop.api.set('/api/segments/moved', { name: 'Moved', condition: 'days_since_last_order >= 20' });
    const known = async () => {
      const { body } = await shop.api.get('/api/segments/moved');
      return body.filling === null && body.size;
    };
    assert.equal(await until(known, { what: 'it is filled' }), 120);
    const before = (await streamed('/api/segments/moved/export', {}, shop)).text;
    await shop.api.set('/api/shards', { shards: 4 });
    await until(async () => (await shop.api.get('/api/shards')).body.remaining === 0, { what: 'the buckets moved', within: 60_000 });
    assert.equal(await until(known, { what: 'the shards that got people looked at them' }), 120);
    assert.equal((await streamed('/api/segments/moved/export', {}, shop)).text, before);
    const { body: { days: [day] } } = await shop.api.get('/api/segments/moved/history?days=1');
    assert.deepEqual([day.size, day.entered, day.left, day.by_definition], [120, 0, 0, 120], 'a move is no movement');
  } finally {
    await shop.stop();
  }
});

test('a runtime that is killed during a fill and while people come loses nobody and counts nobody twice', async () => {
  const shop = await Edge.start({ variables: { ENDCAP_SHARDS: '1' } });
  try {
    await customers('many', 2000, 50, shop);
    await shop.api.set('/api/segments/killed', { name: 'Killed', condition: 'days_since_last_order >= 50 or cart_units > 0' });
    const looked = async () => (await shop.api.get('/api/segments/killed')).body.filling?.looked_at;
    const begun = await until(async () => (await looked()) ?? 'through', { what: 'the fill begins', every: 1 });
    await shop.crash();
    assert.notEqual(begun, 'through');
    assert.ok(((await looked()) ?? 0) < 2000, 'it was killed in the middle');
    for (let n = 0; n < 12; n += 1) {
      const visitor = new Visitor(shop);
      await visitor.send([visitor.product('Added', 'p-1')]);
      if (n % 4 === 0) await shop.crash();
    }
    const whole = await until(async () => {
      const { body } = await shop.api.get('/api/segments/killed');
      return body.filling === null && body;
    }, { what: 'the fill is through', within: 60_000 });
    const lines = await preview({ condition: 'days_since_last_order >= 50' }, shop);
    const estimate = lines.find(({ state }) => state === 'estimate');
    const { people, low, high } = estimate.matching;
    assert.ok(low <= people && people <= high && Math.abs(people - 2000) <= 2 * (high - low), JSON.stringify(estimate));
    assert.equal(lines.at(-1).matching.people, 2000);
    const all = (await streamed('/api/segments/killed/export', {}, shop)).text.trimEnd().split('\r\n').slice(1);
    assert.deepEqual([whole.size, all.length, new Set(all.map((line) => line.split(',')[0])).size], [2012, 2012, 2012]);
    const { body: { size, days: [day] } } = await shop.api.get('/api/segments/killed/history?days=1');
    assert.deepEqual([size, day.size, day.entered - day.left + day.by_definition], [2012, 2012, 2012]);
  } finally {
    await shop.stop();
  }
});

test('with a hundred segments an everyday batch writes no more rows', async () => {
  const without = await everydayRows(edge);
  for (let n = 0; n < 90; n += 1) {
    await edge.api.set(`/api/segments/s-${n}`, { name: `s-${n}`, condition: `orders >= ${1 + (n % 7)} and days_since_last_order < ${30 + n} or cart_value > ${1000 * (n + 1)}` });
  }
  await filled('s-89');
  const withThem = await everydayRows(edge);
  assert.ok(withThem <= without, `${withThem} rows with, ${without} without`);
});
