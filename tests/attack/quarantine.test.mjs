/** Somebody sends nothing but mistakes, to push out of the quarantine what the shop wants to see and replay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { bucketOf, uuid } from '../harness/ids.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** Refused events that a shard keeps at most, none of them large. */
const KEPT = 10_000;
const BATCH = 500;

/** @param {import('node:test').TestContext} t @param {string} shards */
async function edgeOf(t, shards) {
  const edge = await Edge.start({ variables: { ENDCAP_SHARDS: shards, ENDCAP_CLIENT_IP_HEADER: 'x-client', ENDCAP_RATE_IP: 'off' } });
  t.after(() => edge.stop());
  return edge;
}

/** Events that are wrong. @param {Visitor} visitor @param {number} count */
const wrong = (visitor, count) => Array.from({ length: count }, () => visitor.track('Order Completed', { coupon: uuid() }));

/** Sends wrong events from an address. @param {Visitor} visitor @param {number} count @param {string} address */
async function sendWrong(visitor, count, address) {
  const { body } = await visitor.post(visitor.batch(wrong(visitor, count)), { 'x-client': address });
  assert.equal(body.rejected.length, count);
}

/** How many refused events of somebody are kept. @param {Edge} edge @param {Visitor} visitor */
async function keptOf(edge, visitor) {
  let [count, cursor] = [0, ''];
  do {
    const { body } = await edge.api.get(`/api/quarantine?limit=200${cursor && `&cursor=${cursor}`}`);
    count += body.events.filter((/** @type {any} */ one) => one.subject === visitor.anonymousId).length;
    cursor = body.cursor ?? '';
  } while (cursor);
  return count;
}

test('30,000 mistakes of one browser, and as many of many browsers, push out nobody else’s', async (t) => {
  const edge = await edgeOf(t, '1');
  const [honest, flood] = [new Visitor(edge), new Visitor(edge)];
  await sendWrong(honest, 3, '192.0.2.1');
  for (let sent = 0; sent < 30_000; sent += BATCH) await sendWrong(flood, BATCH, '198.51.100.1');
  assert.equal(await keptOf(edge, honest), 3);
  const { quarantine } = (await edge.api.get('/api/health')).body.shards[0];
  assert.ok(quarantine.dropped >= 20_000, `${quarantine.dropped} were dropped, and counted`);
  assert.ok((await keptOf(edge, flood)) <= KEPT);

  // The same client under many names, beside one whose share is smaller.
  const neighbour = new Visitor(edge);
  await sendWrong(neighbour, 200, '192.0.2.2');
  for (let sent = 0; sent < 2 * KEPT; sent += BATCH) await sendWrong(new Visitor(edge), BATCH, '198.51.100.1');
  assert.deepEqual([await keptOf(edge, honest), await keptOf(edge, neighbour)], [3, 200]);
  const { body } = await edge.api.post('/api/quarantine/replay', { source: 'demo', path: 'properties.order_id', patch: { properties: { order_id: 'o-1' } } });
  assert.equal(body.accepted.length, 50, 'what is kept can be replayed');
});

test('large mistakes take the room of many small ones', async (t) => {
  const edge = await edgeOf(t, '1');
  const [honest, flood] = [new Visitor(edge), new Visitor(edge)];
  await sendWrong(honest, 3, '192.0.2.1');
  const large = () => flood.track('', { text: uuid() + 'x'.repeat(25_000), ['y'.repeat(300)]: 1 });
  for (let sent = 0; sent < 3000; sent += 20) {
    const { body } = await flood.post(flood.batch(Array.from({ length: 20 }, large)), { 'x-client': '198.51.100.1' });
    assert.equal(body.rejected.length, 20);
  }
  assert.equal(await keptOf(edge, honest), 3);
  const { bytes, quarantine } = (await edge.api.get('/api/health')).body.shards[0];
  assert.ok(quarantine.dropped > 1000 && bytes < 80_000_000, `${quarantine.dropped} dropped, ${bytes} bytes`);
});

test('the bucket in the address decides nothing: what is refused lies where the browser belongs', async (t) => {
  const edge = await edgeOf(t, '2');
  const rows = async () => {
    const tables = await (await edge.fetch('/ec/dev/tables')).json();
    return tables.slice(0, 2).map((/** @type {any} */ of) => of.refused_event.map((/** @type {string[]} */ row) => Number(row[2])));
  };
  const visitor = new Visitor(edge);
  const own = bucketOf(visitor.anonymousId);
  await sendWrong(visitor, 1, '192.0.2.1');
  const before = await rows();
  for (const bucket of [0, 511, 512, 1023]) {
    const path = `/ec/e?b=${bucket}`;
    const { body } = await visitor.postTo(path, visitor.batch(wrong(visitor, 2)), { 'x-client': '192.0.2.1' });
    assert.equal(body.rejected.length, 2);
  }
  const [there] = [0, 1].filter((shard) => before[shard].length);
  const after = await rows();
  assert.deepEqual(after[there], Array.from({ length: 9 }, () => own));
  assert.deepEqual(after[1 - there], []);
});
