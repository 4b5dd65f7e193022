/** A job that can never be done is not tried for ever: it is parked, shown, and tried again when somebody asks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { leftCart } from '../harness/leftCart.mjs';
import { PushService } from '../harness/pushService.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';

const HOUR = 3600_000;
/** Tries after which a job is parked. */
const ATTEMPTS = 40;
/** A format that no version writes yet. */
const NEWER = 99;

test('a job that fails without end is parked, found, and tried again by the API', async (t) => {
  const [edge, service] = await Promise.all([Edge.start({ variables: { ENDCAP_SHARDS: '2' } }), PushService.start()]);
  t.after(() => Promise.all([edge.stop(), service.close()]));
  await edge.api.set('/api/products', { products: PRODUCTS });
  const { customer, receiver } = await leftCart(edge, service);
  service.fail(receiver.id, { status: 503, times: 1, headers: { 'Retry-After': '60' } });
  const begun = Date.now();
  await edge.passTime(begun + HOUR);
  /** @param {number} format @returns {Promise<number>} */
  const storeAs = async (format) => {
    const body = JSON.stringify({ profile_id: customer.anonymousId, format });
    const response = await edge.fetch('/ec/dev/row-format', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    return (await response.json()).format;
  };
  // From now on each try fails before it reaches the push service.
  const format = await storeAs(NEWER);
  const parked = async () => (await edge.api.get('/api/jobs/parked')).body;
  let tries = 0;
  for (; tries < 2 * ATTEMPTS && !(await parked()).count; tries += 1) await edge.passTime(begun + (2 + 2 * tries) * HOUR);
  assert.ok(tries < ATTEMPTS, `parked after ${tries} more tries`);

  const { count, jobs } = await parked();
  const [job] = jobs;
  assert.deepEqual([count, jobs.length, job.kind, job.profile_id, job.attempts], [1, 1, 'send', customer.anonymousId, ATTEMPTS]);
  assert.match(job.error, /99/, 'it says what it failed of');
  const { findings, shards } = (await edge.api.get('/api/health')).body;
  const finding = findings.find((/** @type {any} */ one) => one.code === 'jobs_parked');
  assert.match(finding?.message, /^shard [01]: 1 jobs failed too often.*POST \/api\/jobs\/retry/);
  const outbox = shards.map((/** @type {any} */ shard) => shard.outbox);
  assert.equal(outbox.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.parked, 0), 1);
  assert.ok(outbox.every((/** @type {any} */ one) => one.waiting === 0), 'it is in nobody’s way any more');
  assert.equal(receiver.messages.length, 0);

  await storeAs(format);
  for (const [ids, retried] of /** @type {[string[], number][]} */ ([[['send nothing'], 0], [[job.id], 1], [[], 0]])) {
    assert.deepEqual((await edge.api.post('/api/jobs/retry', { ids })).body, { retried });
  }
  await until(() => receiver.messages.length, { what: 'the message' });
  assert.equal((await parked()).count, 0);
  const wrong = await edge.api.post('/api/jobs/retry', { ids: Array.from({ length: 201 }, () => 'x') });
  assert.deepEqual([wrong.status, wrong.body.error.path], [400, 'ids']);
});
