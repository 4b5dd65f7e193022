/** Timers: one whose run fails is tried again, and one of an earlier version goes on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { leftCart } from '../harness/leftCart.mjs';
import { PushService } from '../harness/pushService.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';

const HALF_AN_HOUR = 1800_000;
/** A format that no version writes yet. */
const NEWER = 99;
/** The pause after the first failure. */
const PAUSE = 2000;

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

/** A customer who can be reached and left a cart behind, and when the message is due. */
async function customerWithCart() {
  return { ...(await leftCart(edge, service)), due: Date.now() + HALF_AN_HOUR + 1000 };
}

/** @param {string} route @param {unknown} [body] */
async function development(route, body = {}) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await edge.fetch(`/ec/dev/${route}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

const timers = async () => (await edge.api.get('/api/timers')).body;

test('a timer whose run fails is postponed and counted, and runs once the row can be read', async () => {
  const { customer, receiver, due } = await customerWithCart();
  const before = await timers();
  assert.deepEqual([before.postponed, before.failed_runs], [0, 0]);
  assert.ok(before.waiting >= 1 && before.next_due > Date.now());
  // As during a gradual deployment: a newer version wrote the row, and this one has to run the timer.
  const { format } = await development('row-format', { profile_id: customer.anonymousId, format: NEWER });
  await edge.passTime(due);
  await edge.passTime(due + PAUSE);
  const failed = await timers();
  assert.deepEqual([failed.postponed, failed.failed_runs], [1, 2]);
  assert.equal(receiver.messages.length, 0);
  // The second failure waits twice as long as the first.
  await development('row-format', { profile_id: customer.anonymousId, format });
  await edge.passTime(due + 2 * PAUSE);
  assert.equal((await timers()).postponed, 1, 'it is not due yet');
  await edge.passTime(due + 3 * PAUSE);
  const [message] = await until(() => receiver.messages.length && receiver.messages, { what: 'the message' });
  assert.match(message.payload.notification.body, /The shoes-2/);
  const done = await timers();
  assert.deepEqual([done.postponed, done.failed_runs], [0, 2]);
});

test('timers that an earlier version left without keys go on', async () => {
  const { receiver, due } = await customerWithCart();
  const { waiting } = await timers();
  await development('old-timers');
  assert.equal((await timers()).waiting, 0);
  await edge.restart();
  assert.equal((await timers()).waiting, waiting);
  await edge.passTime(due);
  await until(() => receiver.messages.length, { what: 'the message' });
});
