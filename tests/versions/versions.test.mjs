/**
 * An upgrade, a roll-back and an upgrade again, on the same data; and both versions at the same moment, as a gradual deployment
 * has them: one for some objects and requests, the other for the rest. `ENDCAP_TEST_BEFORE` names the folder of the other version's
 * worker: `target/edge` of a clone at that commit, after `cargo xtask build edge`. CONTRIBUTING says when to run it.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUILT, Edge } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const BEFORE = process.env.ENDCAP_TEST_BEFORE ?? '';
/**
 * While both versions run, events do not wait in rows, and a person has one row: the version before knows nothing else. It takes
 * the word `none` for a pepper.
 */
const AT_ONCE = { ENDCAP_IN_FLIGHT_MS: '0', ENDCAP_LOG_TAIL_BYTES: '0', ENDCAP_APART_BYTES: '0', ENDCAP_IDENTITY_PEPPER: '' };
const HOUR = 3600_000;

/** Whether the edge takes a stranger for a browser who only knows its name. @param {Edge} edge @param {Visitor} visitor */
async function takesStranger(edge, visitor) {
  const stranger = new Visitor(edge);
  stranger.anonymousId = visitor.anonymousId;
  const { body } = await stranger.post(stranger.batch([], { ask: { slots: [] } }));
  return Buffer.from(body.decision.behaviour, 'base64url').includes('private-taste');
}

test('visitors of the version before go on through an upgrade, a roll-back and an upgrade again', async (t) => {
  const edge = await Edge.start({ worker: BEFORE, variables: AT_ONCE });
  t.after(() => edge.stop());
  const visitors = Array.from({ length: 8 }, () => new Visitor(edge));
  const users = visitors.map((_, n) => `user-${n % 4}`);
  const view = (/** @type {Visitor} */ visitor, /** @type {string} */ what) =>
    visitor.send([visitor.product('Viewed', what, { category: 'private-taste' })]);
  for (const [n, visitor] of visitors.entries()) {
    await view(visitor, 'before');
    // Half of them log in, two browsers for each person.
    if (n % 4 < 2) await visitor.send([visitor.identify(users[n], {}, edge.proof(users[n]))]);
  }
  assert.ok(visitors.every(({ cookies }) => cookies.has('ec_r')));
  const names = new Map();
  for (const visitor of visitors) names.set(visitor, (await edge.api.profile({ anonymous_id: visitor.anonymousId })).profile_id);

  for (const [round, worker] of [BUILT, BEFORE, BUILT].entries()) {
    await edge.restart({}, worker);
    for (const visitor of visitors) {
      const { decision } = await visitor.send([visitor.track(`Round ${round}`)], { ask: { slots: [] } });
      assert.equal(decision.profile_id, edge.opaque(names.get(visitor)), `round ${round}`);
      await visitor.send([visitor.track(`Round ${round}, again`)]);
    }
    if (worker !== BUILT) continue;
    for (const visitor of visitors) assert.equal(await takesStranger(edge, visitor), false, `round ${round}`);
  }
  for (const visitor of visitors) {
    const { events } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
    for (const name of [0, 1, 2].flatMap((round) => [`Round ${round}`, `Round ${round}, again`])) {
      assert.ok(events.some((/** @type {{name: string}} */ one) => one.name === name), name);
    }
  }
});

/**
 * A worker in which each object runs one of two versions, by its ID, and requests come in at both by turns.
 *
 * @param {import('node:test').TestContext} t
 * @param {0 | 1} first Which version the objects with even IDs have.
 */
function mixed(t, first) {
  const folder = mkdtempSync(join(tmpdir(), 'endcap-versions-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(BEFORE, join(folder, 'v0'), { recursive: true });
  cpSync(BUILT, join(folder, 'v1'), { recursive: true });
  writeFileSync(
    join(folder, 'worker.js'),
    `import { DurableObject } from 'cloudflare:workers';
import * as v0 from './v0/worker.js';
import * as v1 from './v1/worker.js';
const versions = [v0, v1];
const mixed = (name) => class extends DurableObject {
  #half;
  constructor(state, env) {
    super(state, env);
    const parity = parseInt(state.id.toString().slice(0, 2), 16) % 2;
    this.#half = new versions[(parity + ${first}) % 2][name](state, env);
  }
  fetch(request) { return this.#half.fetch(request); }
  alarm() { return this.#half.alarm(); }
};
export const ProfileShard = mixed('ProfileShard');
export const Shop = mixed('Shop');
export const IdentityGraph = mixed('IdentityGraph');
let turn = 0;
export default { fetch: (request, env, context) => versions[turn++ % 2].default.fetch(request, env, context) };
`,
  );
  return folder;
}

test('both versions at the same moment serve the same visitors, whichever has which object', async (t) => {
  const edge = await Edge.start({ worker: mixed(t, 0), variables: AT_ONCE });
  t.after(() => edge.stop());
  const people = Array.from({ length: 24 }, (_, n) => ({ visitor: new Visitor(edge), user: `user-${n % 12}`, told: /** @type {string[]} */ ([]) }));
  for (const [round, first] of [0, 1, 0].entries()) {
    if (round > 0) await edge.restart({}, mixed(t, /** @type {0 | 1} */ (first)));
    for (const [n, { visitor, user, told }] of people.entries()) {
      const view = `view-${round}-${n}`;
      const events = [visitor.product('Viewed', view, { category: 'private-taste' })];
      if (round === n % 3) events.push(visitor.identify(user, {}, edge.proof(user)));
      const { decision, anonymous_id: renamed } = await visitor.send(events, { ask: { slots: [] } });
      assert.equal(renamed, undefined, `${view} keeps its ID`);
      assert.ok(Buffer.from(decision.behaviour, 'base64url').includes('private-taste'), view);
      told.push(view);
      // The shop's server speaks of the user and of the browser.
      const reply = await edge.serverCall('track', { anonymousId: visitor.anonymousId, userId: user, event: `Server ${view}` });
      assert.equal(reply.status, 200, await reply.text());
    }
  }
  for (const { visitor, user, told } of people) {
    const person = await edge.api.profile({ user_id: user });
    assert.ok(person.anonymous_ids.includes(visitor.anonymousId), 'each logged in once');
    for (const view of told) assert.ok(person.products_viewed.includes(view), view);
    const { body } = await edge.api.get(`/api/profiles/${person.profile_id}/events?limit=200`);
    const text = JSON.stringify(body.events);
    for (const view of told) assert.equal(text.split(`"Server ${view}"`).length - 1, 1, `${view}, once`);
  }
});

test('events that wait leave for the log before a roll-back, and nobody misses any', async (t) => {
  const edge = await Edge.start({ worker: BEFORE, variables: { ...AT_ONCE, ENDCAP_LOG_REST_MS: `${HOUR}` } });
  t.after(() => edge.stop());
  const visitors = Array.from({ length: 6 }, () => new Visitor(edge));
  const all = async (/** @type {string} */ name) => {
    for (const visitor of visitors) await visitor.send([visitor.track(name)]);
  };
  await all('Before');
  await edge.restart({ ENDCAP_LOG_TAIL_BYTES: '8192' }, BUILT);
  await all('Waits');
  await edge.restart({ ENDCAP_LOG_TAIL_BYTES: '0' }, BUILT);
  // Half of them come; the others' events leave with the alarm.
  for (const visitor of visitors.slice(3)) await visitor.send([visitor.track('At once')]);
  await edge.passTime(Date.now() + 2 * HOUR);
  await edge.restart({}, BEFORE);
  await all('Rolled back');
  await edge.restart({ ENDCAP_LOG_TAIL_BYTES: '8192' }, BUILT);
  await all('After');
  for (const [n, visitor] of visitors.entries()) {
    const { profile_id: id } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
    const { events } = (await edge.api.get(`/api/profiles/${id}/events`)).body;
    const names = events.map((/** @type {any} */ { event }) => event.name);
    assert.deepEqual(names, ['After', 'Rolled back', ...(n < 3 ? [] : ['At once']), 'Waits', 'Before']);
  }
});

test('a person whose browsers had a row each has one again before a roll-back', async (t) => {
  const edge = await Edge.start({ worker: BEFORE, variables: AT_ONCE });
  t.after(() => edge.stop());
  const people = ['ann', 'bob', 'cy'].map((user) => ({ user, browsers: Array.from({ length: 7 }, () => new Visitor(edge)) }));
  const every = people.flatMap(({ user, browsers }) => browsers.map((browser) => ({ user, browser })));
  const all = async (/** @type {string} */ name) => {
    for (const { browser } of every) await browser.send([browser.product('Viewed', `${name} ${browser.anonymousId}`)]);
  };
  for (const { user, browser } of every) await browser.send([browser.identify(user, {}, edge.proof(user))]);
  await all('before');
  const rows = async () => (await (await edge.fetch('/ec/dev/tables')).json()).flatMap((/** @type {any} */ tables) => tables.fragment ?? []).length;
  await edge.restart({ ENDCAP_APART_BYTES: '1' }, BUILT);
  await all('apart');
  assert.ok((await rows()) >= every.length);
  await edge.restart({ ENDCAP_APART_BYTES: '0' }, BUILT);
  // One browser of each person comes.
  for (const { browsers } of people) await browsers[0].send([browsers[0].track('Together')]);
  assert.equal(await rows(), 0);
  await edge.restart({}, BEFORE);
  await all('rolled back');
  await edge.restart({ ENDCAP_APART_BYTES: '1' }, BUILT);
  await all('after');
  for (const { user, browsers } of people) {
    const { anonymous_ids: ids, counters, profile_id: id } = await edge.api.profile({ user_id: user });
    assert.deepEqual([...ids].sort(), browsers.map(({ anonymousId }) => anonymousId).sort());
    assert.equal(counters.events, browsers.length * 5 + 1);
    const { events } = (await edge.api.get(`/api/profiles/${id}/events?limit=200`)).body;
    assert.equal(events.length, browsers.length * 5 + 1);
  }
});

test('what people did counts as if there had been one version, whoever wrote it', async (t) => {
  const edge = await Edge.start({ worker: BEFORE, variables: AT_ONCE });
  t.after(() => edge.stop());
  const visitors = Array.from({ length: 6 }, () => new Visitor(edge));
  const view = (/** @type {string} */ what) => Promise.all(visitors.map((visitor, n) => n % 2 === 0
    && visitor.send([visitor.product('Viewed', what, { category: 'jackets' })])));
  await Promise.all(visitors.map((visitor) => visitor.send([visitor.page('https://shop.example/')])));
  await view('before');
  await edge.restart({}, BUILT);
  const size = async () => {
    const { body } = await edge.api.get('/api/segments/twice');
    return body.filling === null && body.size;
  };
  await edge.api.set('/api/segments/twice', { name: 'Twice', condition: 'viewed(category = "jackets") >= 2' });
  await until(async () => (await size()) === 0, { what: 'the past is read' });
  await view('after');
  assert.equal(await size(), 3);
  // The version before counts nothing, and lets go of what was counted; what it takes in is read from the log.
  await edge.restart({}, BEFORE);
  await view('rolled back');
  await edge.restart({}, BUILT);
  await edge.api.set('/api/segments/twice', { name: 'Twice', condition: 'viewed(category = "jackets") >= 4' });
  await view('after that');
  await until(async () => (await size()) === 3, { what: 'all four count' });
});

test('what the version before refused and this one repairs is taken in when it is replayed', async (t) => {
  const edge = await Edge.start({ worker: BEFORE, variables: AT_ONCE });
  t.after(() => edge.stop());
  const visitor = new Visitor(edge);
  await visitor.send([visitor.page('https://shop.example/')]);
  const order = (/** @type {string} */ id, /** @type {object} */ properties) => visitor.track('Order Completed', { order_id: id, ...properties });
  const line = { product_id: 'a', price: 10, quantity: 1 };
  const odd = [
    order('half', { products: [{ ...line, quantity: 0.5 }] }),
    order('unnamed', { products: [line, { name: 'Gift wrap', price: 3 }] }),
    order('spelled', { revenue: '1.299,00 €' }),
    order('sign', { revenue: 25, currency: '€' }),
    order('negative', { revenue: -5 }),
  ];
  const { body } = await visitor.post(visitor.batch(odd));
  const refused = body.rejected.map((/** @type {{index: number}} */ { index }) => /** @type {any} */ (odd[index]).properties.order_id);
  if (refused.length === 0) return t.skip('the version before repairs them too');
  assert.ok(refused.length >= 3, `the version before refused ${refused}`);
  await edge.restart({}, BUILT);
  const replay = await edge.api.post('/api/quarantine/replay', {});
  assert.equal(replay.status, 200, JSON.stringify(replay.body));
  const { orders } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  const found = orders.map((/** @type {any} */ one) => `${one.order_id} ${one.revenue_minor} ${one.currency}`).sort();
  const wanted = ['half 500 EUR', 'unnamed 1300 EUR', 'spelled 129900 EUR', 'sign 2500 EUR', 'negative -500 EUR'];
  assert.deepEqual(found.filter((/** @type {string} */ one) => refused.includes(one.split(' ')[0])), wanted.filter((one) => refused.includes(one.split(' ')[0])).sort());
  assert.deepEqual((await edge.api.get('/api/quarantine')).body.events, []);
});
