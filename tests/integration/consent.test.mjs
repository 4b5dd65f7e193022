/** The record of consent: what holds, since when, and who said so. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

const GRANTED = { analytics: true, personalization: true, marketing: true };

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** @param {Visitor} visitor @param {Edge} [at] */
const consent = async (visitor, at = edge) => (await at.api.profile({ anonymous_id: visitor.anonymousId })).consent;

test('each change is recorded with its time and who said so, and saying it again is no change', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('A')], { consent: { ...GRANTED, marketing: false }, consent_source: 'banner' });
  await visitor.send([visitor.track('B')], { consent: { ...GRANTED, marketing: false }, consent_source: 'tcf' });
  await visitor.send([visitor.track('C')], { consent: GRANTED, consent_source: 'gcm' });
  await visitor.send([visitor.track('D')], { consent: { ...GRANTED, personalization: false } });
  await visitor.post(visitor.batch([], { consent: {}, consent_source: 'who knows' }));
  const { history, at, ...held } = await consent(visitor);
  assert.deepEqual(held, { analytics: false, personalization: false, marketing: false });
  assert.deepEqual(history.map((/** @type {any} */ one) => [one.source, one.analytics, one.personalization, one.marketing]), [
    ['banner', true, true, false],
    ['gcm', true, true, true],
    ['api', true, false, true],
    ['api', false, false, false],
  ]);
  assert.equal(history.at(-1).at, at);
  assert.ok(history.every((/** @type {any} */ one) => one.anonymous_id === visitor.anonymousId));
});

test('twenty changes are remembered', async () => {
  const visitor = new Visitor(edge);
  for (let n = 0; n < 25; n += 1) {
    await visitor.send([visitor.track('X')], { consent: { ...GRANTED, marketing: n % 2 === 0 } });
  }
  const { history } = await consent(visitor);
  assert.equal(history.length, 20);
  assert.equal(history.at(-1).marketing, true);
});

test('Global Privacy Control refuses marketing, and that is recorded as its word', async () => {
  const visitor = new Visitor(edge);
  const { status } = await visitor.post(visitor.batch([visitor.track('X')]), { 'Sec-GPC': '1' });
  assert.equal(status, 200);
  const { history, marketing, analytics } = await consent(visitor);
  assert.deepEqual([marketing, analytics], [false, true]);
  assert.deepEqual(history.map((/** @type {any} */ one) => one.source), ['gpc']);
});

test('the signal holds on the way to a profile in another shard', async () => {
  const [phone, laptop] = [new Visitor(edge), new Visitor(edge)];
  for (const device of [phone, laptop]) {
    const events = [device.track('X'), device.identify('gpc-1', {}, edge.proof('gpc-1'))];
    const { status } = await device.post(device.batch(events), { 'Sec-GPC': '1' });
    assert.equal(status, 200);
  }
  laptop.cookies.delete('ec_r');
  await laptop.post(laptop.batch([laptop.track('Later')]), { 'Sec-GPC': '1' });
  const { history, marketing } = (await edge.api.profile({ user_id: 'gpc-1' })).consent;
  assert.equal(marketing, false);
  assert.deepEqual(new Set(history.map((/** @type {any} */ one) => one.source)), new Set(['gpc']));
});

test('a shop can let the signal refuse everything', async (t) => {
  const strict = await Edge.start({ variables: { ENDCAP_GPC: 'analytics' } });
  t.after(() => strict.stop());
  const visitor = new Visitor(strict);
  const { status, body } = await visitor.post(visitor.batch([visitor.track('X')]), { 'Sec-GPC': '1' });
  assert.deepEqual([status, body.rejected[0].code], [400, 'no_consent']);
  assert.equal(visitor.cookies.size, 0);
  assert.equal((await strict.api.get(`/api/profiles?anonymous_id=${visitor.anonymousId}`)).status, 404);
  assert.equal((await visitor.post(visitor.batch([visitor.track('X')]))).status, 200);
});
