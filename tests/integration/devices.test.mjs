/** The devices that people come with: read from requests, kept with their browsers, asked by conditions. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

const PHONE = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36';
const LAPTOP = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ place: { country: 'DE', regionCode: 'BY', city: 'Munich', postalCode: '80331', latitude: '48.1' } });
});
after(() => edge.stop());

/** Sends events from a device. @param {Visitor} visitor @param {unknown[]} events @param {string} agent @param {string} languages */
async function come(visitor, events, agent, languages) {
  const { status, body } = await visitor.post(visitor.batch(events), { 'User-Agent': agent, 'Accept-Language': languages });
  assert.deepEqual([status, body.accepted?.length], [200, events.length], JSON.stringify(body));
}

/** @param {Visitor} visitor */
const deviceOf = async (visitor) => (await edge.api.profile({ anonymous_id: visitor.anonymousId })).device;

/** A view of a page that says nothing of its browser itself. @param {Visitor} visitor @param {object} [context] */
const seen = (visitor, context = {}) => visitor.event('page', { name: '/', context });

test('a profile says which device came last and where it was, no finer than the city', async () => {
  const visitor = new Visitor(edge);
  await come(visitor, [seen(visitor)], PHONE, 'de-at, en;q=0.5');
  const { at, ...device } = await deviceOf(visitor);
  assert.ok(Math.abs(at - Date.now()) < 60_000);
  assert.deepEqual(device, {
    device: 'mobile', browser: 'chrome', operating_system: 'android', locale: 'de-AT', country: 'DE', region: 'DE-BY', city: 'Munich',
  });
  // The page knows its language better than the request.
  await come(visitor, [seen(visitor, { locale: 'fr-CH' })], LAPTOP, 'en');
  const next = await deviceOf(visitor);
  assert.deepEqual([next.device, next.browser, next.locale], ['desktop', 'firefox', 'fr-CH']);
});

test('of a person of two browsers the one counts that came last, and the export has both', async () => {
  const [phone, laptop] = [new Visitor(edge), new Visitor(edge)];
  const user = `u-${phone.anonymousId}`;
  await edge.api.set('/api/segments/mobile', { name: 'On a phone', condition: 'device = "mobile" and country = "DE"' });
  await come(phone, [seen(phone), phone.identify(user, {}, edge.proof(user))], PHONE, 'de');
  await come(laptop, [seen(laptop)], LAPTOP, 'de');
  assert.equal((await deviceOf(phone)).device, 'mobile');
  const held = async () => (await edge.api.profile({ user_id: user })).segments.map((/** @type {any} */ one) => one.id);
  assert.deepEqual(await held(), ['mobile']);
  await come(laptop, [laptop.identify(user, {}, edge.proof(user))], LAPTOP, 'de');
  const { anonymous_ids: browsers, device } = await edge.api.profile({ user_id: user });
  assert.deepEqual([browsers.length, device.device], [2, 'desktop']);
  assert.deepEqual(await held(), []);
  await come(phone, [seen(phone)], PHONE, 'de');
  assert.deepEqual([(await edge.api.profile({ user_id: user })).device.device, await held()], ['mobile', ['mobile']]);
  const { profile_id: id } = await edge.api.profile({ user_id: user });
  const { body } = await edge.api.get(`/api/profiles/${id}/export`);
  const devices = body.fragments.map((/** @type {any} */ one) => one.device.device);
  assert.deepEqual(devices.sort(), ['desktop', 'mobile']);
});

test('who withdraws their consent leaves no device', async () => {
  const visitor = new Visitor(edge);
  await come(visitor, [seen(visitor)], PHONE, 'de');
  assert.equal((await deviceOf(visitor)).device, 'mobile');
  const consent = { analytics: false, personalization: false, marketing: false };
  await visitor.post(visitor.batch([], { consent }), { 'User-Agent': PHONE });
  assert.equal(await deviceOf(visitor), null);
});

test('what there is none of is refused with the right word', async () => {
  for (const [condition, said] of [
    ['device = "moblie"', 'did you mean "mobile"?'],
    ['country = "Germany"', 'two capital letters'],
    ['language = "de-AT"', '`locale` is the whole tag'],
  ]) {
    const { status, body } = await edge.api.post('/api/conditions', { condition });
    assert.equal(status, 400, condition);
    assert.ok(JSON.stringify(body).includes(said.replaceAll('"', '\\"')), JSON.stringify(body));
  }
});
