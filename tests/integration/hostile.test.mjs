/**
 * Bodies that no client of ours sends. None of them may be answered with a server error, and none may disturb what is
 * sent after it.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { ROOT } from '../harness/paths.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** Bodies that are no batch at all: all of them are the client's fault as a whole. */
const NOT_A_BATCH = {
  'an empty body': '',
  'half a body': '{"source":"demo","events":[{"message_id":',
  null: 'null',
  'a number': '1e999',
  'a list': '[]',
  'a text': '"batch"',
  'text after the end': '{"source":"demo","anonymous_id":"a","events":[]} {}',
  'no text at all': Uint8Array.of(0xff, 0xfe, 0x00, 0x80),
  'text cut inside a character': Buffer.from('{"source":"demo","anonymous_id":"a\xc3', 'latin1'),
  'lists nested deeply': '['.repeat(200_000),
  'objects nested deeply': '{"a":'.repeat(100_000),
  'not a number': '{"source":"demo","anonymous_id":"a","sent_at":NaN,"events":[]}',
  'no visitor': '{"source":"demo","events":[]}',
  'an empty visitor': '{"source":"demo","anonymous_id":"","events":[]}',
  'a visitor with control characters': '{"source":"demo","anonymous_id":"a\\u0000b","events":[]}',
  'a visitor that is a list': '{"source":"demo","anonymous_id":["a"],"events":[]}',
  'a visitor of half a megabyte': `{"source":"demo","anonymous_id":"${'a'.repeat(500_000)}","events":[]}`,
  'a source that is null': '{"source":null,"anonymous_id":"a","events":[]}',
};

for (const [name, body] of Object.entries(NOT_A_BATCH)) {
  test(`${name} is answered with 400 and a reason`, async () => {
    const { status, body: answer } = await new Visitor(edge).post(body);
    assert.equal(status, 400, JSON.stringify(answer));
    assert.match(answer.error.code, /^invalid_(json|field)$/);
    assert.ok(answer.error.message);
  });
}

/** Properties and fields that a hostile page may put into an otherwise right event. */
const NASTY = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  `{"deep":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  `{"deep":${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}}`,
  `{"long":"${'\\u0000'.repeat(4_000)}"}`,
  '{"surrogate":"\\ud800"}',
  '{"price":1e308,"quantity":1e308,"product_id":"a"}',
  '{"price":-0.0,"quantity":18446744073709551616,"product_id":"a"}',
  '{"product_id":{"$gt":""},"quantity":"2; DROP TABLE profiles"}',
  '{"product_id":"\'; DROP TABLE profiles; --"}',
  '{"product_id":"<script>alert(1)</script>","category":"{{constructor}}"}',
  '{"products":[[[[]]]],"order_id":[],"revenue":"Infinity"}',
  `{"products":[${Array(600).fill('{}').join()}],"order_id":"o"}`,
  '[]',
  'null',
  '"text"',
  '0',
];

const NAMES = ['Product Viewed', 'Product Added', 'Product Removed', 'Cart Viewed', 'Order Completed', 'Something Else'];

test('hostile properties never make a server error and every event has one outcome', async () => {
  for (const properties of NASTY) {
    const visitor = new Visitor(edge);
    const events = NAMES.map((name) => ({ ...visitor.track(name), properties: 'HERE' }));
    const text = JSON.stringify(visitor.batch(events)).replaceAll('"HERE"', properties);
    const { status, body } = await visitor.post(text);
    assert.ok([200, 400].includes(status), `${status} for ${properties.slice(0, 80)}`);
    const outcomes = [...body.accepted, ...body.duplicate, ...body.rejected];
    assert.equal(outcomes.length, NAMES.length, properties.slice(0, 80));
  }
});

test('hostile traits, proofs, contexts and asks never make a server error', async () => {
  for (const nasty of NASTY) {
    const visitor = new Visitor(edge);
    const identify = visitor.event('identify', { user_id: 'someone', traits: 'HERE', proof: 'zz' });
    const odd = visitor.event('page', { context: 'HERE' });
    const batch = visitor.batch([identify, odd, visitor.track('Fine')]);
    const text = JSON.stringify(batch).replaceAll('"HERE"', nasty);
    assert.equal((await visitor.post(text)).status, 200, nasty.slice(0, 80));
    const asking = JSON.stringify({ ...visitor.batch([]), ask: 'HERE' }).replaceAll('"HERE"', nasty);
    const { status } = await visitor.post(asking);
    assert.ok([200, 400].includes(status), `${status} for ask ${nasty.slice(0, 80)}`);
  }
});

test('forged cookies, odd methods and unknown paths are the client\'s fault, in JSON', async () => {
  const visitor = new Visitor(edge);
  for (const cookie of ['ec_r=' + 'A'.repeat(4000), 'ec_r=k1.AAAA.BBBB', 'ec_id=1.a.b.99999999999', 'ec_r=%00; ec_id=%ff']) {
    const { status } = await visitor.post(visitor.batch([visitor.track('X')]), { Cookie: cookie });
    assert.equal(status, 200, cookie.slice(0, 40));
  }
  for (const [method, path, expected] of /** @type {[string, string, number][]} */ ([
    ['PUT', '/ec/e', 405],
    ['DELETE', '/ec/push', 405],
    ['POST', '/healthz', 405],
    ['POST', '/api/openapi.json', 405],
    // Methods that nobody here knows are not read as GET.
    ['QUERY', '/ec/p.gif', 405],
    ['QUERY', '/sourceConfig', 405],
    ['GET', '/ec/nothing', 404],
    ['GET', '/api/nothing', 404],
  ])) {
    const key = { Authorization: `Bearer ${'x'}` };
    const response = await edge.fetch(path, { method, headers: path.startsWith('/api') ? {} : key });
    const allowed = path.startsWith('/api') ? [401, expected] : [expected];
    assert.ok(allowed.includes(response.status), `${method} ${path}: ${response.status}`);
    assert.match(response.headers.get('content-type') ?? '', /json/, `${method} ${path}`);
    assert.equal(response.headers.has('allow'), response.status === 405, `${method} ${path}`);
  }
});

/** Where messages between objects go, as the source says: a new one cannot be forgotten here. */
function messagePaths() {
  const folder = `${ROOT}edge/src/rpc/`;
  const sources = readdirSync(folder).map((file) => readFileSync(folder + file, 'utf8'));
  const lines = sources.flatMap((source) => [...source.matchAll(/^    (?:const PATH: &'static str =|[A-Z]\w+) "(\/[^"]+)";$/gm)]);
  return [...new Set(lines.map(([, path]) => path))];
}

test('what objects tell each other cannot be said from outside', async (t) => {
  // This deployment counts its shards by itself, so that a claim about their load would change something.
  const growing = await Edge.start({ variables: { ENDCAP_SHARDS: '' } });
  t.after(() => growing.stop());
  await growing.api.set('/api/products', { products: [{ id: 'kept', title: 'Kept', category: 'c', url: '/p', image: '/p.png', price: { amount: 1, currency: 'EUR' } }] });
  const before = (await growing.api.get('/api/shards')).body;

  const bodies = /** @type {Record<string, unknown>} */ ({
    '/shards/load': { shard: 0, bytes: 9_000_000_000, batches_per_minute: 1_000_000, log_age_ms: 60_000 },
    '/shards/put': { shards: 9 },
    '/products/delete': { id: 'kept' },
  });
  const paths = messagePaths();
  assert.ok(paths.length > 40 && Object.keys(bodies).every((path) => paths.includes(path)), paths.join(' '));
  const headers = { Authorization: `Bearer ${growing.apiKey}`, 'Content-Type': 'application/json' };
  for (const path of paths.flatMap((path) => [path, `/ec${path}`, `/api${path}`])) {
    const body = JSON.stringify(bodies[path.replace(/^\/(ec|api)(?=\/)/, '')] ?? {});
    const { status } = await growing.fetch(path, { method: 'POST', headers, body });
    assert.ok([404, 405].includes(status), `${path}: ${status}`);
  }

  assert.deepEqual((await growing.api.get('/api/shards')).body, before);
  assert.equal((await growing.api.get('/api/products')).body.products[0].id, 'kept');
});

test('after all this the edge still answers and nobody was polluted', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Viewed', 'after')]);
  const profile = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  assert.equal(profile.polluted, undefined);
  assert.equal(profile.products_viewed[0], 'after');
});
