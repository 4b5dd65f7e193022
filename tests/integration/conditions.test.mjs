/** Conditions as text: the same as JSON, in a campaign too, and what is wrong is named with its place. */
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

/** @param {unknown} condition */
const convert = (condition) => edge.api.post('/api/conditions', { condition });

const TEXT = 'cart_units >= 1 and not (orders > 0 or url_path matches "/checkout*")';
const JSON_FORM = {
  all: [
    { fact: 'cart_units', op: '>=', value: 1 },
    { not: { any: [{ fact: 'orders', op: '>', value: 0 }, { fact: 'url_path', matches: '/checkout*' }] } },
  ],
};

test('each form is answered with both', async () => {
  for (const form of [TEXT, JSON_FORM]) {
    const { status, body } = await convert(form);
    assert.deepEqual([status, body], [200, { condition: JSON_FORM, text: TEXT }]);
  }
});

test('what is wrong has a path, a place and the word that was meant', async () => {
  for (const [condition, path, word] of /** @type {[unknown, string, RegExp][]} */ ([
    ['cart_unist >= 1', 'condition', /at character 1: .*`cart_units`/],
    ['orders >= 1 or', 'condition', /at character 15: /],
    ['('.repeat(5000), 'condition', /too deeply/],
    [`orders = 1${' '.repeat(30_000)}`, 'condition', /longer than/],
    [{ all: [{ fact: 'orders', op: '~', value: 1 }] }, 'condition.all[0].op', /must be/],
    [7, 'condition', /must be/],
  ])) {
    const { status, body } = await convert(condition);
    assert.deepEqual([status, body.error.path], [400, path]);
    assert.match(body.error.message, word);
  }
  assert.equal((await edge.api.post('/api/conditions', {})).status, 400);
  assert.equal((await edge.api.with('wrong').post('/api/conditions', { condition: TEXT })).status, 401);
});

test('a campaign whose condition is a text is kept as JSON, and shown to whom the text says', async () => {
  const campaign = { name: 'Cart', type: 'popup', condition: TEXT, trigger: { exit_intent: true }, content: { title: 'Still there?' } };
  await edge.api.set('/api/campaigns/text', campaign);
  assert.deepEqual((await edge.api.get('/api/campaigns/text')).body.condition, JSON_FORM);
  const visitor = new Visitor(edge);
  const shown = async () => (await visitor.decision()).campaigns.map((/** @type {any} */ { eligible }) => eligible);
  assert.deepEqual(await shown(), [false]);
  await visitor.send([visitor.product('Added', 'p-1')]);
  assert.deepEqual(await shown(), [true]);

  const { status, body } = await edge.api.put('/api/campaigns/text', { ...campaign, condition: 'orders >> 1' });
  assert.deepEqual([status, body.error.path], [400, 'condition']);
});

test('each part of a condition is explained with the value that it saw', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Viewed', 'boot-1', { category: 'boots' }), visitor.product('Viewed', 'coat-1', { category: 'coats' })]);
  await visitor.send([visitor.product('Viewed', 'boot-2', { category: 'boots' })]);
  const condition = 'stage in (new, active) or days_since_last_order > 90 or url_path matches "/c/*" and some_category(products_viewed(category = $) >= 2)';
  const ask = (/** @type {object} */ body, by = `anonymous_id=${visitor.anonymousId}`) => edge.api.post(`/api/segments/explain?${by}`, body);
  const { status, body } = await ask({ condition, path: '/c/boots' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.ok(Math.abs(body.as_of - Date.now()) < 60_000);
  const categories = 'some_category(products_viewed(category = $) >= 2)';
  const both = `url_path matches "/c/*" and ${categories}`;
  assert.deepEqual(body.condition, {
    text: `stage in (new, active) or days_since_last_order > 90 or (${both})`,
    holds: true,
    parts: [
      { text: 'stage in (new, active)', holds: false, saw: 'prospect' },
      { text: 'days_since_last_order > 90', holds: false },
      {
        text: both,
        holds: true,
        parts: [
          { text: 'url_path matches "/c/*"', holds: true, saw: '/c/boots' },
          { text: categories, holds: true, category: 'boots', parts: [{ text: 'products_viewed(category = $) >= 2', holds: true, saw: 2 }] },
        ],
      },
    ],
  });
  const other = (await ask({ condition: { some_category: { fact: 'products_viewed', category: '$', op: '>', value: 5 } } })).body.condition;
  assert.deepEqual([other.holds, other.category, other.parts[0].saw], [false, 'boots', 2]);

  const wrong = await ask({ condition: 'ordrs = 1' });
  assert.deepEqual([wrong.status, wrong.body.error.path], [400, 'condition']);
  assert.equal((await ask({ condition }, 'anonymous_id=nobody')).status, 404);
  assert.equal((await ask({ condition }, 'shoe_size=43')).status, 400);
  assert.equal((await edge.api.with('wrong').post('/api/segments/explain?user_id=u', { condition })).status, 401);
});
