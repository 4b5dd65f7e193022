/** Profile 360: computed traits, every event, who a person is joined of, and all of it for who asks what is stored. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
/** @type {PushService} */
let service;
before(async () => {
  service = await PushService.start();
  edge = await Edge.start();
});
after(async () => {
  await edge.stop();
  await service.close();
});

/** Logs in with the shop's proof. @param {Visitor} visitor @param {string} user @param {Json} [traits] */
const login = (visitor, user, traits = {}) => visitor.send([visitor.identify(user, traits, edge.proof(user))]);

/** Reads, and fails the test unless it is there. @param {string} path @returns {Promise<Json>} */
async function read(path) {
  const { status, body } = await edge.api.get(path);
  assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
  return body;
}

/** All events of a profile, page by page. @param {string} id @param {number} limit @returns {Promise<Json[]>} */
async function allEvents(id, limit) {
  const found = [];
  for (let cursor = ''; cursor !== undefined;) {
    const page = await read(`/api/profiles/${id}/events?limit=${limit}${cursor && `&cursor=${cursor}`}`);
    assert.ok(page.events.length <= limit);
    found.push(...page.events);
    cursor = page.cursor;
  }
  return found;
}

test('a profile is found by its ID, also by one that became part of another', async () => {
  const [phone, laptop] = [new Visitor(edge), new Visitor(edge)];
  await login(phone, 'ida');
  await laptop.send([laptop.product('Viewed', 'before')]);
  await login(laptop, 'ida');
  const { profile_id: id } = await edge.api.profile({ user_id: 'ida' });
  for (const known of [id, phone.anonymousId, laptop.anonymousId]) {
    assert.equal((await read(`/api/profiles/${known}`)).profile_id, id);
  }
  assert.equal((await edge.api.get('/api/profiles/nobody')).status, 404);
});

test('computed traits follow from the history', async () => {
  const [phone, laptop] = [new Visitor(edge), new Visitor(edge)];
  const at = Date.now() - 3 * 3_600_000;
  const when = { timestamp: at };
  await login(phone, 'jo');
  await login(laptop, 'jo');
  await phone.send([
    phone.product('Viewed', 'hat-1', { category: 'hats' }, when),
    phone.product('Viewed', 'hat-2', { category: 'hats' }, when),
    phone.order('jo-1', [{ product_id: 'hat-1', price: 20 }], when),
  ]);
  await laptop.send([
    laptop.product('Added', 'coat-1', { category: 'coats' }, when),
    laptop.order('jo-2', [{ product_id: 'coat-1', price: 35 }], when),
  ]);
  const { computed } = await edge.api.profile({ user_id: 'jo' });
  assert.equal(computed.first_seen, at);
  assert.deepEqual([computed.orders, computed.devices, computed.sessions], [2, 2, 2]);
  assert.deepEqual([computed.revenue, computed.average_order], [{ EUR: 5500 }, { EUR: 2750 }]);
  assert.equal(computed.favourite_category, 'hats');
  assert.equal(computed.typical_hour, new Date(at).getUTCHours());
  assert.equal(computed.favourite_brand, null);
});

test('the favourite brand is the catalogue\'s, and the typical hour the shop\'s', async () => {
  const product = (/** @type {string} */ id, /** @type {string} */ brand) => ({
    id, title: id, url: `/p/${id}`, image: `/i/${id}.jpg`, category: 'shoes', brand, price: { amount: 100, currency: 'EUR' },
  });
  await edge.api.set('/api/products', { products: [product('branded-1', 'Odda'), product('branded-2', 'Fjell')] });
  await edge.api.set('/api/settings', { time_zone: 'Asia/Kolkata' });
  const visitor = new Visitor(edge);
  const timestamp = Date.now() - 3_600_000;
  const events = [
    visitor.product('Viewed', 'branded-1', {}, { timestamp }),
    visitor.product('Viewed', 'branded-2', {}, { timestamp }),
    visitor.product('Viewed', 'branded-2', {}, { timestamp }),
  ];
  await visitor.send(events);
  const { computed } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.equal(computed.favourite_brand, 'Fjell');
  // India is five and a half hours ahead of UTC, all year.
  assert.equal(computed.typical_hour, new Date(timestamp + 5.5 * 3_600_000).getUTCHours());
  const { status, body } = await edge.api.put('/api/settings', { time_zone: 'Middle/Earth' });
  assert.deepEqual([status, body.error.path], [400, 'time_zone']);
  await edge.api.set('/api/settings', {});
});

test('every event of a person is listed once, page by page, from all browsers and shards', async () => {
  const browsers = [new Visitor(edge), new Visitor(edge), new Visitor(edge)];
  /** @type {any[]} */
  const sent = [];
  const send = async (/** @type {Visitor} */ visitor, /** @type {Json[]} */ events) => {
    sent.push(...events.map((event) => event.message_id));
    await visitor.send(events);
  };
  for (const browser of browsers) await send(browser, [browser.track('Before')]);
  for (const browser of browsers) await send(browser, [browser.identify('kim', {}, edge.proof('kim')), browser.track('After')]);
  await send(browsers[0], Array.from({ length: 7 }, (_, n) => browsers[0].track(`Step ${n}`)));
  const { profile_id: id } = await edge.api.profile({ user_id: 'kim' });
  for (const limit of [1, 3, 200]) {
    const events = await allEvents(id, limit);
    assert.deepEqual(events.map(({ event }) => event.message_id).sort(), [...sent].sort());
    const times = events.map(({ received_at: at }) => at);
    assert.deepEqual(times, [...times].sort((a, b) => b - a));
    assert.equal(events[0].event.name, 'Step 6');
  }
  assert.deepEqual(await allEvents((await anonymous()).profile_id, 10).then((all) => all.length), 1);
});

/** A visitor whom nothing links to anybody. */
async function anonymous() {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('Once')]);
  return edge.api.profile({ anonymous_id: visitor.anonymousId });
}

test('the graph says by which event and source each identifier joined, and how far it is believed', async () => {
  const [phone, thief] = [new Visitor(edge), new Visitor(edge)];
  const proved = phone.identify('lea', { email: 'Lea@Shop.example' }, edge.proof('lea'));
  await phone.send([proved]);
  await thief.send([thief.identify('lea')]);
  const { profile_id: id } = await edge.api.profile({ user_id: 'lea' });
  const graph = await read(`/api/profiles/${id}/graph`);
  assert.equal(graph.profile_id, id);
  const link = (/** @type {string} */ fragment, /** @type {string} */ namespace) =>
    graph.links.find((/** @type {Json} */ one) => one.fragment_id === fragment && one.namespace === namespace);
  const user = link(phone.anonymousId, 'user_id');
  assert.deepEqual([user.value, user.verdict, user.claimed], ['lea', 'joined', null]);
  assert.deepEqual([user.proved.message_id, user.proved.source], [proved.message_id, SOURCE]);
  assert.equal(link(phone.anonymousId, 'email').value, 'lea@shop.example');
  // The claim is a link of the browser that made it, and leads nowhere.
  assert.equal(link(thief.anonymousId, 'user_id'), undefined);
  const own = await read(`/api/profiles/${thief.anonymousId}/graph`);
  const [claim] = own.links;
  assert.deepEqual([claim.value, claim.verdict, claim.proved, claim.claimed.source], ['lea', 'unproved', null, SOURCE]);
  assert.deepEqual(own.fragments.map((/** @type {Json} */ one) => [one.fragment_id, one.standing]), [[thief.anonymousId, 'own']]);
});

test('an export holds all that is stored, without keys', async () => {
  const visitor = new Visitor(edge);
  const { subscription } = new Receiver(service, edge.pushKey);
  const events = [visitor.order('mia-1', [{ product_id: 'hat' }]), visitor.identify('mia', { email: 'mia@shop.example' }, edge.proof('mia'))];
  await visitor.send(events);
  await visitor.subscribe(subscription);
  await visitor.post(visitor.batch([visitor.track('')]));
  const { profile_id: id } = await edge.api.profile({ user_id: 'mia' });
  const all = await read(`/api/profiles/${id}/export`);
  assert.equal(all.profile.traits.email, 'mia@shop.example');
  assert.equal(all.profile.consent.history.length, 1);
  assert.deepEqual(all.events.map((/** @type {Json} */ one) => one.event.message_id).sort(), events.map((one) => one.message_id).sort());
  assert.deepEqual([all.fragments[0].anonymous_id, all.fragments[0].device_id], [visitor.anonymousId, visitor.deviceId]);
  assert.equal(all.subscriptions[0].endpoint, subscription.endpoint);
  assert.ok(all.timers.length > 0 && all.graph.links.length > 0);
  assert.equal(all.refused.length, 1);
  assert.equal(all.events_cursor, undefined);
  const text = JSON.stringify(all);
  for (const key of Object.values(subscription.keys)) assert.ok(!text.includes(key));
});

test('wrong requests are answered with the field', async () => {
  const { profile_id: id } = await anonymous();
  for (const [query, path] of [['limit=0', 'limit'], ['limit=201', 'limit'], ['limit=x', 'limit'], ['cursor=x', 'cursor'], ['cursor=1.2.3', 'cursor']]) {
    const { status, body } = await edge.api.get(`/api/profiles/${id}/events?${query}`);
    assert.deepEqual([status, body.error.path], [400, path], query);
  }
  for (const part of ['events', 'graph', 'export']) {
    assert.equal((await edge.api.get(`/api/profiles/${uuid()}/${part}`)).status, 404, part);
    assert.equal((await edge.api.with().get(`/api/profiles/${id}/${part}`)).status, 401, part);
    assert.equal((await edge.api.post(`/api/profiles/${id}/${part}`, {})).status, 405, part);
  }
  assert.equal((await edge.api.get(`/api/profiles/${id}/nothing`)).status, 404);
});
