/** Erasure: who asks to be forgotten is gone from every table of every object, and does not come back by late events. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const HALF_AN_HOUR = 30 * 60_000;
const EMAIL = 'erna.vergissmich@shop.example';
const PHONE = '+819012345678';

/** @typedef {Record<string, any>} Json */

/** @type {Edge} */
let edge;
/** @type {PushService} */
let service;
before(async () => {
  service = await PushService.start();
  edge = await Edge.start({ variables: { ENDCAP_LEARN_INTERVAL_MS: '3600000' } });
});
after(async () => {
  await edge.stop();
  await service.close();
});

/** Every row of every table of every object, as one text for each row. @returns {Promise<string[]>} */
async function rows() {
  const response = await edge.fetch('/ec/dev/tables');
  assert.equal(response.status, 200);
  /** @type {Record<string, string[][]>[]} */
  const objects = await response.json();
  return objects.flatMap((tables, object) =>
    Object.entries(tables).flatMap(([name, list]) => list.map((row) => `${object} ${name}: ${unpacked(row.join(' | '))}`)),
  );
}

/** The text with what it carries as base64. @param {string} text */
const unpacked = (text) =>
  text + [...text.matchAll(/[A-Za-z0-9+/]{60,}={0,2}/g)].map(([code]) => Buffer.from(code, 'base64').toString('latin1')).join(' ');

/** Rows in which one of these names stands. @param {string[]} names */
async function mentioning(names) {
  const all = await rows();
  return all.filter((row) => names.some((name) => row.toLowerCase().includes(name.toLowerCase())));
}

/** The shop's server speaks. @param {string} call @param {Json} body */
async function server(call, body) {
  const response = await edge.serverCall(call, body);
  return { status: response.status, body: await response.json() };
}

/**
 * A customer with two browsers, a server's record, orders, a push subscription and refused events.
 *
 * @param {string} user
 */
async function customer(user) {
  const [phone, laptop] = [new Visitor(edge), new Visitor(edge)];
  const proof = edge.proof(user);
  /** @type {any[]} */
  const sent = [];
  const send = async (/** @type {Visitor} */ visitor, /** @type {Json[]} */ events) => {
    sent.push(...events.map((event) => event.message_id));
    await visitor.send(events);
  };
  await send(laptop, [laptop.product('Viewed', 'coat', { category: 'coats' })]);
  await send(phone, [phone.product('Viewed', 'hat', { category: 'hats' }), phone.identify(user, { email: EMAIL, phone: PHONE, name: 'Erna Vergissmich' }, proof)]);
  await send(phone, [phone.order(`order-of-${user}`, [{ product_id: 'hat' }])]);
  // The laptop's fragment moves to the phone's profile.
  await send(laptop, [laptop.identify(user, {}, proof), laptop.product('Added', 'coat', { category: 'coats' })]);
  await phone.subscribe(new Receiver(service, edge.pushKey).subscription);
  // Refused: one event of a browser, one of a server.
  await laptop.post(laptop.batch([laptop.track('')]));
  assert.equal((await server('identify', { userId: user, traits: { email: EMAIL } })).status, 200);
  await server('track', { userId: user, event: '', context: { traits: { email: EMAIL } } });
  const profile = await edge.api.profile({ user_id: user });
  assert.ok(profile.anonymous_ids.length >= 2 && profile.orders.length === 1);
  const names = [phone.anonymousId, laptop.anonymousId, phone.deviceId, user, EMAIL, PHONE, 'Vergissmich', ...sent];
  return { phone, laptop, profile, names };
}

/** How many events were refused because their browser was erased. @returns {Promise<number>} */
async function refused() {
  const { counts } = (await edge.api.get('/api/quarantine/counts')).body;
  return counts.filter((/** @type {Json} */ one) => one.code === 'erased')
    .reduce((/** @type {number} */ sum, /** @type {Json} */ one) => sum + one.count, 0);
}

test('nothing of an erased person is found in any table of any object', async () => {
  const { profile, names } = await customer('erna-1');
  assert.ok((await mentioning(names)).length > 5, 'they are there before');
  const { status, body } = await edge.api.delete(`/api/profiles/${profile.profile_id}`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.erased, true);
  assert.ok(body.fragments >= 3, JSON.stringify(body));
  for (const kind of ['profiles', 'batches', 'subscriptions', 'timers', 'refused']) {
    assert.ok(body.rows[kind] > 0, `${kind}: ${JSON.stringify(body)}`);
  }
  assert.deepEqual(await mentioning(names), []);
  assert.equal((await edge.api.get(`/api/profiles/${profile.profile_id}`)).status, 404);
  assert.equal((await edge.api.get('/api/profiles?user_id=erna-1')).status, 404);
  assert.equal((await edge.api.delete(`/api/profiles/${profile.profile_id}`)).status, 404);
});

test('late events of an erased browser are refused and counted, and its cookies are taken back', async () => {
  const { phone, laptop, names } = await customer('erna-2');
  const other = new Visitor(edge);
  await other.send([other.product('Viewed', 'of-another')]);
  assert.equal((await edge.api.delete('/api/profiles?user_id=erna-2')).status, 200);
  const before = await refused();
  const late = laptop.track('Late');
  const answer = await laptop.post(laptop.batch([late, laptop.track('')]));
  assert.deepEqual(answer.body.accepted, []);
  assert.deepEqual(answer.body.rejected.map((/** @type {Json} */ one) => one.code), ['erased', 'erased']);
  const gone = answer.headers.getSetCookie().filter((line) => /^ec_(id|r)=;/.test(line) && /Max-Age=0/.test(line));
  assert.equal(gone.length, 2, answer.headers.getSetCookie().join('\n'));
  // Without cookies, by login, by the server and by push it is the same.
  phone.cookies.clear();
  await phone.post(phone.batch([phone.identify('erna-2', { email: EMAIL }, edge.proof('erna-2'))]));
  await server('track', { anonymousId: laptop.anonymousId, event: 'Late' });
  await phone.subscribe(new Receiver(service, edge.pushKey).subscription);
  assert.equal(await refused(), before + 4);
  assert.deepEqual(await mentioning(names), []);
  assert.deepEqual((await edge.api.profile({ anonymous_id: other.anonymousId })).products_viewed, ['of-another']);
});

test('the person may come back as a new customer, under a new anonymous ID', async () => {
  const { profile } = await customer('erna-3');
  assert.equal((await edge.api.delete(`/api/profiles?email=${encodeURIComponent(EMAIL)}`)).status, 200);
  const fresh = new Visitor(edge);
  await fresh.send([fresh.identify('erna-3', { email: EMAIL }, edge.proof('erna-3'))]);
  const back = await edge.api.profile({ user_id: 'erna-3' });
  assert.notEqual(back.profile_id, profile.profile_id);
  assert.deepEqual([back.orders, back.products_viewed], [[], []]);
  assert.equal((await edge.api.delete(`/api/profiles/${back.profile_id}`)).status, 200);
});

test('a person who shared an address with the erased one keeps it and everything else', async () => {
  const [one, other] = ['sharing-1', 'sharing-2'];
  const [hers, his] = [new Visitor(edge), new Visitor(edge)];
  await hers.send([hers.identify(one, { email: 'family@shop.example' }, edge.proof(one))]);
  await his.send([his.product('Viewed', 'his'), his.identify(other, { email: 'family@shop.example' }, edge.proof(other))]);
  assert.equal((await edge.api.delete(`/api/profiles?user_id=${one}`)).status, 200);
  const { products_viewed: viewed, traits } = await edge.api.profile({ user_id: other });
  assert.deepEqual([viewed, traits.email], [['his'], 'family@shop.example']);
});

test('an anonymous visitor can be erased, and the message that is due for them never comes', async () => {
  const [kept, erased] = [new Visitor(edge), new Visitor(edge)];
  const receivers = [new Receiver(service, edge.pushKey), new Receiver(service, edge.pushKey)];
  for (const [n, visitor] of [kept, erased].entries()) {
    await visitor.send([visitor.order(`first-${n}`, [{ product_id: 'hat' }])]);
    await visitor.subscribe(receivers[n].subscription);
    await visitor.send([visitor.product('Added', 'left-behind')]);
  }
  assert.equal((await edge.api.delete(`/api/profiles?anonymous_id=${erased.anonymousId}`)).status, 200);
  await edge.passTime(Date.now() + 2 * HALF_AN_HOUR);
  await until(() => receivers[0].messages.length, { what: 'the message to who was not erased' });
  assert.equal(receivers[1].messages.length, 0);
  assert.deepEqual(await mentioning([erased.anonymousId, erased.deviceId]), []);
});

test('an erasure that was recorded is carried out, whenever the server is killed', async () => {
  for (let moment = 0; moment < 8; moment += 1) {
    const user = `killed-${moment}`;
    const { profile, names } = await customer(user);
    const path = `/api/profiles/${profile.profile_id}`;
    const lost = edge.api.delete(path).catch(() => undefined);
    for (let n = 0; n < moment; n += 1) await edge.fetch('/healthz');
    await edge.restart();
    await lost;
    // The alarm goes on with what was recorded; what was not has changed nothing.
    const outcome = await until(async () => {
      const left = await mentioning(names);
      return left.length ? !left.some((row) => row.includes(' erasure: ')) && 'unheard' : 'done';
    }, { what: `the erasure of ${user}`, within: 30_000 });
    if (outcome === 'done') continue;
    assert.equal((await edge.api.profile({ user_id: user })).orders.length, 1);
    assert.equal((await edge.api.delete(path)).status, 200);
  }
});

test('wrong requests are answered with the field', async () => {
  assert.equal((await edge.api.with().delete('/api/profiles/x')).status, 401);
  assert.equal((await edge.api.delete('/api/profiles/nobody')).status, 404);
  assert.equal((await edge.api.delete('/api/profiles?user_id=nobody')).status, 404);
  assert.equal((await edge.api.post('/api/profiles/nobody', {})).status, 405);
  for (const [path, field] of [['/api/profiles?', ''], ['/api/profiles/%00', 'id'], [`/api/profiles/${'x'.repeat(300)}`, 'id']]) {
    const { status, body } = await edge.api.delete(path);
    assert.deepEqual([status, body.error.path], [400, field], path.slice(0, 40));
  }
});
