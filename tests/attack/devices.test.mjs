/** What strangers send of devices, and to lists: it is bounded, theirs alone, and puts nobody anywhere. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

const PHONE = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36';
const LAPTOP = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0';

/** @type {Edge} */
let edge;
before(async () => {
  // A request without the token counts as unverified at once.
  const variables = { ENDCAP_IN_FLIGHT_MS: '0' };
  edge = await Edge.start({ variables, place: { country: 'DE', regionCode: '<script>', city: `${'M'.repeat(5000)}` } });
});
after(() => edge.stop());

/** @param {Visitor} visitor @param {Record<string, string>} headers @param {object} [context] */
const come = (visitor, headers, context = {}) => visitor.post(visitor.batch([visitor.event('page', { name: '/', context })]), headers);
/** @param {Visitor} visitor */
const deviceOf = async (visitor) => (await edge.api.profile({ anonymous_id: visitor.anonymousId })).device;

test('headers of any length and form leave no more than known words and a bounded place', async () => {
  const visitor = new Visitor(edge);
  const { status } = await come(visitor, { 'User-Agent': `Mozilla/5.0 ${'(x) '.repeat(1500)} iPhone`, 'Accept-Language': `${'<b>'.repeat(1500)}` });
  assert.equal(status, 200);
  const { at, city, ...rest } = await deviceOf(visitor);
  assert.ok(at > 0);
  assert.equal(city.length, 64);
  assert.deepEqual(rest, { device: null, browser: null, operating_system: null, locale: null, country: 'DE', region: null });
  await come(visitor, {}, { locale: `de-${'x'.repeat(500)}` });
  assert.equal((await deviceOf(visitor)).locale, null);
});

test('who only knows an anonymous ID does not change what is known of its device', async () => {
  const visitor = new Visitor(edge);
  // With the second request the token came back: the ID is bound.
  for (let times = 0; times < 2; times += 1) await come(visitor, { 'User-Agent': PHONE, 'Accept-Language': 'de' });
  const stranger = new Visitor(edge);
  stranger.anonymousId = visitor.anonymousId;
  await come(stranger, { 'User-Agent': LAPTOP, 'Accept-Language': 'fr' });
  const { device, browser, locale } = await deviceOf(visitor);
  assert.deepEqual([device, browser, locale], ['mobile', 'chrome', 'de']);
});

test('nobody puts people on a list without the key of the API', async () => {
  await edge.api.set('/api/segments/vip', { name: 'VIP', list: true });
  const visitor = new Visitor(edge);
  await come(visitor, { 'User-Agent': PHONE });
  const ask = { add: [{ anonymous_id: visitor.anonymousId }] };
  for (const key of [undefined, 'wrong', edge.serverKey, 'demo']) {
    assert.equal((await edge.api.with(key).post('/api/segments/vip/list', ask)).status, 401, String(key));
  }
  const user = `u-${visitor.anonymousId}`;
  await visitor.send([visitor.identify(user, { listed: 'vip', 'list:vip': true, segments: ['vip'] }, edge.proof(user))]);
  assert.deepEqual((await edge.api.get('/api/segments/vip/members')).body.members, []);
});
