/** Web push as the edge does it: subscriptions, the message about a cart left behind, and what becomes of it. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const HALF_AN_HOUR = 1800_000;

/** @type {Edge} */
let edge;
/** @type {PushService} */
let service;
before(async () => {
  [edge, service] = await Promise.all([Edge.start(), PushService.start()]);
  await edge.api.set('/api/products', { products: PRODUCTS });
});
after(async () => {
  await edge.stop();
  await service.close();
});

/** @type {Receiver} */
let receiver;
/** @type {Visitor} A New customer with one browser that can be reached. */
let customer;
beforeEach(async () => {
  receiver = new Receiver(service, edge.pushKey);
  customer = new Visitor(edge);
  await customer.send([customer.order(`first-${customer.anonymousId}`, [{ product_id: 'trousers-1' }])]);
  const { status, body } = await customer.subscribe(receiver.subscription);
  assert.deepEqual([status, body.subscribed], [200, true]);
});

/** Leaves a cart behind and lets half an hour pass. @param {Visitor} visitor */
async function leaveCart(visitor) {
  await visitor.send([visitor.product('Added', 'shoes-2', { category: 'shoes', quantity: 2, price: 20 })]);
  await edge.passTime(Date.now() + HALF_AN_HOUR + 1000);
}

/** The pushes of a profile. @param {Visitor} visitor @returns {Promise<any[]>} */
async function pushes(visitor) {
  return (await edge.api.profile({ anonymous_id: visitor.anonymousId })).pushes;
}

/** Waits for the outcome of the last push. @param {Visitor} visitor @param {string} outcome */
function seeOutcome(visitor, outcome) {
  return until(async () => (await pushes(visitor)).at(-1)?.outcome === outcome, { what: `outcome ${outcome}` });
}

test('a cart left behind leads to one message, which an independent library decrypts', async () => {
  await leaveCart(customer);
  const [message] = await until(() => receiver.messages.length && receiver.messages, { what: 'the message' });
  assert.equal(message.payload.web_push, 8030);
  const { title, body, navigate, tag, data } = message.payload.notification;
  assert.ok(title && tag && data.token && data.message_id);
  assert.match(body, /The shoes-2/);
  assert.match(navigate, /\/cart$/);
  assert.ok(message.ttl > 0);
  assert.match(String(message.topic), /^[\w-]{32}$/);
  assert.equal(message.claims?.sub, 'mailto:ops@shop.example');
  await seeOutcome(customer, 'sent');
  const [push] = await pushes(customer);
  assert.deepEqual([push.message_id, push.campaign], [data.message_id, 'cart_left']);

  await edge.passTime(Date.now() + 4 * HALF_AN_HOUR);
  assert.equal(receiver.messages.length, 1, 'one message for one state of the cart');
});

test('nothing is sent too early, about an emptied cart, or about a bought one', async () => {
  await customer.send([customer.product('Added', 'shoes-2', { category: 'shoes' })]);
  await edge.passTime(Date.now() + HALF_AN_HOUR - 60_000);
  assert.equal(receiver.messages.length, 0, 'a minute too early');
  await customer.send([customer.product('Removed', 'shoes-2', { category: 'shoes' })]);
  await edge.passTime(Date.now() + 2 * HALF_AN_HOUR);
  assert.equal(receiver.messages.length, 0, 'the cart is empty');
  await customer.send([customer.product('Added', 'shoes-2'), customer.order('bought', [{ product_id: 'shoes-2' }])]);
  await edge.passTime(Date.now() + 2 * HALF_AN_HOUR);
  assert.equal(receiver.messages.length, 0, 'the cart was bought');
});

test('a prospect and a customer who withdrew consent get no message', async () => {
  const prospect = new Visitor(edge);
  const theirs = new Receiver(service, edge.pushKey);
  await prospect.send([prospect.track('Browsing')]);
  await prospect.subscribe(theirs.subscription);
  await leaveCart(prospect);
  assert.equal(theirs.messages.length, 0, 'a prospect');
  customer.consent = { analytics: true, personalization: true, marketing: false };
  await leaveCart(customer);
  assert.equal(receiver.messages.length, 0, 'no consent to marketing');
});

test('what the browser reports is recorded once, and forged reports are not', async () => {
  await leaveCart(customer);
  const [message] = await until(() => receiver.messages.length && receiver.messages, { what: 'the message' });
  const { token } = message.payload.notification.data;
  const report = (/** @type {string} */ token, /** @type {string} */ outcome, at = Date.now()) =>
    customer.postTo('/ec/n', { token, outcome, at });
  // Another letter than the token has there, whatever it is, and one all of whose bits count.
  const forged = await report(`${token.slice(0, -3)}${token.at(-3) === 'A' ? 'B' : 'A'}${token.slice(-2)}`, 'clicked');
  assert.ok(forged.status >= 400 && forged.status < 500, `${forged.status}`);
  assert.equal((await pushes(customer)).at(-1).clicked_at, null);
  const shown = Date.now();
  assert.equal((await report(token, 'shown', shown)).status, 204);
  assert.equal((await report(token, 'shown', shown + 5000)).status, 204);
  assert.equal((await report(token, 'clicked')).status, 204);
  const [push] = await until(async () => (await pushes(customer)).at(-1).clicked_at && pushes(customer));
  assert.ok(Math.abs(push.shown_at - shown) < 1000);
  assert.equal(push.closed_at, null);
});

test('an ended subscription is pruned and never asked again', async () => {
  service.end(receiver.id);
  await leaveCart(customer);
  await seeOutcome(customer, 'gone');
  const { counters } = await edge.api.profile({ anonymous_id: customer.anonymousId });
  assert.equal(counters.push_subscriptions, 0);
  const asked = service.requests;
  await customer.send([customer.product('Added', 'shoes-3', { category: 'shoes' })]);
  await edge.passTime(Date.now() + 2 * HALF_AN_HOUR);
  assert.equal(service.requests, asked);
});

test('a push service that is down is asked again later, and the message arrives once', async () => {
  service.fail(receiver.id, { status: 503, times: 2, headers: { 'Retry-After': '60' } });
  await leaveCart(customer);
  await seeOutcome(customer, 'retry');
  assert.equal(receiver.messages.length, 0);
  const start = Date.now() + HALF_AN_HOUR;
  for (let minutes = 2; minutes <= 120 && !receiver.messages.length; minutes *= 2) {
    await edge.passTime(start + minutes * 60_000);
  }
  await seeOutcome(customer, 'sent');
  assert.equal(receiver.messages.length, 1);
});

test('a customer with two browsers gets the message on both', async () => {
  const second = new Receiver(service, edge.pushKey);
  assert.equal((await customer.subscribe(second.subscription)).status, 200);
  await leaveCart(customer);
  await until(() => receiver.messages.length === 1 && second.messages.length === 1, { what: 'both receive it' });
});

test('a person gets one message a day, whatever cart is left on whichever of their browsers', async () => {
  const start = Date.now();
  const ago = (/** @type {number} */ hours) => ({ timestamp: start - hours * 2 * HALF_AN_HOUR });
  const [desk, phone] = [new Visitor(edge), new Visitor(edge)];
  const theirs = new Receiver(service, edge.pushKey);
  const user = `capped-${desk.anonymousId}`;
  await desk.send([desk.order(`first-${user}`, [{ product_id: 'trousers-1' }], ago(30))]);
  await phone.send([phone.track('Browsing', {}, ago(3))]);
  // A first proof ends what was subscribed before it; the page offers its own again.
  for (const [visitor, { subscription }] of /** @type {[Visitor, Receiver][]} */ ([[desk, receiver], [phone, theirs]])) {
    await visitor.send([visitor.identify(user, {}, edge.proof(user))]);
    await visitor.subscribe(subscription);
  }
  await until(async () => (await edge.api.profile({ user_id: user })).counters.push_subscriptions === 2, {
    what: 'both browsers are theirs',
  });
  const both = () => Math.min(receiver.messages.length, theirs.messages.length);
  await desk.send([desk.product('Added', 'shoes-2', { category: 'shoes' }, ago(2))]);
  // It was due an hour ago, so the shard's own alarm rings.
  await until(() => both() === 1, { what: 'the first message on both browsers' });

  await phone.send([phone.product('Added', 'shoes-3', { category: 'shoes' })]);
  for (const hours of [1, 12, 23]) await edge.passTime(start + hours * 2 * HALF_AN_HOUR);
  assert.deepEqual([receiver.messages.length, theirs.messages.length], [1, 1], 'the second waits');
  await edge.passTime(start + 25 * 2 * HALF_AN_HOUR);
  await until(() => both() === 2, { what: 'the second message, a day later' });
});

test('an unsubscribed browser gets nothing', async () => {
  const body = { anonymous_id: customer.anonymousId, source: 'demo', unsubscribe: receiver.subscription.endpoint };
  assert.equal((await customer.postTo('/ec/push', body)).status, 200);
  await leaveCart(customer);
  assert.equal(receiver.messages.length, 0);
});

/** Addresses that no browser's push service has. */
const HOSTILE_ENDPOINTS = [
  'https://evil.example/wpush/v2/x',
  'https://fcm.googleapis.com.evil.example/x',
  'https://evil-fcm.googleapis.com/x',
  'https://fcm.googleapis.com@evil.example/x',
  'https://user:pass@fcm.googleapis.com/x',
  'https://fcm.googleapis.com:8443/x',
  'http://fcm.googleapis.com/x',
  'https://169.254.169.254/latest/meta-data',
  'http://[::1]/x',
  'http://127.0.0.1@evil.example/',
  'http://127.0.0.1.evil.example/',
  'https://fcm.googleapis.com\\@evil.example/x',
  'https://push.services.mozilla.com.evil.example/x',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '//fcm.googleapis.com/x',
  `https://fcm.googleapis.com/${'x'.repeat(4000)}`,
  '',
];

test('hostile endpoints are refused by their path', async () => {
  for (const endpoint of HOSTILE_ENDPOINTS) {
    const { status, body } = await customer.subscribe({ ...receiver.subscription, endpoint });
    assert.deepEqual([status, body.error?.path], [400, 'subscription.endpoint'], endpoint.slice(0, 60));
  }
});

test('hostile keys and bodies are refused by their path', async () => {
  const { endpoint, keys } = receiver.subscription;
  const offCurve = Buffer.from(keys.p256dh, 'base64url');
  offCurve[64] ^= 1;
  /** @type {[object, string][]} */
  const cases = [
    [{ ...keys, p256dh: offCurve.toString('base64url') }, 'subscription.keys.p256dh'],
    [{ ...keys, p256dh: keys.p256dh.slice(0, 40) }, 'subscription.keys.p256dh'],
    [{ ...keys, p256dh: '!!!' }, 'subscription.keys.p256dh'],
    [{ ...keys, auth: 'AAAA' }, 'subscription.keys.auth'],
  ];
  for (const [wrong, path] of cases) {
    const { status, body } = await customer.subscribe({ endpoint, keys: wrong });
    assert.deepEqual([status, body.error?.path], [400, path]);
  }
  for (const body of ['', '{', 'null', '[]', '{"subscription":7}', '['.repeat(2_000), '{"unsubscribe":{}}']) {
    assert.equal((await customer.postTo('/ec/push', body)).status, 400, body.slice(0, 30));
    assert.equal((await customer.postTo('/ec/n', body)).status, 400, body.slice(0, 30));
  }
  const foreign = await customer.postTo('/ec/push', { subscription: receiver.subscription }, { Origin: 'https://evil.example' });
  assert.ok([400, 403].includes(foreign.status));
});

test('without the test configuration a push service on this machine is refused too', async (t) => {
  const real = await Edge.start({ variables: { ENDCAP_PUSH_LOOPBACK: '' } });
  t.after(() => real.stop());
  const visitor = new Visitor(real);
  await visitor.send([visitor.track('X')]);
  const { status, body } = await visitor.subscribe(receiver.subscription);
  assert.deepEqual([status, body.error.path], [400, 'subscription.endpoint']);
});
