/**
 * Who is whom: the cases that every shop meets, each with its answer.
 *
 * A *proved* login is one for which the shop's server made an HMAC of the user ID; what the shop's server says itself is
 * believed as well. Anything else is a *claim*.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** Somebody's browser. */
const browser = () => new Visitor(edge);

/** Logs in on a browser, with the shop's proof. @param {Visitor} visitor @param {string} user @param {Json} [traits] */
const login = (visitor, user, traits = {}) => visitor.send([visitor.identify(user, traits, edge.proof(user))]);

/** Looks at a product. @param {Visitor} visitor @param {string} product */
const view = (visitor, product) => visitor.send([visitor.product('Viewed', product)]);

/** The shop's server speaks. @param {string} call @param {Json} body */
async function server(call, body) {
  const response = await edge.serverCall(call, body);
  assert.equal(response.status, 200, await response.text());
}

/** The person that an identifier names. @param {Json} identifier @returns {Promise<Json>} */
const person = (identifier) => edge.api.profile(/** @type {any} */ (identifier));

/** What they looked at, in the order of the alphabet. @param {Json} identifier */
const viewed = async (identifier) => [...(await person(identifier)).products_viewed].sort();

/** Whether two identifiers name one person. @param {Json} one @param {Json} other */
const same = async (one, other) => (await person(one)).profile_id === (await person(other)).profile_id;

/** An administrator decides. @param {string} path @param {Json} body */
async function decide(path, body) {
  const answer = await edge.api.post(path, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** What was said about an identifier and not followed. @param {string} verdict @param {string} value */
async function open(verdict, value) {
  const { body } = await edge.api.get(`/api/identity/conflicts?verdict=${verdict}`);
  return body.conflicts.filter((/** @type {Json} */ conflict) => conflict.identifier.value === value);
}

/** All links with a verdict, two at a time. @param {string} verdict @returns {Promise<Json[]>} */
async function pages(verdict, cursor = '') {
  const query = `verdict=${verdict}&limit=2${cursor && `&cursor=${cursor}`}`;
  const { body } = await edge.api.get(`/api/identity/conflicts?${query}`);
  return body.cursor ? [...body.conflicts, ...(await pages(verdict, body.cursor))] : body.conflicts;
}

test('anonymous, then a login: joined, and the history is kept', async () => {
  const phone = browser();
  await view(phone, 'before-login');
  await login(phone, 'ann');
  await view(phone, 'after-login');
  assert.deepEqual(await viewed({ user_id: 'ann' }), ['after-login', 'before-login']);
});

test('another user logs in on the same device: a profile of their own from that moment', async () => {
  const shared = browser();
  await view(shared, 'nobody-yet');
  await login(shared, 'bea');
  await view(shared, 'hers');
  await login(shared, 'carl');
  await view(shared, 'his');
  assert.deepEqual(await viewed({ user_id: 'bea' }), ['hers', 'nobody-yet'], 'what was anonymous stays with the first');
  assert.deepEqual(await viewed({ user_id: 'carl' }), ['his']);
});

test('logout: a new anonymous ID, and nothing of the last person', async () => {
  const laptop = browser();
  await login(laptop, 'dora');
  await laptop.send([laptop.event('reset')]);
  laptop.anonymousId = uuid();
  await view(laptop, 'next-person');
  assert.deepEqual(await viewed({ anonymous_id: laptop.anonymousId }), ['next-person']);
  assert.equal(await same({ anonymous_id: laptop.anonymousId }, { user_id: 'dora' }), false);
});

test('the same person on two devices: one profile after the second login', async () => {
  const [phone, laptop] = [browser(), browser()];
  await view(phone, 'on-the-train');
  await login(phone, 'emil');
  await view(laptop, 'at-home');
  assert.deepEqual(await viewed({ user_id: 'emil' }), ['on-the-train']);
  await login(laptop, 'emil');
  assert.deepEqual(await viewed({ user_id: 'emil' }), ['at-home', 'on-the-train']);
});

test('a kiosk: many users on one device, and no chain of merges', async () => {
  const kiosk = browser();
  const users = Array.from({ length: 12 }, (_, n) => `kiosk-user-${n}`);
  for (const user of users) {
    await login(kiosk, user);
    await view(kiosk, `of-${user}`);
  }
  for (const user of users) assert.deepEqual(await viewed({ user_id: user }), [`of-${user}`]);
});

test('two known people share an e-mail address: kept apart, and listed as a conflict', async () => {
  const email = 'family@shop.example';
  await server('identify', { userId: 'father', traits: { email } });
  await server('identify', { userId: 'mother', traits: { email } });
  assert.equal(await same({ user_id: 'father' }, { user_id: 'mother' }), false);
  assert.equal(await same({ email }, { user_id: 'father' }), true, 'it is whose it was first');
  const conflicts = await open('conflict', email);
  assert.equal(conflicts.length, 1);
});

test('a shared e-mail address joins who has no user ID to whoever has one', async () => {
  const email = 'newsletter@shop.example';
  const reader = uuid();
  await server('identify', { anonymousId: reader, traits: { email } });
  await server('identify', { userId: 'subscriber', traits: { email } });
  assert.equal(await same({ anonymous_id: reader }, { user_id: 'subscriber' }), true);
});

test('two logins race on two devices: one person', async () => {
  for (let round = 0; round < 5; round += 1) {
    const devices = Array.from({ length: 4 }, browser);
    await Promise.all(devices.map((device, n) => view(device, `device-${n}`)));
    await Promise.all(devices.map((device) => login(device, `racer-${round}`)));
    const products = ['device-0', 'device-1', 'device-2', 'device-3'];
    assert.deepEqual(await viewed({ user_id: `racer-${round}` }), products);
  }
});

test('a merge of merges: everything of both', async () => {
  const devices = Array.from({ length: 4 }, browser);
  for (const [n, device] of devices.entries()) {
    await view(device, `merged-${n}`);
    await login(device, n < 2 ? 'old-account' : 'new-account');
  }
  await server('alias', { previousId: 'old-account', userId: 'new-account' });
  const all = ['merged-0', 'merged-1', 'merged-2', 'merged-3'];
  assert.deepEqual(await viewed({ user_id: 'old-account' }), all);
  assert.deepEqual(await viewed({ user_id: 'new-account' }), all);
});

test('a cycle of aliases: one person, and an end', async () => {
  for (const user of ['x1', 'x2', 'x3']) await login(browser(), user);
  await server('alias', { previousId: 'x1', userId: 'x2' });
  await server('alias', { previousId: 'x2', userId: 'x3' });
  await server('alias', { previousId: 'x3', userId: 'x1' });
  assert.equal(await same({ user_id: 'x1' }, { user_id: 'x2' }), true);
  assert.equal(await same({ user_id: 'x2' }, { user_id: 'x3' }), true);
});

test('an identifier that the CRM moved to another person', async () => {
  const email = 'moved@shop.example';
  await server('identify', { userId: 'former-owner', traits: { email } });
  await decide('/api/profiles/unmerge', { identifier: { namespace: 'email', value: email }, reason: 'moved in the CRM' });
  await server('identify', { userId: 'new-owner', traits: { email } });
  assert.equal(await same({ email }, { user_id: 'new-owner' }), true);
  assert.equal(await same({ email }, { user_id: 'former-owner' }), false);
});

test('late events for a merged profile are forwarded', async () => {
  const [phone, laptop] = [browser(), browser()];
  await login(phone, 'fay');
  await view(laptop, 'early');
  const [route, late] = [/** @type {string} */ (laptop.cookies.get('ec_r')), laptop.product('Viewed', 'late')];
  await login(laptop, 'fay');
  laptop.cookies.set('ec_r', route);
  await laptop.send([late]);
  laptop.cookies.delete('ec_r');
  await view(laptop, 'later');
  assert.deepEqual(await viewed({ user_id: 'fay' }), ['early', 'late', 'later']);
});

test('a decision about what nobody has is answered with the field', async () => {
  for (const [ask, path] of /** @type {[Record<string, any>, string][]} */ ([
    [{ anonymous_id: uuid() }, 'anonymous_id'],
    [{ fragment_id: `${uuid()}` }, 'fragment_id'],
    [{ identifier: { namespace: 'email', value: 'nobody@shop.example' } }, 'identifier'],
    [{ anonymous_id: uuid(), identifier: { namespace: 'user_id', value: 'nobody' } }, 'anonymous_id'],
  ])) {
    for (const route of ['/api/profiles/unmerge', '/api/identity/restore', '/api/identity/approve']) {
      const { status, body } = await edge.api.post(route, { ...ask, reason: 'a typing error' });
      assert.deepEqual([status, body.error?.code, body.error?.path], [404, 'not_found', path], route);
    }
  }
});

test('unmerge on request: events go back by their original anonymous ID, exactly', async () => {
  const [hers, not] = [browser(), browser()];
  await view(hers, 'her-own');
  await login(hers, 'gina');
  const alone = await person({ user_id: 'gina' });
  await view(not, 'not-hers');
  const other = await person({ anonymous_id: not.anonymousId });
  await login(not, 'gina');
  await view(not, 'after-the-mistake');
  assert.deepEqual(await viewed({ user_id: 'gina' }), ['after-the-mistake', 'her-own', 'not-hers']);

  await decide('/api/profiles/unmerge', { anonymous_id: not.anonymousId, reason: 'her brother used her login' });
  assert.deepEqual(await person({ user_id: 'gina' }), alone, 'as if the link had never been');
  const back = await person({ anonymous_id: not.anonymousId });
  assert.deepEqual(back.products_viewed, ['after-the-mistake', 'not-hers']);
  assert.equal(back.profile_id, other.profile_id);
  await view(not, 'on-their-own');
  assert.deepEqual(await viewed({ user_id: 'gina' }), ['her-own']);

  await decide('/api/identity/restore', { anonymous_id: not.anonymousId, reason: 'it was her after all' });
  assert.deepEqual(await viewed({ user_id: 'gina' }), ['after-the-mistake', 'her-own', 'not-hers', 'on-their-own']);
});

test('a claim adds nothing to the person and shows nothing of them; a later proof brings its past', async () => {
  const [known, claiming] = [browser(), browser()];
  await view(known, 'private');
  await login(known, 'hana', { city: 'Graz' });
  await claiming.send([claiming.product('Viewed', 'claimed'), claiming.identify('hana', { city: 'Nowhere' })]);
  const { unproved, ...hana } = await person({ user_id: 'hana' });
  assert.deepEqual([hana.products_viewed, hana.traits.city, unproved.browsers], [['private'], 'Graz', 1]);
  const decision = await claiming.decision();
  assert.notEqual(decision.profile_id, edge.opaque(hana.profile_id));
  assert.ok(!Buffer.from(decision.behaviour, 'base64url').includes('private'));
  await login(claiming, 'hana');
  assert.equal((await claiming.decision()).profile_id, edge.opaque(hana.profile_id));
  assert.deepEqual(await viewed({ user_id: 'hana' }), ['claimed', 'private']);
});

test('a claim never joins two known people', async () => {
  const email = 'ivan@shop.example';
  await server('identify', { userId: 'ivan', traits: { email } });
  const thief = browser();
  await login(thief, 'thief', { email });
  assert.equal(await same({ user_id: 'ivan' }, { user_id: 'thief' }), false);
  assert.equal(await same({ email }, { user_id: 'ivan' }), true);
  assert.equal((await open('unproved', email)).length, 1);
});

test('placeholders name nobody', async () => {
  const [one, other] = [browser(), browser()];
  for (const placeholder of ['null', 'Guest', 'undefined', '0', '00000000', 'N/A', 'anonymous']) {
    await server('identify', { anonymousId: one.anonymousId, userId: placeholder });
    await server('identify', { anonymousId: other.anonymousId, userId: placeholder });
  }
  assert.equal(await same({ anonymous_id: one.anonymousId }, { anonymous_id: other.anonymousId }), false);
  assert.deepEqual((await person({ anonymous_id: one.anonymousId })).user_ids, []);
});

test('phone numbers are compared in one form, and other systems have their own IDs', async () => {
  const [one, other] = [uuid(), uuid()];
  await server('identify', { anonymousId: one, traits: { phone: '+43 (0)660 123 45 67', 'external:crm': 'C-77' } });
  await server('identify', { anonymousId: other, traits: { phone: '0043 660 1234567' } });
  assert.equal(await same({ anonymous_id: one }, { phone: '+436601234567' }), true);
  assert.equal(await same({ anonymous_id: one }, { anonymous_id: other }), true);
  assert.equal(await same({ 'external:crm': 'C-77' }, { anonymous_id: other }), true);
});

test('a storm of merges is held for review, and an administrator lets it through', async () => {
  await edge.api.set('/api/settings', { identity: { merges_per_hour: 3 } });
  const strict = browser();
  await login(strict, 'stormy');
  // Shards learn of new settings within the configured time; a login meanwhile may still pass.
  const devices = Array.from({ length: 6 }, browser);
  for (const device of devices) await login(device, 'stormy');
  const held = await open('held', 'stormy');
  assert.ok(held.length > 0, 'some are held');
  assert.deepEqual(await pages('held'), (await edge.api.get('/api/identity/conflicts?verdict=held')).body.conflicts);
  const apart = { anonymous_id: held[0].fragment_id };
  assert.equal(await same(apart, { user_id: 'stormy' }), false);
  await decide('/api/identity/approve', { ...apart, reason: 'it is her test day' });
  assert.equal(await same(apart, { user_id: 'stormy' }), true);
  await edge.api.set('/api/settings', { identity: {} });
});
