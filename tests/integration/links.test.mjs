/** What counts without our script: the pixel and links of a message, and the page view of a `<noscript>` image. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const APPLE_PRIVACY = 'Mozilla/5.0';
const GMAIL_PROXY = 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)';
const SCANNER = 'Barracuda Sentinel (EE)';

/** @typedef {Record<string, any>} Json */

/**
 * A message to somebody whom the shop proved, with its addresses.
 *
 * @param {string} userId
 * @param {Json} [fields]
 */
async function message(userId, fields = {}) {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.identify(userId, { email: `${userId}@shop.example` }, edge.proof(userId))]);
  const asked = {
    recipient: { user_id: userId },
    campaign_id: 'may',
    message_id: `m-${userId}`,
    links: ['https://shop.example/p/1?color=red#top'],
    ...fields,
  };
  const { status, body } = await edge.api.post('/api/links', asked);
  assert.equal(status, 200, JSON.stringify(body));
  return /** @type {{pixel: string, links: {url: string, redirect: string}[]}} */ (body);
}

/**
 * Fetches an address as a mail program does.
 *
 * @param {string} address
 * @param {string} [agent]
 * @param {RequestInit} [init]
 */
function open(address, agent = FIREFOX, init = {}) {
  assert.ok(address.startsWith(edge.origin), address);
  return edge.fetch(address.slice(edge.origin.length), { headers: { 'User-Agent': agent }, ...init });
}

/**
 * @param {string} userId
 * @param {string} name
 * @returns {Promise<{name: string, message_id: string, about: string}[]>}
 */
async function eventsOf(userId, name) {
  const { events } = await edge.api.profile({ user_id: userId });
  return events.filter((/** @type {Json} */ event) => event.name === name);
}

/** Waits until so many events of a name are there. @param {string} userId @param {string} name @param {number} count */
function countOf(userId, name, count) {
  const enough = async () => {
    const events = await eventsOf(userId, name);
    return events.length >= count && events;
  };
  return until(enough, { what: `${count} × ${name} of ${userId}` });
}

/** @param {Response} response */
async function assertPixel(response) {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'image/gif');
  assert.match(response.headers.get('cache-control') ?? '', /no-store/);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.deepEqual([bytes.length, bytes.subarray(0, 6).toString()], [43, 'GIF89a']);
}

test('an open is counted once, however often the image is fetched', async () => {
  const { pixel } = await message('opener');
  for (let fetched = 0; fetched < 3; fetched += 1) await assertPixel(await open(pixel));
  await assertPixel(await open(pixel, GMAIL_PROXY));
  // Another message's open comes after them, so that what they did is there.
  const other = await edge.api.post('/api/links', { recipient: { user_id: 'opener' }, campaign_id: 'may', message_id: 'm2' });
  await assertPixel(await open(other.body.pixel));
  const events = await countOf('opener', 'Email Opened', 2);
  assert.equal(events.length, 2);
});

test('an open by a machine is one of its own and takes nothing from the person', async () => {
  const { pixel } = await message('reader');
  await assertPixel(await open(pixel, APPLE_PRIVACY));
  await assertPixel(await open(pixel, SCANNER));
  const [machine] = await countOf('reader', 'Email Opened', 1);
  assert.deepEqual([machine.message_id.split('~')[1], machine.about.slice(0, 12)], ['machine', 'may (machine']);
  await assertPixel(await open(pixel));
  const events = await countOf('reader', 'Email Opened', 2);
  assert.deepEqual(events.map((event) => event.message_id.split('~')[1]).sort(), ['machine', 'person']);
});

test('a damaged token gets the image and counts nothing', async () => {
  const { pixel, links } = await message('damaged');
  const linkToken = new URL(links[0].redirect).searchParams.get('t');
  const wrong = [
    pixel.slice(0, -1) + (pixel.endsWith('A') ? 'B' : 'A'),
    pixel.replace(/t=1\./, 't=2.'),
    `${edge.origin}/ec/p.gif?t=${linkToken}`,
    `${edge.origin}/ec/p.gif?t=`,
    `${edge.origin}/ec/p.gif?t=${'a'.repeat(9500)}`,
    `${edge.origin}/ec/p.gif`,
  ];
  for (const address of wrong) await assertPixel(await open(address));
  await assertPixel(await open(pixel));
  assert.equal((await countOf('damaged', 'Email Opened', 1)).length, 1);
  assert.equal((await open(pixel, FIREFOX, { method: 'POST' })).status, 405);
});

test('a link leads where it says, with campaign parameters, and the click is counted', async () => {
  const { links } = await message('clicker', { utm: { source: 'news', medium: 'email', campaign: 'may sale' } });
  const expected = 'https://shop.example/p/1?color=red&utm_source=news&utm_medium=email&utm_campaign=may%20sale#top';
  assert.equal(links[0].url, expected);
  for (let followed = 0; followed < 2; followed += 1) {
    const response = await open(links[0].redirect);
    assert.deepEqual([response.status, response.headers.get('location')], [302, expected]);
    assert.match(response.headers.get('cache-control') ?? '', /no-store/);
  }
  const events = await countOf('clicker', 'Email Link Clicked', 1);
  assert.match(events[0].message_id, /^click~person~/);
  assert.equal(events[0].about, 'may', 'the campaign');
  // Two clicks within a minute are one, unless the minute ended between them.
  assert.ok(events.length <= 2);
});

test('scanners and HEAD requests follow links as machines', async () => {
  const { links } = await message('scanned');
  for (const [agent, method] of [[SCANNER, 'GET'], [FIREFOX, 'HEAD']]) {
    assert.equal((await open(links[0].redirect, agent, { method })).status, 302);
  }
  const events = await countOf('scanned', 'Email Link Clicked', 1);
  assert.ok(events.every((event) => event.message_id.startsWith('click~machine~')));
});

test('nobody is led to where the shop did not sign', async () => {
  const { links, pixel } = await message('phished');
  const token = String(new URL(links[0].redirect).searchParams.get('t'));
  const [version, kid, payload, mac] = token.split('.');
  const evil = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('shop.example', 'evil.example'));
  const wrong = [
    `t=${version}.${kid}.${evil.toString('base64url')}.${mac}`,
    `t=${version}.other.${payload}.${mac}`,
    `t=${version}.${kid}.${payload}.${randomBytes(16).toString('base64url')}`,
    `t=${version}.${kid}.${payload}.`,
    `t=${new URL(pixel).searchParams.get('t')}`,
    't=https://evil.example/',
    'u=https://evil.example/',
    '',
  ];
  for (const query of wrong) {
    const response = await edge.fetch(`/ec/r?${query}`, { headers: { 'User-Agent': FIREFOX } });
    assert.deepEqual([response.status, response.headers.get('location')], [404, null], query);
    assert.match(response.headers.get('content-type') ?? '', /text\/html/);
    assert.match(await response.text(), /This link does not work/);
  }
});

test('links are made only to plain web addresses, and what is wrong is named', async () => {
  const asked = { recipient: { email: 'a@shop.example' }, campaign_id: 'c', message_id: 'm' };
  const tricks = [
    'javascript:alert(1)', 'data:text/html,x', '//evil.example/', 'https:evil.example', 'https:/evil.example',
    'https:\\\\evil.example', 'https://shop.example\\@evil.example', 'https://shop.example@evil.example',
    'https://shop.example/\nLocation: x', ' https://shop.example', '/p/1', 'https://', 'ftp://shop.example', '',
  ];
  for (const trick of tricks) {
    const { status, body } = await edge.api.post('/api/links', { ...asked, links: ['https://shop.example/', trick] });
    assert.deepEqual([status, body.error?.path], [400, 'links[1]'], trick);
  }
  /** @type {[Json | string, string][]} */
  const cases = [
    [{ ...asked, recipient: {} }, 'recipient'],
    [{ ...asked, recipient: { email: 'x' } }, 'recipient.email'],
    [{ ...asked, recipient: { email: 'a@shop.example', user_id: 'u' } }, 'recipient'],
    [{ ...asked, campaign_id: '' }, 'campaign_id'],
    [{ ...asked, message_id: 'x'.repeat(101) }, 'message_id'],
    [{ ...asked, channel: 'fax' }, 'channel'],
    [{ ...asked, links: Array(101).fill('https://shop.example/') }, 'links'],
    [{ ...asked, utm: { source: 'x'.repeat(201) } }, 'utm.source'],
    [{ ...asked, color: 'red' }, 'color'],
    ['{', ''],
  ];
  for (const [value, path] of cases) {
    const { status, body } = await edge.api.post('/api/links', value);
    assert.deepEqual([status, body.error?.path], [400, path], JSON.stringify(value).slice(0, 99));
  }
  assert.equal((await edge.api.with('wrong').post('/api/links', asked)).status, 401);
  assert.equal((await edge.api.get('/api/links')).status, 405);
  assert.equal((await edge.api.post('/api/links', ' '.repeat(600_000))).status, 413);
});

test('a browser of ours that a message went to gets its opens', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.page(`${SHOP_ORIGIN}/`)]);
  const asked = { recipient: { anonymous_id: visitor.anonymousId }, campaign_id: 'c', message_id: 'm', channel: 'sms' };
  const { body } = await edge.api.post('/api/links', { ...asked, links: [`${SHOP_ORIGIN}/p`] });
  await open(body.links[0].redirect);
  const clicked = async () => {
    const { events } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
    return events.some((/** @type {Json} */ event) => event.name === 'Message Link Clicked');
  };
  await until(clicked);
});

test('addresses made with an old key lead on after the keys were rotated, and no longer once it is gone', async (t) => {
  const own = await Edge.start({ variables: { ENDCAP_LINK_ORIGIN: 'https://go.shop.example/' } });
  t.after(() => own.stop());
  const asked = { recipient: { user_id: 'u' }, campaign_id: 'c', message_id: 'm', links: ['https://shop.example/p'] };
  const { body } = await own.api.post('/api/links', asked);
  assert.ok(body.pixel.startsWith('https://go.shop.example/ec/p.gif?t='));
  const path = body.links[0].redirect.slice('https://go.shop.example'.length);
  const fresh = `k2:${randomBytes(32).toString('base64url')}`;
  await own.restart({ ENDCAP_SIGNING_KEYS: `${fresh},${own.signingKey}` });
  assert.equal((await own.fetch(path)).headers.get('location'), 'https://shop.example/p');
  await own.restart({ ENDCAP_SIGNING_KEYS: fresh });
  assert.equal((await own.fetch(path)).status, 404);
});

/** The image of a page without script. @param {Json} query @param {Record<string, string>} [headers] */
function pageImage(query, headers = {}) {
  return edge.fetch(`/ec/p.gif?${new URLSearchParams(query)}`, { headers: { 'User-Agent': FIREFOX, ...headers } });
}

/** @param {Visitor} visitor */
const cookieOf = (visitor) => ({ Cookie: [...visitor.cookies].map((pair) => pair.join('=')).join('; ') });

test('a page without script counts for the visitor whom the cookie names', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.page(`${SHOP_ORIGIN}/`)]);
  assert.ok(visitor.cookies.has('ec_id'));
  const url = `${SHOP_ORIGIN}/p/7?utm_source=flyer`;
  const response = await pageImage({ s: SOURCE, e: 'page', u: url }, cookieOf(visitor));
  await assertPixel(response);
  assert.ok(response.headers.getSetCookie().some((line) => line.startsWith('ec_id=')), 'the cookie lives on');
  // Without an address in the tag, the browser says which page it is on.
  await assertPixel(await pageImage({ s: SOURCE }, { ...cookieOf(visitor), Referer: `${SHOP_ORIGIN}/p/8` }));
  const { events, consent } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  const paths = events.filter((/** @type {Json} */ e) => e.name === 'Page Viewed').map((/** @type {Json} */ e) => e.about);
  assert.deepEqual(paths.sort(), ['/', '/p/7', '/p/8']);
  assert.equal(consent.marketing, true, 'the tag says nothing about consent');
});

test('a new visitor without script counts only where the tag says that they agreed', async () => {
  const url = `${SHOP_ORIGIN}/p/9`;
  for (const consent of ['', 'denied', 'pending']) {
    const response = await pageImage({ s: SOURCE, u: url, consent });
    await assertPixel(response);
    assert.deepEqual(response.headers.getSetCookie(), [], consent);
  }
  const response = await pageImage({ s: SOURCE, u: url, consent: 'granted' });
  await assertPixel(response);
  const identity = response.headers.getSetCookie().find((line) => line.startsWith('ec_id='));
  const anonymousId = String(identity).split('.')[2];
  const profile = await edge.api.profile({ anonymous_id: anonymousId });
  assert.deepEqual(profile.events.map((/** @type {Json} */ event) => event.about), ['/p/9']);
  assert.deepEqual([profile.consent.analytics, profile.consent.marketing], [true, false]);
});

test('an image for another shop, source or page counts nothing', async () => {
  const cookie = { Cookie: `ec_id=1.${uuid()}.${uuid()}.0` };
  for (const query of [
    { s: 'unknown', u: `${SHOP_ORIGIN}/` },
    { s: SOURCE, u: 'https://evil.example/' },
    { s: SOURCE, u: 'javascript:alert(1)' },
    { s: SOURCE },
    { s: SOURCE, u: `${SHOP_ORIGIN}/`, e: 'order' },
    { s: SOURCE, u: `${SHOP_ORIGIN}/${'a'.repeat(9000)}` },
  ]) {
    const response = await pageImage({ ...query, consent: 'granted' }, cookie);
    await assertPixel(response);
    assert.deepEqual(response.headers.getSetCookie(), [], JSON.stringify(query).slice(0, 99));
  }
});
