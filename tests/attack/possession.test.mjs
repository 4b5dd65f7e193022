/**
 * Somebody knows the anonymous ID of a browser, as scripts, servers and logs do. It is a name and no key: with it alone nobody
 * reads what the browser's person is shown, and nothing that is sent under it reaches them.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
/** @type {PushService} */
let service;
before(async () => {
  // A request without the token counts as unverified at once; the last test asks what happens in the time before.
  [edge, service] = await Promise.all([Edge.start({ variables: { ENDCAP_IN_FLIGHT_MS: '0' } }), PushService.start()]);
  await edge.api.set('/api/products', { products: PRODUCTS });
});
after(async () => {
  await edge.stop();
  await service.close();
});

/** A browser whose token came back: its ID is bound. */
async function bound() {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Added', 'shoes-2', { category: 'private-taste', price: 80 })]);
  await visitor.decision();
  return visitor;
}

/** A stranger who names a browser, and holds nothing of it. @param {Visitor} victim @param {Record<string, string>} [cookies] */
function stranger(victim, cookies = {}) {
  const visitor = new Visitor(edge);
  visitor.anonymousId = victim.anonymousId;
  visitor.deviceId = victim.deviceId;
  visitor.sessionId = victim.sessionId;
  for (const [name, value] of Object.entries(cookies)) visitor.cookies.set(name, value);
  return visitor;
}

/** What the edge holds of a browser's person. @param {Visitor} visitor */
const person = (visitor) => edge.api.profile({ anonymous_id: visitor.anonymousId });

/** A text as an edge signs it. @param {string} purpose @param {string} payload @param {string} [keys] */
function signed(purpose, payload, keys = edge.signingKey) {
  const [kid, key] = keys.split(':');
  const mac = createHmac('sha256', Buffer.from(key, 'base64url')).update(`endcap ${purpose}\0${kid}\0${payload}\0`).digest();
  return `1.${kid}.${Buffer.from(payload).toString('base64url')}.${mac.subarray(0, 16).toString('base64url')}`;
}

/** The cookie of a domain that has an old version's route. @param {string} profile */
const oldRoute = (profile) => ({ ec_r: signed('route', profile) });

test('the token is a cookie that no script reads, and over https of this host only', async () => {
  const visitor = new Visitor(edge);
  const { headers, body } = await visitor.post(visitor.batch([visitor.track('X')]));
  const [line] = headers.getSetCookie().filter((one) => one.startsWith('ec_t='));
  assert.match(line, /; HttpOnly; Path=\/; Max-Age=34560000; SameSite=Lax$/);
  assert.equal(body.possession, undefined, 'the page needs no copy');
  // A changed, cut or strange token is none: so far the ID is open, and the cookie is set anew.
  const token = /** @type {string} */ (visitor.cookies.get('ec_t'));
  await visitor.decision();
  for (const wrong of [token.slice(0, -2), `${token}x`, signed('route 2', `${visitor.anonymousId}\n0`), signed('possession', `${uuid()}\n0`), '']) {
    const other = stranger(visitor, { ec_t: wrong });
    const { body } = await other.post(other.batch([other.track('X')]));
    assert.notEqual(body.anonymous_id ?? visitor.anonymousId, visitor.anonymousId, wrong);
  }
});

test('with the name alone nobody reads what a person is shown', async () => {
  const victim = await bound();
  await victim.send([victim.identify('ann', {}, edge.proof('ann'))]);
  const profile = await person(victim);
  for (const cookies of [{}, { ec_id: `1.${victim.deviceId}.${victim.anonymousId}.0` }, oldRoute(profile.profile_id), { ec_r: signed('route 2', profile.profile_id) }]) {
    const thief = stranger(victim, cookies);
    const { status, body } = await thief.post(thief.batch([], { ask: { slots: [{ name: 'home', limit: 4 }] } }));
    assert.equal(status, 200);
    assert.notEqual(body.decision.profile_id, edge.opaque(profile.profile_id));
    assert.ok(!Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste'));
    // What the answer set opens no more.
    const again = await thief.post(thief.batch([], { ask: { slots: [] } }));
    assert.ok(!Buffer.from(again.body.decision.behaviour, 'base64url').includes('private-taste'));
  }
  assert.deepEqual(await person(victim), profile);
});

test('what comes without the token is kept apart and answered from itself alone, and the browser takes a new ID', async () => {
  const victim = await bound();
  const before = await person(victim);
  const thief = stranger(victim);
  const order = thief.order('forged-1', [{ product_id: 'shoes-2' }]);
  const withdrawn = { analytics: true, personalization: false, marketing: false };
  const events = [order, thief.identify('somebody', {}, edge.proof('somebody'))];
  const batch = thief.batch(events, { ask: { slots: [] }, consent: withdrawn });
  const { status, body } = await thief.post(batch);
  assert.equal(status, 200);
  assert.deepEqual(body.accepted.length, 2);
  assert.equal(body.warnings.at(-1).code, 'unverified');
  assert.ok(body.anonymous_id && body.anonymous_id !== victim.anonymousId);
  assert.deepEqual(await person(victim), before, 'no order, no consent and no login of a stranger reaches them');
  const apart = await edge.api.profile({ anonymous_id: body.anonymous_id });
  assert.deepEqual([apart.user_ids, apart.counters.orders], [['somebody'], 1], 'a login with a proof is good there');
  assert.equal((await edge.api.profile({ user_id: 'somebody' })).profile_id, apart.profile_id);

  // The same batch again, as when the answer is lost, finds the same ID and counts nothing twice.
  const retry = await stranger(victim).post(batch);
  assert.deepEqual([retry.body.duplicate?.length, retry.body.anonymous_id], [2, body.anonymous_id]);
  // The browser goes on under its new ID, which the cookies of the answer name and show.
  assert.match(/** @type {string} */ (thief.cookies.get('ec_id')), new RegExp(`^1\\.${victim.deviceId}\\.${body.anonymous_id}\\.1$`));
  thief.anonymousId = body.anonymous_id;
  const next = await thief.post(thief.batch([thief.product('Viewed', 'next')]));
  assert.deepEqual([next.status, next.body.anonymous_id], [200, undefined]);
  assert.deepEqual((await person(thief)).products_viewed, ['next']);
  assert.ok((await edge.api.get('/api/quarantine/counts')).status < 500);
});

test('the owner goes on undisturbed, and their own cookie is worth more than a login of somebody else under their name', async () => {
  const victim = await bound();
  const thief = stranger(victim);
  await thief.post(thief.batch([thief.identify('eve', {}, edge.proof('eve'))]));
  await victim.send([victim.order('real-1', [{ product_id: 'shoes-2', price: 80 }])]);
  const { user_ids: users, counters } = await person(victim);
  assert.deepEqual([users, counters.orders], [[], 1]);
});

test('nobody subscribes their own push endpoint as somebody else, and the end of a subscription needs only its endpoint', async () => {
  const victim = await bound();
  const thief = stranger(victim);
  const receiver = new Receiver(service, edge.pushKey);
  const refused = await thief.subscribe(receiver.subscription);
  assert.deepEqual([refused.status, refused.body.error.code], [403, 'unverified']);
  const { body } = await victim.subscribe(receiver.subscription);
  assert.equal(body.subscribed, true);
  // The service worker has the token of this subscription, and may replace this one by that.
  const next = new Receiver(service, edge.pushKey);
  const other = await bound();
  for (const renewal of ['', `${body.renewal}x`, signed('renewal', `${victim.anonymousId}\nhttps://push.example/other`)]) {
    assert.equal((await thief.subscribe(next.subscription, { renewal })).status, 403);
  }
  assert.equal((await stranger(other).subscribe(next.subscription, { renewal: body.renewal })).status, 403);
  assert.equal((await thief.subscribe(next.subscription, { renewal: body.renewal })).status, 200);
  assert.equal((await person(victim)).counters.push_subscriptions, 1);
});

test('a token that somebody planted is worth nothing once the person has proved who they are', async () => {
  // The attacker began the ID, has its token, and got the victim's browser to use it.
  const attacker = new Visitor(edge);
  await attacker.send([attacker.track('Begun')]);
  const planted = new Map(attacker.cookies);
  const victim = stranger(attacker, Object.fromEntries(planted));
  await victim.send([victim.identify('fay', {}, edge.proof('fay')), victim.product('Viewed', 'hers', { category: 'private-taste' })]);
  const mine = await victim.decision();
  assert.ok(Buffer.from(mine.behaviour, 'base64url').includes('private-taste'));
  attacker.cookies = planted;
  const { body } = await attacker.post(attacker.batch([attacker.track('More')], { ask: { slots: [] } }));
  assert.ok(!Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste'));
  assert.notEqual(body.anonymous_id, undefined);
  // A lost cookie is recovered by the same proof; by somebody else's nothing is.
  const lost = stranger(victim);
  await lost.send([lost.identify('fay', {}, edge.proof('fay'))]);
  assert.ok(Buffer.from((await lost.decision()).behaviour, 'base64url').includes('private-taste'));
});

test('a visitor from before there were tokens is known by the route cookie, once', async () => {
  const [known, racer] = [new Visitor(edge), new Visitor(edge)];
  await known.send([known.product('Viewed', 'from-before', { category: 'private-taste' })]);
  known.cookies = new Map(Object.entries(oldRoute(known.anonymousId)));
  // Somebody else, who only knows the name, comes first, and comes back.
  racer.anonymousId = known.anonymousId;
  await racer.send([racer.track('X')]);
  await racer.decision();
  const { behaviour } = await known.decision();
  assert.ok(Buffer.from(behaviour, 'base64url').includes('private-taste'));
  await known.send([known.track('Back')]);
  const { body } = await racer.post(racer.batch([], { ask: { slots: [] } }));
  assert.ok(!Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste'));
  const late = stranger(known, oldRoute(known.anonymousId));
  assert.notEqual((await late.post(late.batch([late.track('X')]))).body.anonymous_id, undefined, 'once');
});

test("another vendor's client touches no bound ID, and its own IDs open nothing to a browser", async () => {
  const victim = await bound();
  const before = await person(victim);
  const Authorization = `Basic ${btoa(`${SOURCE}:`)}`;
  const call = async (/** @type {Json} */ fields) => {
    const headers = { 'Content-Type': 'application/json', Authorization, Origin: SHOP_ORIGIN };
    const body = JSON.stringify({ messageId: uuid(), event: 'Order Completed', properties: { order_id: uuid(), revenue: 1, currency: 'EUR' }, ...fields });
    assert.equal((await edge.fetch('/v1/track', { method: 'POST', headers, body })).status, 200);
  };
  await call({ anonymousId: victim.anonymousId });
  assert.deepEqual(await person(victim), before);
  const vendors = uuid();
  await call({ anonymousId: vendors });
  await call({ anonymousId: vendors });
  assert.equal((await edge.api.profile({ anonymous_id: vendors })).counters.orders, 2);
  const thief = new Visitor(edge);
  thief.anonymousId = vendors;
  assert.notEqual((await thief.post(thief.batch([thief.track('X')]))).body.anonymous_id, undefined);
});

test('a page of another site, to which no cookie travels, keeps the token itself', async () => {
  const elsewhere = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' };
  const visitor = new Visitor(edge);
  const send = async (/** @type {Json[]} */ events, /** @type {Json} */ fields = {}) => {
    visitor.cookies.clear();
    return (await visitor.post(visitor.batch(events, { ask: { slots: [] }, ...fields }), elsewhere)).body;
  };
  const { possession } = await send([visitor.product('Viewed', 'a', { category: 'private-taste' })]);
  assert.match(possession, /^1\.k1\./);
  const taste = ({ decision }) => Buffer.from(decision.behaviour, 'base64url').includes('private-taste');
  const back = await send([visitor.track('Back')], { possession });
  assert.deepEqual([taste(back), back.possession, back.anonymous_id], [true, undefined, undefined]);
  const without = await send([visitor.track('Without')]);
  assert.deepEqual([taste(without), typeof without.anonymous_id], [false, 'string']);
  const { events } = await person(visitor);
  assert.ok(!JSON.stringify(events).includes('Without'));
  const log = await edge.api.get(`/api/export?anonymous_id=${visitor.anonymousId}`);
  assert.ok(!log.text?.includes(possession), 'a token is not kept');
});

test('a batch that was under way when the ID was bound is sent again, and counts once', async () => {
  await edge.restart({ ENDCAP_IN_FLIGHT_MS: '30000' });
  const visitor = await bound();
  const late = stranger(visitor);
  const batch = late.batch([late.product('Viewed', 'late')]);
  const first = await late.post(batch);
  assert.deepEqual([first.status, first.body.error.code, first.headers.get('retry-after')], [503, 'new_token', '1']);
  assert.equal((await visitor.post(batch)).body.accepted.length, 1);
  assert.deepEqual((await person(visitor)).products_viewed, ['late']);
});
