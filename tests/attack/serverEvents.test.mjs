/**
 * A shop's server reads anonymous IDs out of what browsers send it, so an attacker who logs in with somebody else's ID in the
 * cookie makes the server say that this browser is theirs. The event counts at the attacker's own user. It reaches the browser
 * whose ID it names only with that browser's token, or once that browser says the same.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ variables: { ENDCAP_IN_FLIGHT_MS: '0' } });
  await edge.api.set('/api/products', { products: PRODUCTS });
});
after(() => edge.stop());

/** A call of the shop's server. @param {string} path @param {Json} fields */
async function server(path, fields) {
  const reply = await edge.serverCall(path, fields);
  return { status: reply.status, text: await reply.text() };
}

/** The same, which has to be taken. @param {string} path @param {Json} fields */
async function says(path, fields) {
  const { status, text } = await server(path, fields);
  assert.equal(status, 200, text);
}

/** A browser whose token came back. @param {string} [taste] */
async function bound(taste = 'private-taste') {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Viewed', 'shoes-2', { category: taste, price: 80 })]);
  await visitor.decision();
  return visitor;
}

/** @param {Visitor} visitor */
const of = (visitor) => edge.api.profile({ anonymous_id: visitor.anonymousId });
const user = (/** @type {string} */ userId) => edge.api.profile({ user_id: userId });
const names = (/** @type {Json} */ profile) => profile.events.map((/** @type {Json} */ event) => event.name);
const bought = (/** @type {string} */ id, revenue = 80) => ({
  event: 'Order Completed',
  properties: { order_id: id, revenue, currency: 'EUR', products: [{ product_id: 'shoes-2', price: revenue, quantity: 1 }] },
});
/** The name of the edge between two user IDs. @param {string} one @param {string} other */
function aliasOf(one, other) {
  const [first, second] = [one, other].sort();
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(first)));
  return `alias~${createHash('sha256').update(Buffer.concat([length, Buffer.from(first + second)])).digest('hex').slice(0, 32)}`;
}

const unverified = async () => {
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  return counts.filter((/** @type {Json} */ one) => one.code === 'unverified').reduce((/** @type {number} */ sum, /** @type {Json} */ one) => sum + one.count, 0);
};

test("who logs in at the shop with somebody else's anonymous ID gets nothing of that browser, and gives it nothing", async () => {
  const victim = await bound();
  await victim.send([victim.identify('victim-1', {}, edge.proof('victim-1'))]);
  const before = await of(victim);
  const stolen = victim.anonymousId;
  await says('identify', { anonymousId: stolen, userId: 'eve-1', traits: { plan: 'evil' } });
  await says('track', { anonymousId: stolen, userId: 'eve-1', ...bought('eve-order') });
  await says('alias', { previousId: stolen, userId: 'eve-1' });
  await says('identify', { anonymousId: stolen, traits: { email: 'eve@example.org', plan: 'evil' } });
  await says('track', { anonymousId: stolen, event: 'Planted' });
  assert.deepEqual(await of(victim), before);
  const eve = await user('eve-1');
  assert.deepEqual([eve.anonymous_ids.includes(stolen), eve.counters.orders, eve.traits.plan], [false, 1, 'evil'], 'the events count at their user');
  assert.deepEqual([eve.unproved.browsers, eve.unproved.claims[0].identifier], [1, 'user_id'], 'and the link is listed');
  // Her own browser is not shown what the victim looked at.
  const hers = await bound('her-taste');
  await hers.send([hers.identify('eve-1', {}, edge.proof('eve-1'))]);
  assert.ok(!Buffer.from((await hers.decision()).behaviour, 'base64url').includes('private-taste'));
  assert.ok(Buffer.from((await victim.decision()).behaviour, 'base64url').includes('private-taste'));
});

test('an ID that is still open is not hers either', async () => {
  const victim = new Visitor(edge);
  await victim.send([victim.product('Viewed', 'shoes-2', { category: 'private-taste' })]);
  const before = await of(victim);
  await says('identify', { anonymousId: victim.anonymousId, userId: 'eve-2' });
  await says('track', { anonymousId: victim.anonymousId, event: 'Planted' });
  const now = await of(victim);
  assert.deepEqual([now.profile_id, now.user_ids, names(now)], [before.profile_id, [], names(before)]);
  assert.equal((await user('eve-2')).unproved.browsers, 1);
});

test('with the token that the server passes on, the browser is theirs at once, and no token is stored', async () => {
  const visitor = await bound();
  const possession = visitor.cookies.get('ec_t');
  const stranger = await bound();
  for (const wrong of ['', 'x', `${possession}x`, stranger.cookies.get('ec_t')]) {
    await says('track', { anonymousId: visitor.anonymousId, userId: 'ann-1', event: 'Wrong Token', context: { possession: wrong } });
    assert.deepEqual((await of(visitor)).user_ids, [], wrong);
  }
  await says('track', { anonymousId: visitor.anonymousId, userId: 'ann-1', event: 'Logged In', context: { possession } });
  const profile = await of(visitor);
  assert.deepEqual([profile.user_ids, profile.profile_id], [['ann-1'], (await user('ann-1')).profile_id]);
  assert.ok(names(profile).includes('Logged In') && names(profile).includes('Wrong Token'));
  assert.ok(Buffer.from((await visitor.decision()).behaviour, 'base64url').includes('private-taste'), 'its cookie goes on');
  await server('track', { anonymousId: visitor.anonymousId, context: { possession } });
  const [log, refused, people] = await Promise.all(['/api/profiles/' + profile.profile_id + '/events', '/api/quarantine', `/api/profiles/${profile.profile_id}/export`].map((path) => edge.api.get(path)));
  assert.ok(JSON.stringify(refused.body).includes(visitor.anonymousId), 'the call without a name is kept');
  assert.ok(![log, refused, people].some((reply) => JSON.stringify(reply.body).includes(String(possession))));
});

test('a call that is sent again after the token it passes on has ended counts once', async () => {
  const visitor = await bound();
  const call = { messageId: uuid(), anonymousId: visitor.anonymousId, userId: 'once', event: 'Paid', context: { possession: visitor.cookies.get('ec_t') } };
  await says('track', call);
  await visitor.send([visitor.identify('once', {}, edge.proof('once'))]);
  await says('track', call);
  assert.equal(names(await user('once')).filter((/** @type {string} */ name) => name === 'Paid').length, 1);
});

test('a link counts once the browser names the same user, whoever speaks first', async () => {
  const first = await bound();
  await says('track', { anonymousId: first.anonymousId, userId: 'bea', event: 'Logged In' });
  // Nobody else confirms it by the names: neither a stranger, nor another vendor's client.
  const stranger = new Visitor(edge);
  stranger.anonymousId = first.anonymousId;
  await stranger.post(stranger.batch([stranger.identify('bea')]));
  const headers = { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${SOURCE}:`)}`, Origin: SHOP_ORIGIN };
  await edge.fetch('/v1/identify', { method: 'POST', headers, body: JSON.stringify({ messageId: uuid(), anonymousId: first.anonymousId, userId: 'bea' }) });
  assert.deepEqual((await of(first)).user_ids, []);
  await first.send([first.identify('somebody-else')]);
  assert.deepEqual((await of(first)).user_ids, []);
  const { warnings } = await first.send([first.identify('bea')]);
  assert.equal(warnings, undefined, 'it is no claim any more');
  const other = await bound();
  const claimed = await other.send([other.identify('bea')]);
  assert.equal(claimed.warnings[0].code, 'claim_listed');
  await says('track', { anonymousId: other.anonymousId, userId: 'bea', event: 'Logged In Again' });
  const bea = await user('bea');
  for (const visitor of [first, other]) assert.ok(bea.anonymous_ids.includes(visitor.anonymousId));
  assert.deepEqual([(await of(other)).profile_id, bea.unproved.browsers], [bea.profile_id, 3], 'listed are the stranger, the other vendor, and what the first browser did as somebody else');
  assert.ok(Buffer.from((await other.decision()).behaviour, 'base64url').includes('private-taste'));
});

test('a browser that says the same keeps its token, also where the answer is lost', async () => {
  const visitor = await bound();
  await says('track', { anonymousId: visitor.anonymousId, userId: 'jo', event: 'Told' });
  const [cookies, batch] = [new Map(visitor.cookies), visitor.batch([visitor.identify('jo')])];
  for (const kept of ['accepted', 'duplicate']) {
    visitor.cookies = new Map(cookies);
    const { body } = await visitor.post(batch);
    assert.deepEqual([body[kept].length, body.anonymous_id], [1, undefined]);
  }
  assert.deepEqual((await of(visitor)).user_ids, ['jo']);
});

test("a browser's order is the server's: the order counts once, with the server's figures, and a guessed number joins nobody", async () => {
  for (const serverFirst of [true, false]) {
    const [visitor, order] = [await bound(), `order-${serverFirst}`];
    const userId = `buyer-${serverFirst}`;
    const told = () => says('track', { anonymousId: visitor.anonymousId, userId, ...bought(order, 120) });
    if (serverFirst) await told();
    await visitor.send([visitor.order(order, [{ product_id: 'shoes-2', price: 1 }])]);
    if (!serverFirst) await told();
    const profile = await user(userId);
    assert.deepEqual([profile.anonymous_ids.includes(visitor.anonymousId), profile.counters.orders], [true, 1]);
    assert.deepEqual(profile.counters.revenue, { EUR: 12_000 });
  }
  const [buyer, guesser] = [await bound(), await bound()];
  await guesser.send([guesser.order('order-1004', [{ product_id: 'shoes-2', price: 1 }])]);
  await says('track', { anonymousId: buyer.anonymousId, userId: 'buyer-3', ...bought('order-1004') });
  assert.deepEqual([(await of(guesser)).user_ids, (await user('buyer-3')).counters.orders], [[], 1]);
});

test('an order that names a bound ID alone is kept beside it, counted, and joins where the browser told of the same one', async () => {
  const visitor = await bound();
  const before = [await of(visitor), await unverified()];
  const { text } = await server('track', { anonymousId: visitor.anonymousId, ...bought('guest-1', 50) });
  assert.deepEqual(JSON.parse(text).warnings.map((/** @type {Json} */ one) => [one.code, one.path]), [['unverified', 'anonymousId']]);
  assert.deepEqual([await of(visitor), await unverified()], [before[0], before[1] + 1]);
  await visitor.send([visitor.order('guest-1', [{ product_id: 'shoes-2', price: 1 }])]);
  const profile = await of(visitor);
  assert.deepEqual([profile.counters.orders, profile.counters.revenue, profile.user_ids], [1, { EUR: 5_000 }, []]);
});

test("a guest's order joins nobody to what others say under the same ID", async () => {
  // Eve puts the victim's ID into her cookie, buys as a guest, and gives her address to the newsletter.
  const [victim, eve] = [await bound(), await bound('her-taste')];
  await says('track', { anonymousId: victim.anonymousId, ...bought('eve-guest', 999) });
  await says('identify', { anonymousId: victim.anonymousId, traits: { email: 'eve@example.org', plan: 'evil' } });
  await eve.send([eve.identify('eve-4', {}, edge.proof('eve-4'))]);
  await says('identify', { userId: 'eve-4', traits: { email: 'eve@example.org' } });
  // The victim's own guest order, and what the shop's server says later of the ID.
  const own = bought('1005', 50);
  await says('track', { anonymousId: victim.anonymousId, ...own, properties: { ...own.properties, order_id: 1005 } });
  await victim.send([victim.order('1005', [{ product_id: 'shoes-2', price: 50 }])]);
  await says('track', { anonymousId: victim.anonymousId, event: 'Planted' });
  const { counters, traits, user_ids: users, events } = await of(victim);
  assert.deepEqual([counters.revenue, traits.plan, users], [{ EUR: 5_000 }, undefined, []]);
  assert.ok(!JSON.stringify(events).includes('Planted'));
  assert.ok(!Buffer.from((await eve.decision()).behaviour, 'base64url').includes('private-taste'));
});

test('what the server said of an ID that nobody had yet opens nothing to whoever takes that ID', async () => {
  const main = await bound('main-secret');
  await main.send([main.identify('vic-3', {}, edge.proof('vic-3'))]);
  const phone = new Visitor(edge);
  await phone.send([phone.track('Landing')]);
  // An open ID, and one that no browser ever had: another device, or an address planted in a cookie.
  for (const anonymousId of [phone.anonymousId, uuid()]) {
    await says('track', { anonymousId, userId: 'vic-3', event: 'Logged In' });
    const taker = new Visitor(edge);
    taker.anonymousId = anonymousId;
    await taker.decision();
    await taker.send([taker.identify('vic-3')]);
    assert.ok(!Buffer.from((await taker.decision()).behaviour, 'base64url').includes('main-secret'));
    await taker.send([taker.order(`forged-${anonymousId}`, [{ product_id: 'shoes-2' }])]);
  }
  assert.equal((await user('vic-3')).counters.orders, 0);
});

test("a browser's word does not count where the shop takes proofs only", async () => {
  const before = (await edge.api.get('/api/settings')).body;
  await edge.api.set('/api/settings', { ...before, identity: { claims: { [SOURCE]: 'proof' } } });
  const visitor = await bound();
  await says('track', { anonymousId: visitor.anonymousId, userId: 'strict', event: 'Logged In' });
  await visitor.send([visitor.identify('strict')]);
  assert.deepEqual((await of(visitor)).user_ids, []);
  await edge.api.set('/api/settings', before);
});

test("a name that the edge made, or a user's, is no browser's", async () => {
  const victim = await bound();
  await victim.send([victim.identify('vic-5', {}, edge.proof('vic-5'))]);
  // The shop once said that two of its user IDs are one person. The name of that edge can be worked out.
  await says('identify', { userId: 'vic-5-old' });
  await says('alias', { previousId: 'vic-5-old', userId: 'vic-5' });
  const eve = new Visitor(edge);
  for (const name of [aliasOf('vic-5-old', 'vic-5'), `${victim.anonymousId}~${uuid()}`, '~00']) {
    eve.anonymousId = name;
    const { status, body } = await eve.post(eve.batch([eve.identify('eve-5', {}, edge.proof('eve-5'))]));
    assert.deepEqual([status, body.error?.path], [400, 'anonymous_id'], name);
    await says('track', { anonymousId: name, userId: 'eve-5', event: 'X' });
  }
  assert.deepEqual((await user('eve-5')).anonymous_ids.includes(victim.anonymousId), false);
  // Where the shop hands its cookie to alias, the setting keeps user IDs out of it.
  const before = (await edge.api.get('/api/settings')).body;
  await edge.api.set('/api/settings', { ...before, identity: { aliases: 'browsers' } });
  await says('alias', { previousId: 'vic-5', userId: 'eve-5' });
  assert.notEqual((await user('eve-5')).profile_id, (await user('vic-5')).profile_id);
  await edge.api.set('/api/settings', before);
});

test("another vendor's ID stays that vendor's, whoever spoke of it first", async () => {
  const vendors = uuid();
  await says('identify', { anonymousId: vendors, userId: 'vic-6' });
  const headers = { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${SOURCE}:`)}`, Origin: SHOP_ORIGIN };
  const view = { event: 'Product Viewed', properties: { product_id: 'shoes-2', category: 'private-taste' } };
  await edge.fetch('/v1/track', { method: 'POST', headers, body: JSON.stringify({ messageId: uuid(), anonymousId: vendors, ...view }) });
  const thief = new Visitor(edge);
  thief.anonymousId = vendors;
  const { body } = await thief.post(thief.batch([], { ask: { slots: [] } }));
  assert.ok(body.anonymous_id !== undefined && !Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste'));
  // What that client says itself is its word; a user who is proved there is not taken from it by somebody else's.
  const claim = (/** @type {string} */ userId) =>
    edge.fetch('/v1/identify', { method: 'POST', headers, body: JSON.stringify({ messageId: uuid(), anonymousId: vendors, userId }) });
  await claim('vic-6');
  await says('identify', { anonymousId: vendors, userId: 'vic-6' });
  await says('identify', { anonymousId: vendors, userId: 'eve-6' });
  await claim('eve-6');
  const [vic, eve] = [await user('vic-6'), await user('eve-6')];
  assert.deepEqual([vic.products_viewed, eve.products_viewed], [['shoes-2'], []]);
});

test('a visitor without a device ID keeps an open ID, whatever the server says of it', async () => {
  const visitor = new Visitor(edge);
  visitor.deviceId = /** @type {any} */ (undefined);
  await visitor.send([visitor.product('Viewed', 'shoes-2', { category: 'private-taste' })]);
  await says('track', { anonymousId: visitor.anonymousId, event: 'FromServer' });
  assert.ok(Buffer.from((await visitor.decision()).behaviour, 'base64url').includes('private-taste'));
});

test("a server's record that says nothing of consent takes none back", async () => {
  const visitor = await bound();
  await visitor.send([visitor.identify('agrees', {}, edge.proof('agrees'))]);
  await says('track', { userId: 'agrees', event: 'Paid' });
  const { analytics, personalization, marketing } = (await user('agrees')).consent;
  assert.deepEqual([analytics, personalization, marketing], [true, true, true]);
});

test('an ID that only the server ever named is the server’s, and nobody else gets in', async () => {
  const anonymousId = uuid();
  await says('track', { anonymousId, event: 'Begun' });
  const thief = new Visitor(edge);
  thief.anonymousId = anonymousId;
  const { body } = await thief.post(thief.batch([thief.track('X')], { ask: { slots: [] } }));
  assert.notEqual(body.anonymous_id ?? anonymousId, anonymousId, 'the browser takes a new one');
  const headers = { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${SOURCE}:`)}`, Origin: SHOP_ORIGIN };
  await edge.fetch('/v1/track', { method: 'POST', headers, body: JSON.stringify({ messageId: uuid(), anonymousId, event: 'Forged' }) });
  await says('identify', { anonymousId, userId: 'kim' });
  const kim = await user('kim');
  assert.deepEqual([kim.anonymous_ids.includes(anonymousId), names(kim).includes('Begun'), names(kim).includes('Forged')], [true, true, false]);
});

test('an ID that the server named first is no longer its own once a browser proved whose it is', async () => {
  const visitor = new Visitor(edge);
  await says('track', { anonymousId: visitor.anonymousId, event: 'Seen' });
  await says('track', { anonymousId: visitor.anonymousId, userId: 'kai', event: 'Told' });
  await visitor.send([visitor.identify('kai', {}, edge.proof('kai'))]);
  assert.deepEqual((await of(visitor)).user_ids, ['kai']);
  // A guest puts the ID into her own cookie and orders.
  const before = (await of(visitor)).orders.length;
  await says('track', { anonymousId: visitor.anonymousId, ...bought(`guest-${uuid()}`) });
  assert.equal((await of(visitor)).orders.length, before);
});

test('nobody links their user to a browser by floods of users, and a placeholder is no user', async () => {
  const visitor = await bound();
  for (let n = 0; n < 12; n += 1) await says('track', { anonymousId: visitor.anonymousId, userId: `flood-${n}`, event: 'X' });
  await says('track', { anonymousId: visitor.anonymousId, userId: 'null', event: 'Nobody' });
  await visitor.send([visitor.identify('flood-0')]);
  assert.deepEqual((await of(visitor)).user_ids, [], 'the latest eight wait');
  await visitor.send([visitor.identify('flood-11')]);
  assert.deepEqual((await of(visitor)).user_ids, ['flood-11']);
});
