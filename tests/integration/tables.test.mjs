/** Every table of a shard says how it moves, is erased and is shown; there is none that the list lacks. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
  const visitor = new Visitor(edge);
  await visitor.send([visitor.order('o-1', [{ product_id: 'trousers-1' }])]);
});
after(() => edge.stop());

/** @param {string} route @returns {Promise<any>} */
const look = async (route) => (await edge.fetch(`/ec/dev/${route}`)).json();

test('the list of tables is what SQLite has', async () => {
  const rules = await look('table-rules');
  // A shard refuses to show its tables where they differ from the list; this compares them once more from outside.
  const [shard] = (await look('tables')).filter((/** @type {any} */ object) => 'event_log' in object);
  assert.deepEqual(Object.keys(shard).sort(), Object.keys(rules).sort());
});

test('every table says the three things, and no reason is empty', async () => {
  const rules = await look('table-rules');
  assert.ok(Object.keys(rules).length >= 12);
  for (const [table, said] of Object.entries(rules)) {
    for (const what of ['transfer', 'erasure', 'access']) assert.match(said[what] ?? '', /\w{2,}[^:]*$/, `${table} ${what}`);
  }
  assert.match(rules.subscription.erasure, /taken out/);
  assert.match(rules.profile.transfer, /goes with/);
});
