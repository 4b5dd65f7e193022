/** Webhooks: whom the edge believes, what their payloads become, and what happens to those that do not fit. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { answerOf } from '../harness/api.mjs';
import { Edge, WEBHOOK_SECRETS } from '../harness/edge.mjs';
import { ROOT } from '../harness/paths.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
  await edge.api.set('/api/webhooks/shopify', { preset: 'shopify' });
  await edge.api.set('/api/webhooks/woo', { preset: 'woocommerce' });
});
after(() => edge.stop());

/** @typedef {Record<string, any>} Json */

/** A payload as the shop system sends it, with other members. @param {string} name @param {Json} [fields] */
function payload(name, fields = {}) {
  const file = `${ROOT}edge/events/src/webhook/fixtures/${name}.json`;
  return { .../** @type {Json} */ (JSON.parse(readFileSync(file, 'utf8'))), ...fields };
}

/** @param {string} secret @param {string} text */
const base64 = (secret, text) => createHmac('sha256', secret).update(text).digest('base64');

/**
 * @param {string} source
 * @param {string} text
 * @param {Record<string, string>} headers
 */
async function send(source, text, headers) {
  const all = { 'Content-Type': 'application/json', ...headers };
  return answerOf(await edge.fetch(`/v1/webhooks/${source}`, { method: 'POST', headers: all, body: text }));
}

/** @param {string} topic @param {Json} body @param {Record<string, string>} [headers] */
function shopify(topic, body, headers = {}) {
  const text = JSON.stringify(body);
  const hmac = base64(WEBHOOK_SECRETS.shopify, text);
  return send('shopify', text, { 'X-Shopify-Topic': topic, 'X-Shopify-Hmac-Sha256': hmac, ...headers });
}

/** @param {string} topic @param {Json} body */
function woo(topic, body) {
  const text = JSON.stringify(body);
  return send('woo', text, { 'X-WC-Webhook-Topic': topic, 'X-WC-Webhook-Signature': base64(WEBHOOK_SECRETS.woo, text) });
}

/** @param {string} secret @param {string} text @param {number} [seconds] */
function signed(secret, text, seconds = Math.floor(Date.now() / 1000)) {
  const mac = createHmac('sha256', secret).update(`${seconds}.${text}`).digest('hex');
  return { 'X-Endcap-Signature': `t=${seconds},v1=${mac}` };
}

/** @param {string} source @param {string} secret @param {Json} body @param {Record<string, string>} [headers] */
function endcap(source, secret, body, headers = {}) {
  const text = JSON.stringify(body);
  return send(source, text, { ...signed(secret, text), ...headers });
}

/** @param {Json} identifier @returns {Promise<Json>} */
const profile = (identifier) => until(() => edge.api.profile(/** @type {any} */ (identifier)));

test('a Shopify order lands as Order Completed with its customer, once', async () => {
  const id = 7_100_000_000_001;
  const customer = { ...payload('shopify-customer'), id, email: 'shopper@shop.example' };
  const order = payload('shopify-order', { id: 5_600_000_000_001, email: customer.email, contact_email: null, customer });
  const { status, body } = await shopify('orders/create', order, { 'X-Shopify-Webhook-Id': 'w-1' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.accepted.length, body.duplicate, body.rejected], [2, [], []]);
  const found = await profile({ user_id: String(id) });
  assert.deepEqual(found.orders.map((/** @type {Json} */ one) => [one.order_id, one.revenue_minor, one.currency, one.units]),
    [['5600000000001', 9000, 'EUR', 3]]);
  assert.deepEqual([found.traits.first_name, found.traits.email], ['Ann', 'shopper@shop.example']);
  assert.equal((await profile({ email: 'shopper@shop.example' })).profile_id, found.profile_id);
  const again = await shopify('orders/create', order, { 'X-Shopify-Webhook-Id': 'w-2' });
  assert.deepEqual([again.status, again.body.accepted, again.body.duplicate.length], [200, [], 2]);
  assert.equal((await profile({ user_id: String(id) })).counters.orders, 1);
});

test('an order of a guest lands with the person whose address it names', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.identify('mia-1', { email: 'Mia@Shop.example' }, edge.proof('mia-1'))]);
  const customer = payload('shopify-customer', { id: 'mia-1', email: 'mia@shop.example' });
  assert.equal((await shopify('customers/update', customer)).body.accepted.length, 1);
  const order = payload('shopify-order', { id: 5_600_000_000_002, email: 'mia@shop.example', customer: null });
  assert.equal((await shopify('orders/create', order)).body.accepted.length, 1);
  const { orders, user_ids: users, profile_id: one } = await profile({ user_id: 'mia-1' });
  assert.deepEqual([orders.length, users], [1, ['mia-1']]);
  assert.equal((await profile({ email: 'mia@shop.example' })).profile_id, one);
});

test('what becomes of an order, and who the customer is, is told too', async () => {
  const id = 7_100_000_000_003;
  const customer = { ...payload('shopify-customer'), id, email: 'third@shop.example' };
  const order = payload('shopify-order', { id: 5_600_000_000_003, email: customer.email, customer });
  for (const [topic, fields] of /** @type {[string, Json][]} */ ([
    ['customers/update', customer],
    ['orders/paid', order],
    ['orders/updated', { ...order, financial_status: 'refunded' }],
    ['orders/cancelled', { ...order, cancel_reason: 'customer' }],
  ])) {
    const { status, body } = await shopify(topic, fields);
    assert.deepEqual([status, body.accepted?.length, body.rejected], [200, 1, []], topic);
  }
  const { events, traits } = await profile({ user_id: String(id) });
  const names = events.map((/** @type {Json} */ event) => event.name).sort();
  assert.deepEqual(names, ['Identified', 'Order Cancelled', 'Order Paid', 'Order Refunded']);
  assert.equal(traits.total_spent, 413.05);
  assert.deepEqual((await shopify('products/update', {})).body.accepted, [], 'no rule is about products');
});

test('a WooCommerce order counts when it is placed, and its ping is answered', async () => {
  const billing = { ...payload('woocommerce-order').billing, email: 'woo@shop.example' };
  const order = payload('woocommerce-order', { id: 900_001, customer_id: 4711, billing });
  assert.deepEqual((await woo('order.created', { ...order, status: 'pending' })).body.accepted, []);
  assert.equal((await woo('order.updated', order)).body.accepted.length, 3);
  assert.equal((await woo('order.updated', { ...order, status: 'completed' })).body.accepted.length, 0);
  const { orders } = await profile({ user_id: '4711' });
  assert.deepEqual(orders.map((/** @type {Json} */ one) => [one.order_id, one.revenue_minor]), [['900001', 3900]]);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  assert.equal((await send('woo', 'webhook_id=12', form)).status, 200);
  assert.equal((await send('woo', 'webhook_id=12&x=1', form)).status, 401);
});

test('nothing is believed that is not signed by the secret, over the very bytes', async () => {
  const text = JSON.stringify(payload('shopify-order', { id: 1 }));
  const topic = { 'X-Shopify-Topic': 'orders/create' };
  const good = base64(WEBHOOK_SECRETS.shopify, text);
  for (const [body, hmac] of [
    [text, base64('other', text)],
    [text, ''],
    [text, '%%%'],
    [text, good.slice(0, 10)],
    [text, base64('', text)],
    [`${text} `, good],
  ]) {
    const answer = await send('shopify', body, { ...topic, 'X-Shopify-Hmac-Sha256': hmac });
    assert.deepEqual([answer.status, answer.body.error?.code], [401, 'invalid_signature'], hmac);
  }
  assert.equal((await send('shopify', text, { ...topic, 'X-WC-Webhook-Signature': good })).status, 401);
  assert.equal((await send('nobody', text, { ...topic, 'X-Shopify-Hmac-Sha256': good })).status, 401);
  assert.equal((await edge.fetch('/v1/webhooks/shopify')).status, 405);
});

test('the generic signature holds for five minutes, and each of two secrets while they change', async () => {
  const rules = [{ event: 'track', name: 'Ticket Opened', user_id: '/user' }];
  await edge.api.set('/api/webhooks/turning', { scheme: 'endcap', rules });
  const text = JSON.stringify({ user: 'ticket-1' });
  const now = Math.floor(Date.now() / 1000);
  for (const secret of WEBHOOK_SECRETS.turning) {
    const { status, body } = await send('turning', text, { ...signed(secret, text), 'X-Endcap-Delivery': secret });
    assert.deepEqual([status, body.accepted?.length], [200, 1], secret);
  }
  for (const seconds of [now - 400, now + 400]) {
    assert.equal((await send('turning', text, signed('new-1', text, seconds))).status, 401);
  }
  const moved = signed('new-1', text, now - 400)['X-Endcap-Signature'].replace(/t=\d+/, `t=${now}`);
  assert.equal((await send('turning', text, { 'X-Endcap-Signature': moved })).status, 401);
});

test('a mapping of one’s own makes events, and the same delivery is a duplicate', async () => {
  await edge.api.set('/api/webhooks/erp', {
    scheme: 'endcap',
    rules: [
      {
        when: [{ path: '/kind', equals: ['sale', 'resale'] }, { header: 'X-Shop', equals: 'bonn' }],
        event: 'track', name: 'Order Completed', message_id: '/no', timestamp: '/at', user_id: '/customer',
        properties: {
          order_id: '/no', currency: { const: 'EUR' }, revenue: { money: '/sum' },
          products: { list: '/lines', each: { product_id: '/sku', quantity: '/n', price: { money: '/each' } } },
        },
      },
    ],
  });
  const sale = { kind: 'sale', no: 'A-1', at: '2025-10-09T11:02:03+02:00', customer: 'till-7', sum: '30.50',
    lines: [{ sku: 'p1', n: 2, each: '10.00' }, { sku: 'p2', n: 1, each: 10.5 }] };
  const shop = { 'X-Shop': 'bonn' };
  assert.equal((await endcap('erp', 'erp-1', sale, shop)).body.accepted.length, 1);
  assert.equal((await endcap('erp', 'erp-1', sale, shop)).body.duplicate.length, 1);
  assert.deepEqual((await endcap('erp', 'erp-1', sale)).body.accepted, [], 'the header is missing');
  const { orders } = await profile({ user_id: 'till-7' });
  assert.deepEqual(orders.map((/** @type {Json} */ one) => [one.at, one.revenue_minor, one.units]), [[1_760_000_523_000, 3050, 3]]);
});

test('what the mapping cannot make is said with its path', async () => {
  await edge.api.set('/api/webhooks/spare', {
    scheme: 'endcap',
    rules: [{ event: 'track', name: 'Order Completed', user_id: '/u', properties: { order_id: '/id', total: { money: '/t' } } }],
  });
  /** @type {[Json, string][]} */
  const cases = [
    [{ id: 1, t: '1.00' }, 'user_id'],
    [{ u: 'u', t: 'free' }, 'properties.order_id'],
  ];
  for (const [body, path] of cases) {
    const answer = await endcap('spare', 's-1', body);
    assert.equal(answer.status, 200, 'sending it again would change nothing');
    assert.deepEqual(answer.body.rejected.map((/** @type {Json} */ one) => one.path), [path], JSON.stringify(answer.body));
  }
  const text = 'no JSON';
  assert.equal((await send('spare', text, signed('s-1', text))).body.error.code, 'invalid_json');
  const long = ' '.repeat(1_100_000);
  assert.equal((await send('spare', long, signed('s-1', long))).status, 413);
});

test('what did not fit is kept, and taken in once the mapping was put right', async () => {
  const rule = { event: 'track', name: 'Lesson Booked', user_id: '/member', properties: { lesson: '/lesson' } };
  await edge.api.set('/api/webhooks/spare', { scheme: 'endcap', rules: [rule] });
  const wrong = await endcap('spare', 's-1', { pupil: 'pupil-1', lesson: 'skiing' });
  assert.equal(wrong.body.rejected[0].path, 'user_id');
  const kept = async () => (await edge.api.get('/api/quarantine?source=spare&route=webhook')).body.events;
  const mine = (/** @type {Json} */ one) => one.raw.includes('pupil-1');
  const [refused] = (await kept()).filter(mine);
  assert.deepEqual([refused.code, refused.path, JSON.parse(refused.raw).lesson], ['invalid_field', 'user_id', 'skiing']);
  const replay = async () => (await edge.api.post('/api/quarantine/replay', { ids: [refused.id] })).body;
  assert.equal((await replay()).rejected[0].path, 'user_id', 'nothing was put right yet');
  await edge.api.set('/api/webhooks/spare', { scheme: 'endcap', rules: [{ ...rule, user_id: '/pupil' }] });
  assert.deepEqual((await replay()).accepted, [refused.id]);
  const { events } = await profile({ user_id: 'pupil-1' });
  assert.ok(events.some((/** @type {Json} */ event) => event.name === 'Lesson Booked'));
  assert.ok(!(await kept()).some(mine));
});

test('a mapping is put, read, listed and deleted, and what is wrong with it is named', async () => {
  const mapping = { scheme: 'endcap', rules: [{ event: 'identify', email: '/mail', properties: { vip: { const: true } } }] };
  await edge.api.set('/api/webhooks/crud', mapping);
  assert.deepEqual((await edge.api.get('/api/webhooks/crud')).body, { ...mapping, source: 'crud' });
  const { body } = await edge.api.get('/api/webhooks');
  assert.ok(body.webhooks.some((/** @type {Json} */ one) => one.source === 'crud'));
  const rule = { event: 'track', name: 'n', user_id: '/u' };
  /** @type {[unknown, string][]} */
  const cases = [
    [{}, 'scheme'],
    [{ preset: 'magento' }, 'preset'],
    [{ scheme: 'endcap', rules: [] }, 'rules'],
    [{ scheme: 'endcap', rules: [rule, { ...rule, user_id: 'u' }] }, 'rules[1].user_id'],
    [{ scheme: 'endcap', rules: [{ ...rule, when: { header: 'x' } }] }, 'rules[0].when[0]'],
    [{ scheme: 'endcap', rules: [{ ...rule, properties: { a: { money: '/~2' } } }] }, 'rules[0].properties.a.money'],
    [{ scheme: 'endcap', rules: [{ ...rule, colour: 1 }] }, 'rules[0].colour'],
    [{ scheme: 'endcap', rules: Array(51).fill(rule) }, 'rules'],
    ['{', ''],
  ];
  for (const [value, path] of cases) {
    const answer = await edge.api.put('/api/webhooks/crud', value);
    assert.deepEqual([answer.status, answer.body.error?.path], [400, path], JSON.stringify(answer.body));
  }
  assert.deepEqual((await edge.api.get('/api/webhooks/crud')).body, { ...mapping, source: 'crud' }, 'nothing was changed');
  assert.equal((await edge.api.put('/api/webhooks/crud', ' '.repeat(70_000))).status, 413);
  assert.equal((await edge.api.delete('/api/webhooks/crud')).status, 204);
  assert.equal((await edge.api.get('/api/webhooks/crud')).status, 404);
  assert.equal((await edge.api.delete('/api/webhooks/crud')).status, 404);
  assert.equal((await edge.api.with('wrong').get('/api/webhooks')).status, 401);
});
