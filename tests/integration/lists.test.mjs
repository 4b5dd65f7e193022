/** Lists: segments onto which people are put by name, in JSON or CSV. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** @type {string} */
let list;
beforeEach(async () => {
  list = `list-${uuid()}`;
  await edge.api.set(`/api/segments/${list}`, { name: 'By hand', list: true });
  const saved = await get();
  assert.deepEqual([saved.list, saved.size, saved.text], [true, 0, `listed("${list}")`]);
  await filled();
});

const get = async () => (await edge.api.get(`/api/segments/${list}`)).body;
const filled = () => until(async () => (await get()).filling === null, { what: 'the list is filled' });
/** @param {object} body */
const change = (body) => edge.api.post(`/api/segments/${list}/list`, body);
/** @param {string} text @param {string} [query] */
async function changeCsv(text, query = '') {
  const headers = { Authorization: `Bearer ${edge.apiKey}`, 'Content-Type': 'text/csv; charset=utf-8' };
  const response = await edge.fetch(`/api/segments/${list}/list${query}`, { method: 'POST', headers, body: text });
  return { status: response.status, body: await response.json() };
}
const members = async () => (await edge.api.get(`/api/segments/${list}/members`)).body.members;

/** Somebody with a proved user ID. */
async function known() {
  const visitor = new Visitor(edge);
  const user = `u-${visitor.anonymousId}`;
  await visitor.send([visitor.product('Viewed', 'boot'), visitor.identify(user, {}, edge.proof(user))]);
  return { visitor, user };
}

test('people are put on a list by any name they have, and taken off it', async () => {
  const [ann, bob, stranger] = [await known(), await known(), new Visitor(edge)];
  await stranger.send([stranger.product('Viewed', 'boot')]);
  const email = `${uuid()}@example.org`;
  await edge.serverCall('identify', { userId: bob.user, traits: { email } });
  const { body } = await change({
    add: [{ user_id: ann.user }, { email: ` ${email.toUpperCase()}` }, { anonymous_id: stranger.anonymousId }, { user_id: 'nobody' }, { name: 'x' }],
  });
  assert.deepEqual([body.added, body.unchanged, body.refused], [3, 0, 2]);
  assert.deepEqual(body.problems.map((/** @type {any} */ one) => one.place).sort(), ['add[3]', 'add[4]']);
  assert.deepEqual([(await get()).size, (await members()).length], [3, 3]);
  const again = await change({ add: [{ user_id: ann.user }], remove: [{ user_id: bob.user }, { anonymous_id: stranger.anonymousId }] });
  assert.deepEqual([again.body.added, again.body.unchanged, again.body.removed], [0, 1, 2]);
  const [only] = await members();
  assert.deepEqual([only.user_ids, (await get()).size], [[ann.user], 1]);
  const profile = await edge.api.profile({ user_id: ann.user });
  assert.deepEqual(profile.segments.map((/** @type {any} */ one) => one.id), [list]);
  // Being put on a list is nothing that they did.
  assert.ok(profile.events.every((/** @type {any} */ event) => ['Product Viewed', 'Identified'].includes(event.name)), JSON.stringify(profile.events));
});

test('a CSV of another segment can be put on a list, and be taken off again', async () => {
  const people = [await known(), await known(), await known()];
  const users = people.map(({ user }) => user);
  const quoted = users.map((user) => `"${user}"`).join(', ');
  const other = `other-${uuid()}`;
  await edge.api.set(`/api/segments/${other}`, { name: 'Others', condition: `event("Nothing") or viewed(product = "boot") and trait("pick") = "${other}"` });
  for (const { visitor, user } of people) await visitor.send([visitor.identify(user, { pick: other }, edge.proof(user))]);
  await until(async () => (await edge.api.get(`/api/segments/${other}`)).body.size === 3, { what: `${quoted} are in the segment` });
  const headers = { Authorization: `Bearer ${edge.apiKey}` };
  const csv = await (await edge.fetch(`/api/segments/${other}/export`, { headers })).text();
  assert.deepEqual((await changeCsv(csv)).body.added, 3);
  assert.deepEqual((await members()).flatMap((/** @type {any} */ one) => one.user_ids).sort(), [...users].sort());
  const spreadsheet = `\ufeffName;User ID\r\nAnn;${users[0]}\r\nBob;${users[1]}\r\n;\r\n`;
  const { body } = await changeCsv(spreadsheet, '?do=remove');
  assert.deepEqual([body.removed, body.refused, body.problems[0].place], [2, 1, 'line 4']);
  assert.equal((await get()).size, 1);
});

test('a list follows its people through logins, and an erasure takes them off it', async () => {
  const { visitor, user } = await known();
  const laptop = new Visitor(edge);
  await laptop.send([laptop.product('Viewed', 'boot')]);
  await change({ add: [{ anonymous_id: laptop.anonymousId }] });
  assert.equal((await get()).size, 1);
  await laptop.send([laptop.identify(user, {}, edge.proof(user))]);
  await until(async () => (await members())[0]?.user_ids[0] === user, { what: 'the person is on the list' });
  assert.equal((await get()).size, 1);
  await change({ remove: [{ user_id: user }] });
  assert.equal((await get()).size, 0);
  await change({ add: [{ anonymous_id: visitor.anonymousId }] });
  assert.equal((await get()).size, 1);
  const { profile_id: id } = await edge.api.profile({ user_id: user });
  const headers = { Authorization: `Bearer ${edge.apiKey}` };
  assert.ok((await edge.fetch(`/api/profiles/${id}`, { method: 'DELETE', headers })).ok);
  await until(async () => (await get()).size === 0, { what: 'the erased person left the list' });
});

test('a list that is deleted and made again begins empty', async () => {
  const { user } = await known();
  await change({ add: [{ user_id: user }] });
  const headers = { Authorization: `Bearer ${edge.apiKey}` };
  assert.equal((await edge.fetch(`/api/segments/${list}`, { method: 'DELETE', headers })).status, 204);
  await edge.api.set(`/api/segments/${list}`, { name: 'Again', list: true });
  await filled();
  assert.equal((await get()).size, 0);
  assert.equal((await change({ add: [{ user_id: user }] })).body.added, 1);
  assert.equal((await get()).size, 1);
});

test('a list that was a condition in between begins empty', async () => {
  const { user } = await known();
  await change({ add: [{ user_id: user }] });
  assert.equal((await get()).size, 1);
  await edge.api.set(`/api/segments/${list}`, { name: 'A condition', condition: 'orders > 90' });
  await filled();
  await edge.api.set(`/api/segments/${list}`, { name: 'By hand again', list: true });
  await filled();
  const { size, list: isList } = await get();
  assert.deepEqual([size, isList, (await members()).length], [0, true, 0]);
  assert.equal((await change({ add: [{ user_id: user }] })).body.added, 1);
  assert.equal((await get()).size, 1);
});

test('what only a browser claims puts nobody on a list, nor does a segment with a condition take names', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.identify(`claimed-${visitor.anonymousId}`)]);
  const { body } = await change({ add: [{ user_id: `claimed-${visitor.anonymousId}` }] });
  assert.deepEqual([body.added, body.refused], [0, 1]);
  assert.match(body.problems[0].message, /only claimed|nobody/);
  const [both, wrong] = [`x-${uuid()}`, `y-${uuid()}`];
  const refused = await edge.api.set(`/api/segments/${both}`, { name: 'x', list: true, condition: 'orders > 1' }).catch((error) => error);
  assert.match(String(refused.body?.error?.message ?? refused), /does not stand beside/);
  await edge.api.set(`/api/segments/${wrong}`, { name: 'y', condition: 'orders > 1' });
  const { status, body: said } = await edge.api.post(`/api/segments/${wrong}/list`, { add: [] });
  assert.equal(status, 400);
  assert.match(said.error.message, /described by a condition/);
  assert.equal((await changeCsv('name\nAnn\n')).status, 400);
  assert.equal((await changeCsv('user_id\nx\n', '?do=put')).status, 400);
  const many = `user_id\n${'x\n'.repeat(5001)}`;
  assert.match((await changeCsv(many)).body.error.message, /more than 5000/);
});

test('a thousand people are put on a list in one request', async () => {
  const users = Array.from({ length: 1000 }, () => uuid());
  const batch = users.map((userId) => ({ type: 'identify', userId, messageId: uuid(), traits: { n: 1 } }));
  for (let from = 0; from < batch.length; from += 250) {
    assert.equal((await edge.serverCall('batch', { batch: batch.slice(from, from + 250) })).status, 200);
  }
  const { status, body } = await changeCsv(`user_id\n${users.join('\n')}\n`);
  assert.deepEqual([status, body.added, body.refused], [200, 1000, 0], JSON.stringify(body).slice(0, 500));
  assert.equal((await get()).size, 1000);
});
