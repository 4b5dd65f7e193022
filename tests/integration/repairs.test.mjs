/** One odd member never costs an event, and never in silence: what is repaired, whoever sends it, and who is told. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { answerOf } from '../harness/api.mjs';
import { Edge, SOURCE, WEBHOOK_SECRETS } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** Sends one event and returns its warnings as `code path`. @param {Visitor} visitor @param {Json} event @returns {Promise<string[]>} */
async function told(visitor, event) {
  const { warnings = [] } = await visitor.send([event]);
  for (const warning of warnings) {
    assert.ok(warning.message.length > 10 && warning.message_id === event.message_id, JSON.stringify(warning));
  }
  return warnings.map((/** @type {Json} */ { code, path }) => `${code} ${path}`);
}

/** The orders of a visitor as `number amount currency units`. @param {Visitor} visitor @returns {Promise<string[]>} */
async function orders(visitor) {
  const { orders } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  return orders.map((/** @type {Json} */ one) => `${one.order_id} ${one.revenue_minor} ${one.currency} ${one.units}`);
}

/** Warnings that are kept. @param {Record<string, string>} [query] @returns {Promise<Json[]>} */
async function kept(query = {}) {
  const { status, body } = await edge.api.get(`/api/quarantine?${new URLSearchParams({ kind: 'warning', ...query })}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.warnings;
}

/** @param {string} key @param {Json} [more] A line of an order. */
const line = (key, more = {}) => ({ product_id: key, price: 10, quantity: 1, ...more });

/** What is sent as an order's properties, the order that comes of it, and what is warned of. @type {[Json, string, string[]][]} */
const ORDERS = [
  [{ products: [line('a', { quantity: 0.5 })] }, '500 EUR 1', ['quantity_repaired properties.products[0].quantity']],
  [{ products: [line('a'), line('b', { quantity: 0 })] }, '1000 EUR 1', ['quantity_repaired properties.products[1].quantity']],
  [{ products: [line('a'), line('b', { price: -3 })] }, '700 EUR 2', ['amount_negative properties.products[1].price']],
  [{ products: [line('a'), { name: 'Gift wrap', price: 3 }] }, '1300 EUR 1', ['product_unnamed properties.products[1].product_id']],
  [{ products: [line('', { sku: 'S1' })] }, '1000 EUR 1', []],
  [{ products: Array.from({ length: 101 }, (_, at) => line(`p${at}`)), total: 999 }, '99900 EUR 100', ['field_cut properties.products']],
  [{ products: { 0: line('a'), 1: line('b') } }, '2000 EUR 2', []],
  [{ products: line('a') }, '1000 EUR 1', []],
  [{ revenue: 25, currency: '' }, '2500 EUR 0', ['currency_assumed properties.currency']],
  [{ revenue: 25, currency: '€' }, '2500 EUR 0', ['currency_read properties.currency']],
  [{ revenue: 25, currency: ' USD ' }, '2500 USD 0', []],
  [{ revenue: 25, currency: 'usd' }, '2500 USD 0', []],
  [{ revenue: 25, products: [line('a', { currency: 'USD' })] }, '2500 USD 1', []],
  [{ revenue: 25 }, '2500 EUR 0', []],
  [{ revenue: '25,00', products: [line('a')] }, '2500 EUR 1', []],
  [{ revenue: '$25.00', currency: 'USD', products: [line('a')] }, '2500 USD 1', []],
  [{ revenue: '1.299,00 €' }, '129900 EUR 0', []],
  [{ revenue: '1,299.00' }, '129900 EUR 0', []],
  [{ revenue: "CHF 1'299.–" }, '129900 CHF 0', ['currency_read properties.revenue']],
  [{ revenue: 'NT$1,299', currency: 'TWD' }, '129900 TWD 0', ['amount_ambiguous properties.revenue']],
  [{ revenue: -25, products: [line('a')] }, '-2500 EUR 1', ['amount_negative properties.revenue']],
];

test('an odd value costs no order, and the order counts as a person would read it', async () => {
  for (const [at, [properties, wanted, warnings]] of ORDERS.entries()) {
    const visitor = new Visitor(edge);
    const said = await told(visitor, visitor.track('Order Completed', { order_id: `o${at}`, ...properties }));
    assert.deepEqual(said, warnings, JSON.stringify(properties));
    assert.deepEqual(await orders(visitor), [`o${at} ${wanted}`], JSON.stringify(properties));
  }
});

test('an empty product ID is the next name of the product', async () => {
  const visitor = new Visitor(edge);
  assert.deepEqual(await told(visitor, visitor.track('Product Viewed', { product_id: '', sku: 'S1' })), []);
  assert.deepEqual(await told(visitor, visitor.track('Order Completed', { order_id: 'o-sku', products: [line('', { sku: 'S2' })] })), []);
  const { products_viewed: viewed, orders } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.deepEqual([viewed, orders.map((/** @type {Json} */ one) => one.order_id)], [['S1'], ['o-sku']]);
});

test('a server call and a webhook are repaired alike', async () => {
  const authorization = `Basic ${Buffer.from(`${edge.serverKey}:`).toString('base64')}`;
  /** @param {Json} body */
  const call = async (body) => {
    const named = { messageId: `${Math.random()}`, ...body };
    const init = { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(named) };
    return answerOf(await edge.fetch('/v1/track', init));
  };
  const properties = { orderId: 'o-server', revenue: '1.299,00 €', products: [{ productId: 'a', quantity: 0.5, price: 1 }] };
  const { status, body } = await call({ userId: 'repaired', event: 'Order Completed', timestamp: 'yesterday', properties });
  assert.deepEqual([status, body.warnings.map((/** @type {Json} */ { code }) => code).sort()], [200, ['quantity_repaired', 'time_unreadable']]);
  const long = await call({ userId: 'x'.repeat(300), anonymousId: 'long-user', event: 'Note', messageId: 'm1' });
  assert.deepEqual([long.status, long.body.warnings.map((/** @type {Json} */ { code, path }) => `${code} ${path}`)], [200, ['user_dropped userId']]);
  const mail = await call({ userId: 'repaired', event: 'Note', timestamp: 'Sat, 01 Nov 2025 10:00:00 GMT' });
  assert.equal(mail.body.warnings, undefined);
  const note = (await edge.api.events({ user_id: 'repaired' })).find(({ name }) => name === 'Note');
  assert.equal(note.timestamp, Date.UTC(2025, 10, 1, 10));
  const unheld = `{"userId":"repaired","messageId":"unheld","event":"Note","properties":{"kept":1,"out":1e999}}`;
  const answer = await answerOf(await edge.fetch('/v1/track', { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: unheld }));
  assert.deepEqual([answer.status, answer.body.warnings.map((/** @type {Json} */ { code, path }) => `${code} ${path}`)], [200, ['field_dropped properties.out']]);

  const rule = { event: 'track', name: 'Order Completed', user_id: '/user', timestamp: '/at',
    properties: { order_id: '/id', revenue: { money: '/sum' }, products: { list: '/items', each: { product_id: '/sku' } } } };
  await edge.api.set('/api/webhooks/erp', { scheme: 'endcap', rules: [rule] });
  const text = JSON.stringify({ user: 'repaired', id: 'o-hook', sum: '49,90', at: '2025-11-01 10:00:00 UTC', items: { 0: { sku: 'b' } } });
  const seconds = Math.floor(Date.now() / 1000);
  const mac = createHmac('sha256', WEBHOOK_SECRETS.erp).update(`${seconds}.${text}`).digest('hex');
  const headers = { 'X-Endcap-Signature': `t=${seconds},v1=${mac}`, 'content-type': 'application/json' };
  const hook = await answerOf(await edge.fetch('/v1/webhooks/erp', { method: 'POST', headers, body: text }));
  assert.equal(hook.status, 200, JSON.stringify(hook.body));

  const { orders } = await edge.api.profile({ user_id: 'repaired' });
  const found = orders.map((/** @type {Json} */ one) => `${one.order_id} ${one.revenue_minor} ${one.units}`).sort();
  assert.deepEqual(found, ['o-hook 4990 1', 'o-server 129900 1']);
  assert.equal(orders.find((/** @type {Json} */ one) => one.order_id === 'o-hook').at, Date.UTC(2025, 10, 1, 10));
});

test('warnings are counted, and the latest are kept with what they say', async () => {
  const visitor = new Visitor(edge);
  const before = (await kept({ source: SOURCE, code: 'field_cut' }))[0]?.count ?? 0;
  const events = Array.from({ length: 25 }, () => visitor.track('x'.repeat(300)));
  for (const event of events) await visitor.send([event]);
  const [group, ...others] = await kept({ source: SOURCE, code: 'field_cut' });
  assert.deepEqual([others, group.count, group.samples.length], [[], before + 25, 20]);
  assert.match(group.meaning, /cut/);
  const [latest] = group.samples;
  assert.deepEqual([latest.message_id, latest.path, latest.subject], [events.at(-1)?.message_id, 'name', visitor.anonymousId]);
  assert.equal(latest.event, 'x'.repeat(200));
  const { warnings } = (await edge.api.get('/api/quarantine/counts')).body;
  const sum = warnings.filter((/** @type {Json} */ one) => one.code === 'field_cut' && one.source === SOURCE)
    .reduce((/** @type {number} */ all, /** @type {Json} */ one) => all + one.count, 0);
  assert.equal(sum, before + 25);
});

test('a batch that is sent again is warned of once', async () => {
  const visitor = new Visitor(edge);
  const count = async () => (await kept({ code: 'user_dropped', source: SOURCE }))[0]?.count ?? 0;
  const [before, batch] = [await count(), visitor.batch([visitor.track('Note', {}, { user_id: 'x'.repeat(300) })])];
  assert.equal((await visitor.post(batch)).body.warnings.length, 1);
  assert.equal((await visitor.post(batch)).body.warnings, undefined);
  assert.equal(await count(), before + 1);
});

test('a mistake in every event costs few rows', async () => {
  const rows = async () => (await (await edge.fetch('/ec/dev/rows')).json()).rows_written;
  const [odd, plain] = [new Visitor(edge), new Visitor(edge)];
  const long = 'x'.repeat(300);
  /** @param {Visitor} visitor @param {Json} properties @param {Json} fields */
  const written = async (visitor, properties, fields) => {
    const before = await rows();
    for (let n = 0; n < 60; n += 1) await visitor.send([visitor.track('Note', properties, fields)]);
    return (await rows()) - before;
  };
  // Both send events of the same length, so that they fill as many rows of the log.
  const without = await written(plain, { note: long }, {});
  const more = (await written(odd, {}, { user_id: long })) - without;
  // 20 writings at once, then one a minute; an alarm may ring in between.
  assert.ok(more <= 30, `${more} rows more than ${without}`);
});

test('an odd member of the batch itself costs none of its events', async () => {
  const visitor = new Visitor(edge);
  const { status, body } = await visitor.post(visitor.batch([visitor.track('Note')], { device_id: { a: 1 }, dropped: 'many', sent_at: 'now' }));
  assert.equal(status, 200);
  assert.equal(body.accepted.length, 1);
  const paths = body.warnings.map((/** @type {Json} */ { path }) => path).sort();
  assert.deepEqual(paths, ['device_id', 'dropped', 'sent_at']);
});

test('the shop names the currency of events that name none, and money goes by its decimals', async () => {
  const { body: settings } = await edge.api.get('/api/settings');
  await edge.api.set('/api/settings', { ...settings, currency: 'JPY' });
  try {
    const sent = [['yen', '1,299', '1299 JPY', 'amount_ambiguous'], ['unread', 5, '5 JPY', 'currency_assumed', 'Taler'], ['empty', 5, '5 JPY', 'currency_assumed', ''],
      ['sign', 5, '500 EUR', 'currency_read', '€'], ['shared', 5, '5 JPY', 'currency_read', '¥'], ['dollar', 5, '500 USD', 'currency_read', 'US$']];
    for (const [order, revenue, wanted, code, currency] of sent) {
      const visitor = new Visitor(edge);
      const said = await told(visitor, visitor.track('Order Completed', { order_id: order, revenue, currency }));
      assert.deepEqual(said.map((one) => one.split(' ')[0]), [code], `${order}`);
      assert.deepEqual(await orders(visitor), [`${order} ${wanted} 0`]);
    }
  } finally {
    await edge.api.set('/api/settings', settings);
  }
});

test('samples go when their person is erased', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('Order Completed', { order_id: 'gone', revenue: 1, currency: 'Taler' })]);
  const of = async () => (await kept()).flatMap(({ samples }) => samples).filter(({ subject }) => subject === visitor.anonymousId);
  assert.equal((await of()).length, 1);
  const { profile_id } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  const { status } = await edge.api.delete(`/api/profiles/${encodeURIComponent(profile_id)}`);
  assert.ok(status === 200 || status === 202, `${status}`);
  assert.deepEqual(await of(), []);
});
