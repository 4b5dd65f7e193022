/** Robots and floods: who is not counted as a visitor, and who has to wait. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const GOOGLEBOT =
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/156.0.0.0 Safari/537.36';
const HEADLESS =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} variables
 */
async function edgeWith(t, variables) {
  const edge = await Edge.start({ variables });
  t.after(() => edge.stop());
  return edge;
}

/** How many events were refused for a reason. @param {Edge} edge @param {string} code @returns {Promise<number>} */
async function count(edge, code) {
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  const fitting = counts.filter((/** @type {any} */ one) => one.code === code);
  return fitting.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
}

/** Sends one event as a browser of this name. @param {Edge} edge @param {string} agent @param {Record<string, string>} [headers] */
async function as(edge, agent, headers = {}) {
  const visitor = new Visitor(edge);
  const answer = await visitor.post(visitor.batch([visitor.track('X'), visitor.track('Y')]), { 'User-Agent': agent, ...headers });
  const { status } = await edge.api.get(`/api/profiles?anonymous_id=${visitor.anonymousId}`);
  return { ...answer, known: status === 200, visitor };
}

test('a crawler is counted, answered without an error, and becomes no profile', async (t) => {
  const edge = await edgeWith(t, {});
  for (let n = 1; n <= 3; n += 1) {
    const { status, body, known, visitor } = await as(edge, GOOGLEBOT);
    assert.equal(status, 200);
    assert.deepEqual([body.accepted, body.rejected.map((/** @type {any} */ one) => one.code)], [[], ['bot', 'bot']]);
    assert.equal(known, false);
    assert.equal(visitor.cookies.size, 0);
    assert.equal(await count(edge, 'bot'), 2 * n);
  }
  assert.deepEqual((await edge.api.get('/api/quarantine?code=bot')).body.events, []);
  for (const agent of [HEADLESS, FIREFOX, 'node']) assert.equal((await as(edge, agent)).known, true, agent);
});

test('where it is wanted, browsers that a program drives are robots too', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_BOTS: 'strict' });
  assert.equal((await as(edge, HEADLESS)).known, false);
  assert.equal((await as(edge, 'curl/8.5.0')).known, false);
  const brands = '"HeadlessChrome";v="156", "Chromium";v="156"';
  assert.equal((await as(edge, FIREFOX, { 'Sec-CH-UA': brands })).known, false);
  assert.equal((await as(edge, FIREFOX)).known, true);
});

test('where it is not wanted, nobody is a robot', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_BOTS: 'off' });
  assert.equal((await as(edge, GOOGLEBOT)).known, true);
});

test('one address that sends too much is told when to come again, and others are served', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_IP: '1/5' });
  const send = (/** @type {string} */ address) => as(edge, FIREFOX, { 'CF-Connecting-IP': address });
  const answers = [];
  for (let n = 0; n < 8; n += 1) answers.push(await send('192.0.2.7'));
  const limited = answers.filter(({ status }) => status === 429);
  assert.ok(limited.length >= 1 && limited.length <= 3, `${limited.length} of 8 were limited`);
  for (const { body, headers, known } of limited) {
    assert.equal(body.error.code, 'rate_limited');
    assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    assert.equal(known, false);
  }
  assert.equal((await send('192.0.2.8')).status, 200);
  assert.equal((await send('2001:db8:1:2::1')).status, 200);
});

test('a source that sends too much is told when to come again, and what was refused is counted', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_SOURCE: '1/3', ENDCAP_SHARDS: '1' });
  const answers = await Promise.all(Array.from({ length: 10 }, () => as(edge, FIREFOX)));
  const limited = answers.filter(({ status }) => status === 429);
  assert.ok(limited.length >= 5, `${limited.length} of 10 were limited`);
  assert.ok(limited.every(({ headers, known }) => Number(headers.get('retry-after')) >= 1 && !known));
  assert.equal(await count(edge, 'rate_limited'), 2 * limited.length);
});

test('an identify counts as one batch, like any other', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_SOURCE: '1/8', ENDCAP_SHARDS: '1' });
  const visitor = new Visitor(edge);
  for (let n = 0; n < 8; n += 1) {
    const batch = visitor.batch([visitor.identify(`once-${n % 2}`, {}, edge.proof(`once-${n % 2}`))]);
    assert.equal((await visitor.post(batch)).status, 200, `batch ${n + 1} of 8`);
  }
});

test("a source's bound holds for other vendors' clients too, and what was refused is counted", async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_SOURCE: '1/3', ENDCAP_SHARDS: '1' });
  const call = { batch: [{ type: 'track', event: 'X', anonymousId: 'a' }, { type: 'track', anonymousId: 'a' }], writeKey: SOURCE };
  const headers = { 'Content-Type': 'text/plain', Origin: SHOP_ORIGIN };
  const send = () => edge.fetch('/v1/batch', { method: 'POST', headers, body: JSON.stringify(call) });
  const flood = async () => (await Promise.all(Array.from({ length: 10 }, send))).filter(({ status }) => status === 429);
  const limited = await flood();
  assert.ok(limited.length >= 5, `${limited.length} of 10 were limited`);
  for (const answer of limited) {
    assert.equal((await answer.json()).error.code, 'rate_limited');
    assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    assert.equal(answer.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  }
  // Counts are reported at most once a second, with whatever is refused next.
  await until(async () => (await flood(), (await count(edge, 'rate_limited')) >= 2 * limited.length));
});

test('the usual limits are far from what one busy address sends', async (t) => {
  const edge = await edgeWith(t, {});
  const answers = await Promise.all(Array.from({ length: 100 }, () => {
    const visitor = new Visitor(edge);
    return visitor.post(visitor.batch([visitor.track('X')]), { 'CF-Connecting-IP': '192.0.2.9' });
  }));
  assert.ok(answers.every(({ status }) => status === 200));
});

test('a page on another origin can read why it was refused and how long to wait', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_SOURCE: '1/1', ENDCAP_SHARDS: '1' });
  const from = (/** @type {string} */ Origin) => as(edge, FIREFOX, { Origin });
  const answers = await Promise.all([1, 2, 3, 4].map(() => from(SHOP_ORIGIN)));
  const limited = answers.find(({ status }) => status === 429);
  assert.equal(limited?.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  assert.equal(limited?.headers.get('access-control-allow-credentials'), 'true');
  assert.match(limited?.headers.get('access-control-expose-headers') ?? '', /retry-after/);
  const foreign = await from('https://elsewhere.example');
  assert.equal(foreign.status, 403);
  assert.equal(foreign.headers.get('access-control-allow-origin'), null);
});

test('what a browser had no room for is counted', async (t) => {
  const edge = await edgeWith(t, {});
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('X')], { dropped: 7 });
  await visitor.send([visitor.track('Y')]);
  assert.equal(await count(edge, 'dropped'), 7);
});
