/**
 * Somebody knows the anonymous ID of a browser, as scripts, servers and logs do. It is a name and no key: with it alone nobody
 * reads what the browser's person is shown, and nothing that is sent under it reaches them.
 */
import assert from 'node:assert/strict';
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
  const variables = { ENDCAP_IN_FLIGHT_MS: '0', ENDCAP_CLIENT_IP_HEADER: 'x-real-ip' };
  [edge, service] = await Promise.all([Edge.start({ variables }), PushService.start()]);
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

/** The cookie of a domain that has an old version's route. @param {string} profile */
const oldRoute = (profile) => ({ ec_r: edge.signed('route', profile) });

test('the token is a cookie that no script reads, and over https of this host only', async () => {
  const visitor = new Visitor(edge);
  const { headers, body } = await visitor.post(visitor.batch([visitor.track('X')]));
  const [line] = headers.getSetCookie().filter((one) => one.startsWith('ec_t='));
  assert.match(line, /; HttpOnly; Path=\/; Max-Age=34560000; SameSite=Lax$/);
  assert.equal(body.possession, undefined, 'the page needs no copy');
  // A changed, cut or strange token is none: so far the ID is open, and the cookie is set anew.
  const token = /** @type {string} */ (visitor.cookies.get('ec_t'));
  await visitor.decision();
  for (const wrong of [token.slice(0, -2), `${token}x`, edge.signed('route 2', `${visitor.anonymousId}\n0`), edge.signed('possession', `${uuid()}\n0`), '']) {
    const other = stranger(visitor, { ec_t: wrong });
    const { body } = await other.post(other.batch([other.track('X')]));
    assert.notEqual(body.anonymous_id ?? visitor.anonymousId, visitor.anonymousId, wrong);
  }
});

test('a lost first answer harms nobody: the ID stays open until a token comes back', async () => {
  const visitor = new Visitor(edge);
  const batch = visitor.batch([visitor.product('Viewed', 'first')]);
  for (const expected of [0, 1]) {
    const { body } = await visitor.post(batch);
    assert.deepEqual([body.duplicate?.length, body.anonymous_id], [expected, undefined]);
    visitor.cookies.clear();
  }
  const { body } = await visitor.post(visitor.batch([visitor.identify('only-claims'), visitor.product('Viewed', 'second')]));
  assert.equal(body.anonymous_id, undefined);
  visitor.cookies.clear();
  await visitor.send([visitor.product('Viewed', 'third')]);
  assert.deepEqual((await person(visitor)).products_viewed.sort(), ['first', 'second', 'third']);
});

test('with the name alone nobody reads what a person is shown', async () => {
  const victim = await bound();
  await victim.send([victim.identify('ann', {}, edge.proof('ann'))]);
  const profile = await person(victim);
  /** @type {Record<string, string>[]} */
  const known = [{}, { ec_id: `1.${victim.deviceId}.${victim.anonymousId}.0` }, oldRoute(profile.profile_id), { ec_r: edge.signed('route 2', profile.profile_id) }];
  for (const cookies of known) {
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
  const again = stranger(victim, { ec_id: `1.${victim.deviceId}.${victim.anonymousId}.4` });
  const retry = await again.post(batch);
  assert.deepEqual([retry.body.duplicate?.length, retry.body.anonymous_id], [2, body.anonymous_id]);
  // The browser goes on under its new ID, which the cookies of the answer name, one epoch on, and show.
  assert.equal(again.cookies.get('ec_id'), `1.${victim.deviceId}.${body.anonymous_id}.5`);
  again.anonymousId = body.anonymous_id;
  const next = await again.post(again.batch([again.product('Viewed', 'next')]));
  assert.deepEqual([next.status, next.body.anonymous_id], [200, undefined]);
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  assert.ok(counts.some((/** @type {Json} */ one) => one.code === 'unverified' && one.count >= 2), JSON.stringify(counts));
  assert.deepEqual((await person(again)).products_viewed, ['next']);
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
  // Ending what is not there writes nothing.
  const before = await person(victim);
  assert.equal((await thief.subscribe(/** @type {any} */ (undefined), { unsubscribe: 'https://push.example/none' })).status, 403);
  assert.deepEqual(await person(victim), before);
  // The service worker has the token of this subscription, and may replace this one by that.
  const next = new Receiver(service, edge.pushKey);
  const other = await bound();
  for (const renewal of ['', `${body.renewal}x`, edge.signed('renewal', `${victim.anonymousId}\nhttps://push.example/other`)]) {
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

test('of the tokens that were handed out while an ID was open only the one that came back counts', async () => {
  // Somebody knows the ID from the start, and asks for tokens before and after the first one that its browser gets.
  const victim = new Visitor(edge);
  const ask = async (address = '192.0.2.66') => {
    const asking = stranger(victim);
    await asking.post(asking.batch([], { ask: { slots: [] } }), { 'X-Real-IP': address });
    return asking;
  };
  const before = await ask();
  await victim.send([victim.product('Viewed', 'hers', { category: 'private-taste' })]);
  const since = await ask('192.0.2.67');
  const tokens = [before, victim, since].map(({ cookies }) => cookies.get('ec_t'));
  assert.equal(new Set(tokens).size, 3, 'no two clients have the same');
  // Requests of one browser that are under way together get the same, so it does not matter whose answer comes last.
  assert.equal((await ask('')).cookies.get('ec_t'), victim.cookies.get('ec_t'));
  await victim.send([victim.track('Back')]);
  for (const stranger of [before, since]) {
    const { body } = await stranger.post(stranger.batch([], { ask: { slots: [] } }));
    assert.ok(!Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste'));
    assert.notEqual(body.anonymous_id, undefined);
  }
  assert.ok(Buffer.from((await victim.decision()).behaviour, 'base64url').includes('private-taste'));
});

test("nor is it where the shop's server had named the person before they logged in", async () => {
  const attacker = new Visitor(edge);
  await attacker.send([attacker.track('Begun')]);
  const planted = new Map(attacker.cookies);
  const receiver = new Receiver(service, edge.pushKey);
  assert.equal((await attacker.subscribe(receiver.subscription)).status, 200);
  assert.equal((await edge.serverCall('track', { anonymousId: attacker.anonymousId, userId: 'gus', event: 'Paid' })).status, 200);
  const victim = stranger(attacker, Object.fromEntries(planted));
  await victim.send([victim.identify('gus', {}, edge.proof('gus')), victim.product('Viewed', 'his', { category: 'private-taste' })]);
  assert.equal((await person(victim)).counters.push_subscriptions, 0, 'what was subscribed before is ended');
  attacker.cookies = planted;
  const { body } = await attacker.post(attacker.batch([], { ask: { slots: [] } }));
  assert.ok(!Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste'));
  // The next logins take no token away: neither the one of another domain, nor one that an answer still brings.
  const before = victim.cookies.get('ec_t');
  await victim.send([victim.identify('gus', {}, edge.proof('gus'))]);
  assert.equal(victim.cookies.get('ec_t'), before);
});

test('who finds the cookie of somebody who logged out is shown nothing of them', async () => {
  const visitor = await bound();
  await visitor.send([visitor.identify('ida', {}, edge.proof('ida'))]);
  await visitor.send([visitor.event('reset')]);
  const { body } = await visitor.post(visitor.batch([visitor.track('Queued')], { ask: { slots: [] } }));
  assert.deepEqual([body.accepted.length, body.decision], [1, undefined], 'what was queued counts, and nothing is shown');
  assert.equal((await visitor.subscribe(new Receiver(service, edge.pushKey).subscription)).status, 403);
});

test('a logout counts also in one batch with the login that a page repeats with each view', async () => {
  const visitor = await bound();
  await visitor.send([visitor.identify('ivo', {}, edge.proof('ivo'))]);
  await visitor.send([visitor.identify('ivo', {}, edge.proof('ivo')), visitor.event('reset')]);
  const { body } = await visitor.post(visitor.batch([], { ask: { slots: [] } }));
  assert.equal(body.decision, undefined);
  await visitor.send([visitor.event('reset'), visitor.identify('ivo', {}, edge.proof('ivo'))]);
  assert.ok((await visitor.decision()).profile_id);
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
  // What such a client says under a bound ID is kept apart under an ID that no message leads to.
  const guess = stranger(victim);
  const guessed = await guess.post(guess.batch([guess.track('X', {}, { message_id: SOURCE })]));
  const aside = await edge.api.profile({ anonymous_id: guessed.body.anonymous_id });
  assert.deepEqual([aside.counters.events, aside.counters.orders], [1, 0]);
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
  const taste = (/** @type {Json} */ { decision }) => Buffer.from(decision.behaviour, 'base64url').includes('private-taste');
  const back = await send([visitor.track('Back')], { possession });
  assert.deepEqual([taste(back), back.possession, back.anonymous_id], [true, undefined, undefined]);
  const without = await send([visitor.track('Without')]);
  assert.deepEqual([taste(without), typeof without.anonymous_id], [false, 'string']);
  const profile = await person(visitor);
  assert.ok(!JSON.stringify(profile.events).includes('Without'));
  const { status, body } = await edge.api.get(`/api/profiles/${profile.profile_id}/events`);
  assert.equal(status, 200);
  assert.ok(JSON.stringify(body).includes('Back') && !JSON.stringify(body).includes(possession), 'a token is not kept');
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
