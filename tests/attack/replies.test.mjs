/** Whatever a shop configured and a batch holds, an answer is at most 64 KB, and says what it left out. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** Most bytes of an answer. */
const LIMIT = 64 * 1024;
/** Campaigns that a shop may have. */
const CAMPAIGNS = 500;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ variables: { ENDCAP_SHARDS: '1', ENDCAP_SNAPSHOT_TTL_MS: '0' } });
  await edge.api.set('/api/products', { products: PRODUCTS });
});
after(() => edge.stop());

/** A batch, and how long its answer is. @param {Visitor} visitor @param {unknown[]} events @param {Record<string, any>} [fields] */
async function posted(visitor, events, fields) {
  const answer = await visitor.post(visitor.batch(events, fields));
  return { ...answer, bytes: Buffer.byteLength(JSON.stringify(answer.body)) };
}

const ASK = { url: 'https://shop.example/', slots: Array.from({ length: 8 }, (_, n) => ({ name: `slot-${n}`, limit: 24 })) };

/** Conditions in conditions, as deep and broad as a campaign may be that is large. @param {number} depth @returns {any} */
const deep = (depth) =>
  depth ? { any: [{ not: deep(depth - 1) }, ...leaves(20)] } : { all: leaves(20) };
/** @param {number} count */
const leaves = (count) =>
  Array.from({ length: count }, (_, n) => ({ fact: 'products_viewed', category: `a-category-with-a-name-${n}`, op: '>=', value: 100 + n }));

test('500 deep campaigns and 8 slots: the answer holds what matters most, and counts the rest', async () => {
  const put = (/** @type {number} */ n) =>
    edge.api.set(`/api/campaigns/c${n}`, {
      name: 'deep', type: 'popup', enabled: n !== 0, priority: n, condition: deep(4),
      content: { title: `No ${n}`, body: 'x'.repeat(900) },
    });
  for (let begin = 0; begin < CAMPAIGNS; begin += 50) await Promise.all(Array.from({ length: 50 }, (_, n) => put(begin + n)));
  const visitor = new Visitor(edge);
  const { status, body, bytes } = await posted(visitor, [visitor.product('Viewed', 'shoes-1')], { ask: ASK });
  assert.equal(status, 200);
  assert.ok(bytes <= LIMIT, `${bytes} bytes`);
  const { campaigns, left_out: left, slots } = body.decision;
  const ids = campaigns.map((/** @type {any} */ { id }) => id);
  assert.ok(ids.length >= 20, `${ids.length} campaigns`);
  assert.deepEqual(ids, Array.from({ length: ids.length }, (_, n) => `c${CAMPAIGNS - 1 - n}`));
  assert.equal(left.no_room, CAMPAIGNS - 1 - ids.length, 'a draft is no campaign that was left out');
  assert.equal(left.files, campaigns.filter((/** @type {any} */ { file }) => file).length);
  assert.equal(Object.keys(slots).length, ASK.slots.length);

  // What did not travel is a file that every browser keeps.
  const { file } = campaigns[0];
  assert.equal(campaigns[0].program, undefined);
  const part = await edge.fetch(`/ec/c/${file}`);
  assert.equal(part.status, 200);
  assert.match(part.headers.get('cache-control') ?? '', /max-age=31536000, immutable/);
  assert.equal(part.headers.get('access-control-allow-origin'), '*');
  const content = await part.json();
  assert.deepEqual([content.popup.title, typeof content.program, content.labels.length], ['No 499', 'string', 100]);
  for (const none of ['x', '..%2Fx', 'f'.repeat(32)]) assert.equal((await edge.fetch(`/ec/c/${none}`)).status, 404, none);
  // That of a campaign that is switched off is gone.
  await edge.api.set('/api/campaigns/c499', { name: 'off', type: 'popup', enabled: false, condition: deep(4), content: { title: 'No 499' } });
  assert.equal((await edge.fetch(`/ec/c/${file}`)).status, 404);
  const tooLarge = await edge.api.put('/api/campaigns/large', { name: 'n', type: 'popup', condition: { any: Array.from({ length: 20 }, () => deep(4)) }, content: { title: 't' } });
  assert.deepEqual([tooLarge.status, tooLarge.body.error.path], [400, 'condition']);
});

test('500 events with the longest names and the longest mistakes', async () => {
  const visitor = new Visitor(edge);
  const name = (/** @type {number} */ n) => `${n}`.padEnd(100, 'x');
  const good = (/** @type {number} */ n) => ({ ...visitor.track('X'), message_id: name(n) });
  const claim = (/** @type {number} */ n) => ({ ...visitor.identify('somebody', {}, 'wrong-proof'), message_id: name(n) });
  const bad = (/** @type {number} */ n) => ({ ...visitor.track('', { ['p'.repeat(200)]: {} }), message_id: name(n), type: 'y'.repeat(300) });
  const odd = (/** @type {number} */ n) => ({ ...visitor.track('z'.repeat(201)), message_id: name(n), type: 'odd', user_id: 'u'.repeat(257), session_id: {} });
  const all = (/** @type {(n: number) => object} */ event) => Array.from({ length: 500 }, (_, n) => event(n));
  for (const [what, events] of Object.entries({ good: all(good), bad: all(bad), claims: all((n) => claim(1000 + n)), odd: all((n) => odd(4000 + n)), mixed: all((n) => (n % 2 ? good : bad)(2000 + n)) })) {
    const { body, bytes } = await posted(visitor, events, { ask: ASK });
    assert.ok(bytes <= LIMIT, `${what}: ${bytes} bytes`);
    assert.equal(body.accepted.length + body.rejected.length, 500, what);
    assert.equal(new Set(body.rejected.map((/** @type {any} */ { index }) => index)).size, body.rejected.length, what);
  }
  const { body } = await posted(visitor, all((n) => claim(3000 + n)));
  assert.ok(body.warnings.length > 5 && body.warnings.length + body.more_warnings === 500);
});

test('a visitor who did as much as can be kept', async () => {
  const visitor = new Visitor(edge);
  const long = (/** @type {string} */ kind) => kind.padEnd(120, 'z');
  for (let category = 0; category < 24; category += 1) {
    const line = (/** @type {number} */ n) => ({ category: long(`c${category}`), price: 1, quantity: n + 1 });
    await visitor.send(Array.from({ length: 16 }, (_, n) => visitor.product('Viewed', long(`p${category}-${n}`), line(n))));
    await visitor.send(Array.from({ length: 5 }, (_, n) => visitor.product('Added', long(`p${category}-${n}`), line(n))));
  }
  const { body, bytes } = await posted(visitor, [], { ask: ASK });
  assert.ok(bytes <= LIMIT && body.decision.behaviour.length > 5_000, `${bytes} bytes`);
});
