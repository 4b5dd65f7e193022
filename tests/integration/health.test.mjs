/** `GET /api/health`: what needs a person is found, said in words, and gone once it is mended. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { leftCart } from '../harness/leftCart.mjs';
import { ROOT } from '../harness/paths.mjs';
import { PushService } from '../harness/pushService.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const HALF_AN_HOUR = 1800_000;
/** A format that no version writes yet. */
const NEWER = 99;

/** @type {Edge} */
let edge;
/** @type {PushService} */
let service;
before(async () => {
  [edge, service] = await Promise.all([Edge.start({ variables: { ENDCAP_SHARDS: '2' } }), PushService.start()]);
  await edge.api.set('/api/products', { products: PRODUCTS });
});
after(async () => {
  await edge.stop();
  await service.close();
});

const health = async () => {
  const { status, body } = await edge.api.get('/api/health');
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

/** The finding of a kind, once it is there. @param {string} code */
const finding = (code) =>
  until(async () => (await health()).findings.find((/** @type {any} */ one) => one.code === code), { what: `the finding ${code}` });

/** @param {string} code Waits until there is no such finding. */
const mended = (code) =>
  until(async () => !(await health()).findings.some((/** @type {any} */ one) => one.code === code), { what: `no ${code}` });

/** @param {string} profile @param {number} format */
async function storeAs(profile, format) {
  const body = JSON.stringify({ profile_id: profile, format });
  const headers = { 'Content-Type': 'application/json' };
  const response = await edge.fetch('/ec/dev/row-format', { method: 'POST', headers, body });
  assert.equal(response.status, 200);
  return (await response.json()).format;
}

test('it takes the key, and says how every object is', async () => {
  for (const api of [edge.api.with(), edge.api.with('wrong')]) {
    assert.equal((await api.get('/api/health')).status, 401);
  }
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Viewed', 'shoes-1')]);
  const body = await health();
  assert.deepEqual([body.status, body.findings], ['ok', []]);
  assert.equal(body.version, /^version = "(.+)"/m.exec(readFileSync(`${ROOT}Cargo.toml`, 'utf8'))?.[1]);
  assert.deepEqual(body.shards.map((/** @type {any} */ { shard }) => shard), [0, 1]);
  assert.equal(body.sharding.sharding, 'fixed');
  const sum = (/** @type {(shard: any) => number} */ of) => body.shards.map(of).reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b);
  assert.deepEqual([sum(({ profiles }) => profiles.count), sum(({ log_rows, log_waits }) => log_rows + log_waits)], [1, 1]);
  assert.ok(body.shards.every((/** @type {any} */ { bytes, awake }) => bytes > 0 && awake.awake_ms > 0 && awake.awake_ms <= 3_600_000));
  assert.ok(body.identity_graph[0].bytes > 0 && body.shop.products === PRODUCTS.length);
  const healthz = await edge.fetch('/healthz');
  assert.equal(await healthz.text(), '{"status":"ok"}', 'what everybody sees says no more');
});

test('a wedged timer is found, and no longer once it ran', async () => {
  const { customer, receiver } = await leftCart(edge, service);
  const format = await storeAs(customer.anonymousId, NEWER);
  await edge.passTime(Date.now() + HALF_AN_HOUR + 1000);
  const found = await finding('timer_failing');
  assert.match(found.message, /^shard [01]: 1 timers fail/);
  const { status, shards } = await health();
  assert.equal(status, 'attention');
  const { timers } = shards[found.place.shard];
  assert.deepEqual([timers.failing, timers.failed_runs], [1, 1]);
  await storeAs(customer.anonymousId, format);
  await edge.passTime(Date.now() + 2 * HALF_AN_HOUR);
  await until(() => receiver.messages.length, { what: 'the message' });
  await mended('timer_failing');
});

test('a job that waits for another try is found', async () => {
  const { receiver } = await leftCart(edge, service);
  service.fail(receiver.id, { status: 503, times: 2, headers: { 'Retry-After': '60' } });
  await edge.passTime(Date.now() + HALF_AN_HOUR + 1000);
  const { place } = await finding('job_failing');
  const { outbox } = (await health()).shards[place.shard];
  assert.deepEqual([outbox.waiting, outbox.failing], [1, 1]);
  assert.ok(outbox.most_attempts >= 1 && outbox.oldest_due > Date.now());
  for (let minutes = 32; minutes <= 240 && !receiver.messages.length; minutes *= 2) {
    await edge.passTime(Date.now() + minutes * 60_000);
  }
  await mended('job_failing');
});

test('a variable that is missing or cannot be read is found, and in the log', async (t) => {
  const edge = await Edge.start({
    variables: { ENDCAP_SHARDS: '1', ENDCAP_IDENTITY_PEPPER: '', ENDCAP_SIGNING_KEYS: '', ENDCAP_SOURCES: '', ENDCAP_IDENTITY_SECRET: '', ENDCAP_WEBHOOK_SECRETS: '[1]', ENDCAP_VAPID_SUBJECT: '' },
  });
  t.after(() => edge.stop());
  const { findings, status } = (await edge.api.get('/api/health')).body;
  assert.equal(status, 'attention');
  const said = findings.map((/** @type {any} */ { code, place, message }) => `${code} ${place} ${/ENDCAP_\w+/.exec(message)}`).sort();
  assert.deepEqual(said, [
    'variable_missing deployment ENDCAP_IDENTITY_PEPPER',
    'variable_missing deployment ENDCAP_IDENTITY_SECRET',
    'variable_missing deployment ENDCAP_SIGNING_KEYS',
    'variable_missing deployment ENDCAP_SOURCES',
    'variable_unreadable deployment ENDCAP_VAPID_PRIVATE_KEY',
    'variable_unreadable deployment ENDCAP_WEBHOOK_SECRETS',
  ]);
  for (const name of ['ENDCAP_IDENTITY_SECRET', 'ENDCAP_IDENTITY_PEPPER', 'ENDCAP_SIGNING_KEYS', 'ENDCAP_SOURCES'])
    await until(() => edge.log.some((line) => line.includes(`${name} is not set`)), { what: `a line of the log about ${name}` });
});

test('without an API key nobody can read health, so the log says it', async (t) => {
  const edge = await Edge.start({ variables: { ENDCAP_API_KEY: '' } });
  t.after(() => edge.stop());
  assert.equal((await edge.fetch('/api/health')).status, 401);
  await until(() => edge.log.some((line) => line.includes('ENDCAP_API_KEY is not set')), { what: 'a line of the log' });
});

test('a quarantine that grows is found, with how much', async () => {
  const visitor = new Visitor(edge);
  const bad = () => visitor.track('Order Completed', { coupon: 'x' });
  await visitor.post(visitor.batch(Array.from({ length: 25 }, bad)));
  const { place, message } = await finding('quarantine_growing');
  assert.match(message, /25 events were refused within an hour; GET \/api\/quarantine/);
  const { quarantine } = (await health()).shards[place.shard];
  assert.deepEqual([quarantine.kept, quarantine.kept_last_hour, quarantine.dropped], [25, 25, 0]);
});

test('once a minute the log gets the same figures as one line', async (t) => {
  const edge = await Edge.start({ variables: { ENDCAP_SHARDS: '2' } });
  t.after(() => edge.stop());
  const lines = () => edge.log.filter((line) => line.includes('"endcap":"health"')).map((line) => JSON.parse(line.slice(line.indexOf('{'))));
  /** @param {number} count */
  const logged = (count) => until(() => lines().length === count && lines(), { what: `${count} lines` });
  // Nobody visits, so that no alarm rings but those that are passed in.
  const now = Date.now();
  await edge.passTime(now);
  const first = await logged(2);
  assert.deepEqual(first.map(({ shard }) => shard.shard).sort(), [0, 1]);
  const shown = (await edge.api.get('/api/health')).body.shards;
  assert.deepEqual(Object.keys(first[0].shard).sort(), Object.keys(shown[0]).sort());
  await edge.passTime(now + 59_000);
  await edge.passTime(now + 60_000);
  const second = (await logged(4)).slice(2);
  assert.deepEqual(second.map(({ shard }) => shard.profiles.as_of), [now + 60_000, now + 60_000], 'and not a second earlier');
});
