/** Somebody sends as much as they can, and says with each request that they are somebody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @param {import('node:test').TestContext} t @param {Record<string, string>} variables */
async function edgeWith(t, variables) {
  const edge = await Edge.start({ variables: { ENDCAP_SHARDS: '1', ...variables } });
  t.after(() => edge.stop());
  return edge;
}

/** How many of 12 batches were refused, each with headers of its own. @param {Edge} edge @param {(n: number) => Record<string, string>} headers */
async function refused(edge, headers) {
  let count = 0;
  for (let n = 0; n < 12; n += 1) {
    const visitor = new Visitor(edge);
    const { status } = await visitor.post(visitor.batch([visitor.track('X')]), headers(n));
    if (status === 429) count += 1;
    else assert.equal(status, 200);
  }
  return count;
}

/** How many events a source had refused for their rate. @param {Edge} edge @param {string} source @returns {Promise<number>} */
async function counted(edge, source) {
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  const fitting = counts.filter((/** @type {any} */ one) => one.code === 'rate_limited' && one.source === source);
  return fitting.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
}

test('headers that nobody vouches for name no client', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_IP: '1/5' });
  const least = await refused(edge, (n) => ({
    'CF-Connecting-IP': '192.0.2.7', 'X-Real-IP': `198.51.100.${n}`, 'X-Forwarded-For': `198.51.100.${n}`, 'True-Client-IP': `198.51.100.${n}`,
  }));
  assert.ok(least >= 4, `${least} of 12 were refused`);
});

test('behind a proxy of ones own the header that the configuration names counts, and no other', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_IP: '1/5', ENDCAP_CLIENT_IP_HEADER: 'X-Client' });
  const other = (/** @type {number} */ n) => ({ 'CF-Connecting-IP': `198.51.100.${n}`, 'X-Real-IP': `198.51.100.${n}` });
  const same = await refused(edge, (n) => ({ ...other(n), 'X-Client': '192.0.2.7' }));
  assert.ok(same >= 4, `${same} of 12 were refused`);
  // What the client itself wrote stands in front of what the proxy appended.
  const appended = await refused(edge, (n) => ({ ...other(n), 'X-Client': `198.51.100.${n}, 192.0.2.8` }));
  assert.ok(appended >= 4, `${appended} of 12 were refused`);
  assert.equal(await refused(edge, (n) => ({ 'CF-Connecting-IP': '192.0.2.7', 'X-Client': `203.0.113.${n}` })), 0);
});

test('a header that cannot be one counts as none, and nobody is refused for it', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_IP: '1/50', ENDCAP_CLIENT_IP_HEADER: 'no header' });
  assert.equal(await refused(edge, () => ({ 'CF-Connecting-IP': '192.0.2.7' })), 0);
});

test('pixels and redirects have a bound: beyond it they work, count nothing, and are counted as refused', async (t) => {
  const edge = await edgeWith(t, { ENDCAP_RATE_LINKS: '1/4' });
  const from = (/** @type {string} */ address) => ({ headers: { 'CF-Connecting-IP': address, 'User-Agent': 'Firefox' }, redirect: /** @type {const} */ ('manual') });
  const person = new Visitor(edge);
  await person.send([person.identify('reader', {}, edge.proof('reader'))]);
  const asked = { recipient: { user_id: 'reader' }, campaign_id: 'may', message_id: 'm-1', links: ['https://shop.example/p/1'] };
  const { pixel, links } = (await edge.api.post('/api/links', asked)).body;
  const local = (/** @type {string} */ address) => address.slice(edge.origin.length);

  const images = await Promise.all(Array.from({ length: 20 }, () => edge.fetch(local(pixel), from('192.0.2.7'))));
  assert.ok(images.every(({ status, headers }) => status === 200 && headers.get('content-type') === 'image/gif'));
  const leads = await Promise.all(Array.from({ length: 20 }, () => edge.fetch(local(links[0].redirect), from('192.0.2.8'))));
  assert.ok(leads.every(({ status, headers }) => status === 302 && headers.get('location') === 'https://shop.example/p/1'));
  const page = `/ec/p.gif?${new URLSearchParams({ s: SOURCE, u: 'https://shop.example/', c: '1' })}`;
  const views = await Promise.all(Array.from({ length: 20 }, () => edge.fetch(page, from('192.0.2.9'))));
  assert.ok(views.every(({ status }) => status === 200));

  // What was refused is reported at most once a second, with whatever is refused next.
  const source = await until(async () => {
    await edge.fetch(local(pixel), from('192.0.2.7'));
    const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
    const limited = counts.filter((/** @type {any} */ one) => one.code === 'rate_limited');
    return limited.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0) >= 30 && limited[0].source;
  });
  assert.ok(source);
  const { profile_id: id } = await edge.api.profile({ user_id: 'reader' });
  const { events } = (await edge.api.get(`/api/profiles/${encodeURIComponent(id)}/events`)).body;
  assert.ok(events.length <= 16, `${events.length} of 41 were counted`);
  assert.ok((await counted(edge, 'nobody')) === 0);
});

for (const [what, path] of [
  ["from one of the shop's domains to another", `/ec/x?${new URLSearchParams({ to: 'https://shop.example/', s: SOURCE })}`],
  ['why batches are refused', `/ec/diagnosis?source=${SOURCE}`],
]) {
  test(`${what}: too much is told when to come again`, async (t) => {
    const edge = await edgeWith(t, { ENDCAP_RATE_LINKS: '1/4' });
    const headers = { 'CF-Connecting-IP': '192.0.2.7' };
    const answers = await Promise.all(Array.from({ length: 12 }, () => edge.fetch(path, { headers, redirect: 'manual' })));
    const limited = answers.filter(({ status }) => status === 429);
    assert.ok(limited.length >= 6, `${limited.length} of 12 were limited`);
    assert.ok(limited.every((answer) => Number(answer.headers.get('retry-after')) >= 1));
  });
}
