/**
 * A proof is taken from where it was made: it is used at another source, after its time, under another name, or read out of
 * what the edge stores.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { uuidv7 } from '../harness/ids.mjs';
import { Visitor } from '../harness/visitor.mjs';

const OTHER = 'outlet';
const SECRETS = { [SOURCE]: ['the shop, until today', 'the shop, from today'], [OTHER]: 'the outlet' };

/** @type {Edge} */
let edge;
before(async () => {
  const sources = { [SOURCE]: [SHOP_ORIGIN], [OTHER]: [SHOP_ORIGIN], common: [SHOP_ORIGIN] };
  const variables = { ENDCAP_SOURCES: JSON.stringify(sources), ENDCAP_IDENTITY_SECRETS: JSON.stringify(SECRETS) };
  edge = await Edge.start({ variables });
});
after(() => edge.stop());

/** @param {string} secret @param {string} text */
const hmac = (secret, text) => createHmac('sha256', secret).update(text).digest('hex');

/** The proof with expiry that a shop's server makes. @param {string} secret @param {string} source @param {string} userId @param {number} seconds From now. */
function proofOf(secret, source, userId, seconds) {
  const expiry = Math.floor(Date.now() / 1000) + seconds;
  return `v2.${expiry}.${hmac(secret, ['v2', source, expiry, userId].join('\n'))}`;
}

/**
 * Says at a source who a new browser is. Whether that is proved is read from the profile.
 *
 * @param {string} source
 * @param {string} userId
 * @param {string} proof
 */
async function login(source, userId, proof) {
  const visitor = new Visitor(edge);
  const { body } = await visitor.post(visitor.batch([visitor.identify(userId, {}, proof)], { source }));
  assert.equal(body.accepted.length, 1, JSON.stringify(body));
  const warnings = (body.warnings ?? []).map((/** @type {any} */ { code, path }) => `${code} ${path}`);
  const profile = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  return { warnings, proved: profile.user_ids.includes(userId) };
}

test('a proof with expiry counts at its own source, until its time', async () => {
  const shop = SECRETS[SOURCE][0];
  assert.deepEqual(await login(SOURCE, 'u-1', proofOf(shop, SOURCE, 'u-1', 60)), { warnings: [], proved: true });
  assert.deepEqual(await login(SOURCE, 'u-2', proofOf(SECRETS[SOURCE][1], SOURCE, 'u-2', 60)), { warnings: [], proved: true });
  for (const [what, proof] of /** @type {[string, string][]} */ ([
    ['of another user', proofOf(shop, SOURCE, 'u-1', 60)],
    ['of another source', proofOf(SECRETS[OTHER], OTHER, 'v-1', 60)],
    ['of another source, by this secret', proofOf(shop, OTHER, 'v-1', 60)],
    ['with a later time', proofOf(shop, SOURCE, 'v-1', 60).replace(/^v2\.\d+/, (head) => `${head}0`)],
    ['whose time is spelled otherwise', proofOf(shop, SOURCE, 'v-1', 60).replace('v2.', 'v2.0')],
    ['by the common secret', edge.proof('v-1')],
    ['by nobody', 'v2.99999999999.00'],
  ])) {
    assert.deepEqual(await login(SOURCE, 'v-1', proof), { warnings: ['proof_wrong proof'], proved: false }, what);
  }
});

test('an expired proof makes a claim, and unproves nothing', async () => {
  const visitor = new Visitor(edge);
  const [secret] = SECRETS[SOURCE];
  await visitor.send([visitor.identify('u-3', {}, proofOf(secret, SOURCE, 'u-3', 60))]);
  const late = await visitor.send([visitor.identify('u-3', {}, proofOf(secret, SOURCE, 'u-3', -1))]);
  assert.deepEqual(late.warnings.map((/** @type {any} */ warning) => warning.code), ['proof_expired']);
  assert.match(late.warnings[0].message, /expired/);
  assert.deepEqual((await edge.api.profile({ anonymous_id: visitor.anonymousId })).user_ids, ['u-3']);
  assert.deepEqual(await login(SOURCE, 'u-8', proofOf(secret, SOURCE, 'u-8', -1)), { warnings: ['proof_expired proof'], proved: false });
});

test('a browser cannot keep an expired proof alive by the time of its event', async () => {
  const visitor = new Visitor(edge);
  const event = { ...visitor.identify('u-4', {}, proofOf(SECRETS[SOURCE][0], SOURCE, 'u-4', -60)), timestamp: Date.now() - 120_000 };
  const { warnings } = await visitor.send([event]);
  assert.equal(warnings[0].code, 'proof_expired');
});

test('a source without a secret of its own has the common one, and takes the forms that the settings say', async () => {
  assert.deepEqual(await login('common', 'u-5', edge.proof('u-5')), { warnings: [], proved: true });
  await edge.api.set('/api/settings', { identity: { proofs: { '*': 'v2' } } });
  await edge.restart({ ENDCAP_SNAPSHOT_TTL_MS: '0' });
  assert.deepEqual(await login('common', 'u-6', edge.proof('u-6')), { warnings: ['proof_form proof'], proved: false });
  assert.deepEqual(await login(SOURCE, 'u-6', proofOf(SECRETS[SOURCE][0], SOURCE, 'u-6', 60)), { warnings: [], proved: true });
  const wrong = await edge.api.put('/api/settings', { identity: { proofs: { '*': 'v3' } } });
  assert.deepEqual([wrong.status, wrong.body.error.path], [400, 'identity.proofs.*']);
});

test('no proof is stored: not with a kept event, not with a refused one, not with a held call', async () => {
  const visitor = new Visitor(edge);
  const [secret] = SECRETS[SOURCE];
  const proof = proofOf(secret, SOURCE, 'u-7', 60);
  await visitor.send([visitor.identify('u-7', { shoe: 44 }, proof), visitor.track('Quiz Finished', { proof: '80 percent' })]);
  // Escapes that only a program writes name the same member; it lies in the future, so this one is refused.
  const refused = JSON.stringify({ ...visitor.identify('u-7', {}, proof), timestamp: Date.now() + 86_400_000 }).replace('"proof"', '"pr\\u006fof"');
  const raw = { message_id: uuidv7(Date.now()), timestamp: Date.now(), call: ['identify', 'u-7', {}, { proof }], url: '', referrer: '' };
  const wrong = { ...raw, message_id: uuidv7(Date.now()), timestamp: Date.now() + 86_400_000 };
  const body = JSON.stringify(visitor.batch(['%'], { raw: [raw, wrong] })).replace('"%"', refused);
  const reply = (await visitor.post(body)).body;
  assert.deepEqual([reply.accepted.length, reply.rejected.length], [1, 2], JSON.stringify(reply));

  const stored = JSON.stringify(await (await edge.fetch('/ec/dev/tables')).json());
  const digest = /** @type {string} */ (proof.split('.')[2]);
  const packed = Buffer.from(digest).toString('hex');
  const list = [...Buffer.from(digest)].join(',');
  assert.ok(stored.length > 1000);
  for (const text of [digest, packed, packed.toUpperCase(), list, Buffer.from(digest).toString('base64').slice(0, 40)]) {
    assert.ok(!stored.includes(text), `a proof is stored: …${stored.slice(stored.indexOf(text) - 200, stored.indexOf(text) + 60)}…`);
  }
  const { profile_id: id } = await edge.api.profile({ user_id: 'u-7' });
  const { events } = (await edge.api.get(`/api/profiles/${encodeURIComponent(id)}/events`)).body;
  assert.ok(JSON.stringify(events).includes('80 percent'), 'what is no proof is kept');
  assert.ok(JSON.stringify(events).includes('shoe'));
});
