/** Who is whom: cookies, proofs and claims. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

test('the edge sets one cookie that scripts read and one that they cannot', async () => {
  const visitor = new Visitor(edge);
  const { headers } = await visitor.post(visitor.batch([visitor.track('X')]));
  const lines = headers.getSetCookie();
  const [readable] = lines.filter((line) => line.startsWith('ec_id='));
  const [route] = lines.filter((line) => line.startsWith('ec_r='));
  assert.ok(readable.startsWith(`ec_id=1.${visitor.deviceId}.${visitor.anonymousId}.`), readable);
  assert.doesNotMatch(readable, /HttpOnly/i);
  assert.match(route, /HttpOnly/i);
  for (const line of [readable, route]) {
    assert.match(line, /SameSite=Lax/i);
    assert.match(line, /Path=\//i);
    assert.match(line, /Max-Age=34560000/i);
    assert.doesNotMatch(line, /Secure/i, 'plain http in local development');
  }
});

test('a forged route cookie is ignored', async () => {
  const [victim, thief] = [new Visitor(edge), new Visitor(edge)];
  await victim.send([victim.product('Viewed', 'secret-taste', { category: 'secrets' })]);
  const [, kid, payload, mac] = /** @type {string} */ (victim.cookies.get('ec_r')).split('.');
  const flipped = mac.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
  for (const forged of [`1.${kid}.${payload}.${flipped}`, `1.${kid}.${payload}.`, `1.other.${payload}.${mac}`, payload]) {
    thief.cookies.set('ec_r', forged);
    await thief.send([thief.track('X')]);
    const { body } = await thief.post(thief.batch([], { ask: { slots: [] } }));
    const own = await edge.api.profile({ anonymous_id: thief.anonymousId });
    assert.equal(body.decision.profile_id, edge.opaque(own.profile_id));
    assert.deepEqual(own.anonymous_ids, [thief.anonymousId]);
    assert.deepEqual(own.products_viewed, []);
  }
  const { anonymous_ids: ids } = await edge.api.profile({ anonymous_id: victim.anonymousId });
  assert.deepEqual(ids, [victim.anonymousId]);
});

test('a proved login joins two devices into one profile', async () => {
  const [phone, laptop] = [new Visitor(edge), new Visitor(edge)];
  await phone.send([phone.product('Viewed', 'on-phone', { category: 'shoes' })]);
  await laptop.send([laptop.product('Added', 'on-laptop', { category: 'shoes', quantity: 2 })]);
  const proof = edge.proof('ada');
  await phone.send([phone.identify('ada', { email: 'ada@shop.example' }, proof)]);
  await laptop.send([laptop.identify('ada', { name: 'Ada' }, proof)]);

  const profile = await edge.api.profile({ user_id: 'ada' });
  assert.deepEqual(new Set(profile.anonymous_ids), new Set([phone.anonymousId, laptop.anonymousId]));
  assert.deepEqual(new Set(profile.device_ids), new Set([phone.deviceId, laptop.deviceId]));
  assert.deepEqual(profile.traits, { email: 'ada@shop.example', name: 'Ada' });
  assert.ok(profile.products_viewed.includes('on-phone'));
  assert.equal(profile.cart.units, 2);
  for (const identifier of [{ anonymous_id: phone.anonymousId }, { anonymous_id: laptop.anonymousId }]) {
    assert.equal((await edge.api.profile(identifier)).profile_id, profile.profile_id);
  }
});

test('what a joined device does later reaches the joined profile, with and without its route', async () => {
  const [first, second] = [new Visitor(edge), new Visitor(edge)];
  for (const device of [first, second]) {
    await device.send([device.track('Before')]);
    await device.send([device.identify('grace', {}, edge.proof('grace'))]);
  }
  await first.send([first.product('Viewed', 'with-route')]);
  second.cookies.delete('ec_r');
  await second.send([second.product('Viewed', 'without-route')]);
  const { products_viewed: viewed } = await edge.api.profile({ user_id: 'grace' });
  assert.deepEqual(new Set(viewed), new Set(['with-route', 'without-route']));
});

test('a retried login of a joined device counts nothing twice', async () => {
  const [first, second] = [new Visitor(edge), new Visitor(edge)];
  await first.send([first.product('Viewed', 'a'), first.identify('linus', {}, edge.proof('linus'))]);
  const batch = JSON.stringify(
    second.batch([second.product('Viewed', 'b'), second.identify('linus', {}, edge.proof('linus'))]),
  );
  assert.equal((await second.post(batch)).body.accepted.length, 2);
  const once = await edge.api.profile({ user_id: 'linus' });
  assert.equal((await second.post(batch)).body.duplicate.length, 2);
  second.cookies.clear();
  assert.equal((await second.post(batch)).body.duplicate.length, 2);
  const { counters } = await edge.api.profile({ user_id: 'linus' });
  assert.equal(counters.events, once.counters.events);
});

test('a claim without proof, or with a wrong one, reveals nothing and changes nothing that is proved', async () => {
  const owner = new Visitor(edge);
  const proof = edge.proof('victim');
  await owner.send([owner.product('Viewed', 'private', { category: 'private' }), owner.identify('victim', { email: 'v@shop.example' }, proof)]);
  const before = await edge.api.profile({ user_id: 'victim' });
  for (const wrong of [undefined, '', 'zz', edge.proof('someone-else'), `${proof.slice(0, -1)}0`.replace(proof, 'ff')]) {
    const thief = new Visitor(edge);
    const { decision } = await thief.send([thief.identify('victim', { email: 'v@shop.example' }, wrong)], {
      ask: { slots: [{ name: 'home', limit: 4 }] },
    });
    assert.notEqual(decision.profile_id, edge.opaque(before.profile_id));
    assert.ok(!Buffer.from(decision.behaviour, 'base64url').includes('private'));
    const { body } = await thief.post(thief.batch([thief.track('Later')], { ask: { slots: [] } }));
    assert.notEqual(body.decision.profile_id, edge.opaque(before.profile_id), 'and so it stays, with the cookie of the answer');
    assert.ok(!Buffer.from(body.decision.behaviour, 'base64url').includes('private'));
  }
  const { user_ids: users, traits } = await edge.api.profile({ user_id: 'victim' });
  assert.deepEqual([users, traits], [before.user_ids, before.traits]);
});

test('a claim is shown as a claim', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.identify('perhaps')]);
  const profile = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.deepEqual([profile.user_ids, profile.claimed_user_ids], [[], ['perhaps']]);
  assert.equal((await edge.api.profile({ user_id: 'perhaps' })).profile_id, profile.profile_id);
});

test('after a logout the browser is somebody new, and the next person does not meet the last', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Viewed', 'first-person'), visitor.identify('one', {}, edge.proof('one'))]);
  const { profile_id: one } = await edge.api.profile({ user_id: 'one' });
  await visitor.send([visitor.event('reset')]);
  visitor.anonymousId = new Visitor(edge).anonymousId;
  const { decision } = await visitor.send([visitor.product('Viewed', 'second-person')], { ask: { slots: [] } });
  assert.notEqual(decision.profile_id, edge.opaque(one));
  const fresh = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.deepEqual([fresh.user_ids, fresh.products_viewed], [[], ['second-person']]);
  assert.deepEqual((await edge.api.profile({ user_id: 'one' })).products_viewed, ['first-person']);
});

test('a browser that two people use by turns without logging out keeps each to themselves', async () => {
  const [ann, bob] = ['ann', 'bob'].map((name) => edge.proof(name));
  const shared = new Visitor(edge);
  await shared.send([shared.product('Viewed', 'hers-1'), shared.identify('ann', {}, ann)]);
  // She is known elsewhere too, and so is he.
  for (const [name, proof] of [['ann', ann], ['bob', bob]]) {
    const other = new Visitor(edge);
    await other.send([other.identify(name, {}, proof)]);
  }
  const turn = [shared.product('Viewed', 'hers-2'), shared.identify('bob', {}, bob), shared.product('Viewed', 'his-1')];
  const cookies = new Map(shared.cookies);
  await shared.send(turn);
  shared.cookies = cookies;
  const retry = await shared.post(shared.batch(turn));
  assert.equal(retry.body.duplicate.length, 3, 'the answer got lost with its cookies, so the page sends it all again');
  await shared.send([shared.identify('ann', {}, ann), shared.product('Viewed', 'hers-3')]);
  await shared.send([shared.product('Viewed', 'hers-4')]);
  await shared.send([shared.identify('bob', {}, bob), shared.product('Viewed', 'his-2')]);
  const viewed = async (/** @type {string} */ user) => (await edge.api.profile({ user_id: user })).products_viewed;
  assert.deepEqual(await viewed('ann'), ['hers-4', 'hers-3', 'hers-2', 'hers-1']);
  assert.deepEqual(await viewed('bob'), ['his-2', 'his-1']);
});

test('two people who log in within one batch are two people', async () => {
  const [known, shared] = [new Visitor(edge), new Visitor(edge)];
  await known.send([known.identify('first', {}, edge.proof('first'))]);
  const { accepted } = await shared.send([
    shared.identify('first', {}, edge.proof('first')),
    shared.product('Viewed', 'of-the-first'),
    shared.identify('second', {}, edge.proof('second')),
    shared.product('Viewed', 'of-the-second'),
  ]);
  assert.equal(accepted.length, 4);
  await shared.send([shared.product('Viewed', 'later')]);
  const viewed = async (/** @type {string} */ user) => (await edge.api.profile({ user_id: user })).products_viewed;
  assert.deepEqual(await viewed('first'), ['of-the-first']);
  assert.deepEqual(await viewed('second'), ['later', 'of-the-second']);
});
