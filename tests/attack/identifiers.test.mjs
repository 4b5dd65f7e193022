/** Somebody says first that an address, or a user ID, is theirs. It is not, and the shop's server knows better. */
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

/** @param {string} query */
const find = (query) => edge.api.get(`/api/profiles?${query}`);

/** What the shop's server says. @param {object} call */
async function server(call) {
  const answer = await edge.serverCall('identify', call);
  assert.equal(answer.status, 200);
}

test('who claims an address first is not found by it once the shop said whose it is', async () => {
  const mallory = new Visitor(edge);
  await mallory.send([mallory.identify('mallory', { email: 'boss@shop.example' }, edge.proof('mallory'))]);
  const before = (await find('email=boss@shop.example')).body;
  assert.deepEqual([before.user_ids, before.unproved], [['mallory'], true]);

  await server({ userId: 'boss', traits: { email: 'boss@shop.example' } });
  const after = (await find('email=boss@shop.example')).body;
  assert.deepEqual([after.user_ids, after.unproved.browsers], [['boss'], 1], 'the claim is listed');
  // The claim does not come back, whoever repeats it and from where.
  const again = new Visitor(edge);
  await again.send([again.identify('mallory', { email: 'boss@shop.example' }, edge.proof('mallory'))]);
  assert.deepEqual((await find('email=boss@shop.example')).body.user_ids, ['boss']);
  assert.equal((await find('user_id=boss')).body.unproved.browsers, 2);
});

test('nobody is erased by a name that is only claimed', async () => {
  const victim = new Visitor(edge);
  await victim.send([victim.product('Viewed', 'hers'), victim.identify('victim', {}, edge.proof('victim'))]);
  const attacker = new Visitor(edge);
  await attacker.send([attacker.identify('nobody-yet', { email: 'later@shop.example', phone: '+886 912 345 678' })]);
  for (const [path, query] of [['email', 'email=later@shop.example'], ['user_id', 'user_id=nobody-yet'], ['phone', 'phone=%2B886912345678']]) {
    assert.equal((await find(query)).body.unproved, true, query);
    const { status, body } = await edge.api.delete(`/api/profiles?${query}`);
    assert.deepEqual([status, body.error.path], [400, path]);
    assert.match(body.error.message, /profile_id/);
  }
  assert.equal((await find('user_id=victim')).body.unproved, undefined);
  // By its profile ID, a person looks first.
  const { profile_id: id } = (await find('user_id=nobody-yet')).body;
  assert.equal((await edge.api.delete(`/api/profiles/${encodeURIComponent(id)}`)).status, 200);
  assert.equal((await edge.api.delete('/api/profiles?user_id=victim')).status, 200);
});

test('no message goes out to a name that is only claimed', async () => {
  const attacker = new Visitor(edge);
  await attacker.send([attacker.identify('not-yet', { email: 'news@shop.example' })]);
  const asked = (/** @type {object} */ recipient) => edge.api.post('/api/links', { recipient, campaign_id: 'may', message_id: 'm1' });
  for (const [name, value] of [['email', 'news@shop.example'], ['user_id', 'not-yet']]) {
    const { status, body } = await asked({ [name]: value });
    assert.deepEqual([status, body.error.path], [400, `recipient.${name}`]);
    assert.match(body.error.message, /ENDCAP_SERVER_KEYS/);
  }
  assert.equal((await asked({ email: 'nobody-knows@shop.example' })).status, 200, 'nobody claims that one');
  await server({ userId: 'reader', traits: { email: 'news@shop.example' } });
  assert.equal((await asked({ email: 'news@shop.example' })).status, 200);
});
