/** From one of a shop's domains to another: the edge hands the visitor's identity over, and nothing else, to nobody else. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { get as fetchRaw } from 'node:http';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
/** @type {string} */
let port;
before(async () => {
  edge = await Edge.start();
  port = new URL(edge.origin).port;
  const sources = { [SOURCE]: [SHOP_ORIGIN, origin('fr'), origin('de')], open: [origin('fr'), '*'] };
  await edge.restart({ ENDCAP_SOURCES: JSON.stringify(sources) });
});
after(() => edge.stop());

/** @param {string} name Host of one of the shop's domains. */
const host = (name) => `${name}.localhost:${port}`;
/** @param {string} name */
const origin = (name) => `http://${host(name)}`;

/**
 * Follows an address on a domain, as a browser with these cookies.
 *
 * @param {string} domain
 * @param {string} path
 * @param {{cookies?: Record<string, string>, headers?: Record<string, string>}} [as]
 * @returns {Promise<{status?: number, location?: string, set: string[], headers: import('node:http').IncomingHttpHeaders}>}
 */
function follow(domain, path, { cookies = {}, headers = {} } = {}) {
  const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join('; ');
  const all = { Host: host(domain), ...(cookie && { Cookie: cookie }), ...headers };
  return new Promise((resolve, reject) => {
    const request = fetchRaw({ host: '127.0.0.1', port, path, headers: all }, (reply) => {
      reply.resume();
      const { location, 'set-cookie': set = [] } = reply.headers;
      resolve({ status: reply.statusCode, location, set, headers: reply.headers });
    });
    request.on('error', reject);
  });
}

/** @param {string} to @param {string} [source] */
const out = (to, source = SOURCE) => `/ec/x?${new URLSearchParams({ to, s: source })}`;

/** A visitor whom the edge knows on a domain: one who consented and sent something. */
async function known() {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.page(`${SHOP_ORIGIN}/`)]);
  const cookies = Object.fromEntries(visitor.cookies);
  assert.ok(cookies.ec_t && cookies.ec_id, JSON.stringify(cookies));
  return { visitor, cookies };
}

/** The way that the other domain is entered by. @param {string} to @param {Record<string, string>} cookies */
async function setOut(to, cookies) {
  const { status, location = '', set } = await follow('fr', out(to), { cookies });
  assert.equal(status, 302);
  assert.deepEqual(set, []);
  assert.ok(location.startsWith(`${origin('de')}/ec/x?t=`), location);
  return location.slice(origin('de').length);
}

/** A token as the edge signs it. @param {object} payload @param {string} [purpose] */
function sign(payload, purpose = 'crossing') {
  const [kid, key] = edge.signingKey.split(':');
  const text = JSON.stringify(payload);
  const mac = createHmac('sha256', Buffer.from(key, 'base64url')).update(`endcap ${purpose}\0${kid}\0${text}\0`).digest();
  return `1.${kid}.${Buffer.from(text).toString('base64url')}.${mac.subarray(0, 16).toString('base64url')}`;
}

test('a visitor stays the same one, and the page has its own address', async () => {
  const { visitor, cookies } = await known();
  const page = `${origin('de')}/p/1?color=red&q=%C3%A4#top`;
  const way = await setOut(page, cookies);
  const { status, location, set, headers } = await follow('de', way);
  assert.deepEqual([status, location], [302, page]);
  assert.match(String(headers['cache-control']), /no-store/);
  assert.equal(set.length, 2);
  assert.match(set[0], /^ec_id=[^;]+; Path=\/; Max-Age=34560000; SameSite=Lax$/);
  const [version, device, anonymous] = set[0].slice(6).split(';')[0].split('.');
  assert.deepEqual([version, device, anonymous], ['1', visitor.deviceId, visitor.anonymousId]);
  assert.match(set[1], /^ec_t=[^;]+; HttpOnly; Path=\/; Max-Age=34560000; SameSite=Lax$/);
  assert.equal(set[1].split(';')[0], `ec_t=${cookies.ec_t}`, 'the same browser has the same token');
});

test('a crossing arrives once: who finds its address later gets nothing', async () => {
  const { cookies } = await known();
  const page = `${origin('de')}/`;
  const way = await setOut(page, cookies);
  assert.equal((await follow('de', way)).set.length, 2);
  for (let again = 0; again < 2; again += 1) {
    const { status, location, set } = await follow('de', way);
    assert.deepEqual([status, location, set], [302, page, []]);
  }
});

test('who crosses back to a domain where they are known keeps their identity, and gets its newest token', async () => {
  const { visitor, cookies } = await known();
  await visitor.send([visitor.identify('nomad', {}, edge.proof('nomad'))]);
  const newest = /** @type {string} */ (visitor.cookies.get('ec_t'));
  assert.notEqual(newest, cookies.ec_t);
  const way = await setOut(`${origin('de')}/`, { ...cookies, ec_t: newest });
  assert.deepEqual((await follow('de', way, { cookies })).set.map((line) => line.split(';')[0]), [`ec_t=${newest}`]);
});

test('who has an identity on the other domain keeps it', async () => {
  const { cookies } = await known();
  const way = await setOut(`${origin('de')}/`, cookies);
  for (const own of [(await known()).cookies, { ec_id: `1.${uuid()}.${uuid()}.0` }]) {
    assert.deepEqual((await follow('de', way, { cookies: own })).set, []);
  }
});

test('who did not consent is led on with nothing', async () => {
  const { cookies } = await known();
  const page = `${origin('de')}/`;
  const other = (await known()).cookies;
  /** @type {Record<string, string>[]} */
  const without = [
    {},
    { ec_id: cookies.ec_id },
    { ec_id: cookies.ec_id, ec_r: cookies.ec_r },
    { ...cookies, ec_t: `${cookies.ec_t}x` },
    { ec_t: cookies.ec_t },
    { ...cookies, ec_t: other.ec_t },
  ];
  for (const none of without) {
    const { status, location, set } = await follow('fr', out(page), { cookies: none });
    assert.deepEqual([status, location, set], [302, page, []], JSON.stringify(none));
  }
});

test('no open redirect: only origins that the source lists are led to', async () => {
  const { cookies } = await known();
  for (const [to, source, expected] of [
    ['https://evil.example/', SOURCE, 403],
    [`http://de.localhost.evil.example:${port}/`, SOURCE, 403],
    [`${origin('de')}.evil.example/`, SOURCE, 400],
    [`http://de.localhost/`, SOURCE, 403],
    [`https://${host('de')}/`, SOURCE, 403],
    // A source for any origin says nothing of whose an origin is.
    [`${origin('de')}/`, 'open', 403],
    [`${origin('de')}@evil.example/`, SOURCE, 400],
    ['//evil.example/', SOURCE, 400],
    ['javascript:alert(1)', SOURCE, 400],
    ['/p/1', SOURCE, 400],
    ['', SOURCE, 400],
    [`${origin('de')}/`, 'unknown', 400],
    [`${origin('de')}/`, '', 400],
  ]) {
    const { status, location, set } = await follow('fr', out(String(to), String(source)), { cookies });
    assert.deepEqual([status, location, set], [expected, undefined, []], String(to));
  }
  assert.equal((await follow('fr', '/ec/x')).status, 400);
});

test('a token counts for a minute: later it leads on and sets nothing', async () => {
  const page = `${origin('de')}/p/1`;
  const payload = { s: SOURCE, a: uuid(), d: uuid(), u: page, e: Date.now() + 60_000 };
  assert.equal((await follow('de', `/ec/x?t=${sign(payload)}`)).set.length, 1);
  const late = await follow('de', `/ec/x?t=${sign({ ...payload, e: Date.now() - 1 })}`);
  assert.deepEqual([late.status, late.location, late.set], [302, page, []]);
});

test('a token leads to its own page and counts on no other domain', async () => {
  const { cookies } = await known();
  const way = await setOut(`${origin('de')}/p/1`, cookies);
  for (const domain of ['fr', 'es']) {
    const { status, location, set } = await follow(domain, way);
    assert.deepEqual([status, location, set], [404, undefined, []], domain);
  }
  // What is asked beside it changes nothing.
  const { location } = await follow('de', `${way}&to=${encodeURIComponent('https://evil.example/')}&s=${SOURCE}`);
  assert.equal(location, `${origin('de')}/p/1`);
});

test('what we did not sign for this leads nowhere', async () => {
  const payload = { s: SOURCE, a: uuid(), d: uuid(), u: `${origin('de')}/`, e: Date.now() + 60_000 };
  const good = sign(payload);
  for (const bad of [
    sign(payload, 'click'),
    sign(payload, 'route'),
    sign({ ...payload, s: 'open' }),
    sign({ ...payload, s: 'unknown' }),
    sign({ ...payload, u: 'https://evil.example/' }),
    `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
    'x',
    'a'.repeat(9001),
  ]) {
    const { status, location, set } = await follow('de', `/ec/x?t=${bad}`);
    assert.deepEqual([location, set], [undefined, []], bad.slice(0, 200));
    assert.ok(status === 404 || status === 400, `${status}`);
  }
});

test('a browser that refuses to be measured takes nothing along', async () => {
  const { cookies } = await known();
  const way = await setOut(`${origin('de')}/`, cookies);
  const headers = { 'Sec-GPC': '1' };
  assert.equal((await follow('de', way, { headers })).set.length, 2, 'marketing alone is refused');
  await edge.restart({ ENDCAP_GPC: 'analytics' });
  const page = `${origin('de')}/`;
  const { location } = await follow('fr', out(page), { cookies, headers });
  assert.equal(location, page);
  const next = await setOut(page, cookies);
  assert.deepEqual((await follow('de', next, { headers })).set, []);
});
