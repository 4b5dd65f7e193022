/** A page of somebody else's asks the edge, with the visitor's cookies: it learns nothing, not even what was wrong. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { Visitor } from '../harness/visitor.mjs';

const EVIL = 'https://evil.example';
const OUTLET = 'https://outlet.example';

/** @type {Edge} */
let edge;
before(async () => {
  // One source takes pages of any origin. That says nothing about the others.
  const sources = { [SOURCE]: [SHOP_ORIGIN], outlet: [OUTLET], open: ['*'] };
  edge = await Edge.start({ variables: { ENDCAP_SOURCES: JSON.stringify(sources), ENDCAP_SHARDS: '1' } });
});
after(() => edge.stop());

/** Which origin may read an answer. @param {{headers: Headers}} answer */
const reader = ({ headers }) => headers.get('access-control-allow-origin');

test('an answer names an origin only if the source that was asked lists it', async () => {
  const visitor = new Visitor(edge);
  const ask = (/** @type {string} */ source, /** @type {string} */ Origin, /** @type {object} */ fields = {}) =>
    visitor.post(visitor.batch([visitor.track('X')], { source, ...fields }), { Origin });

  for (const [source, origin] of [[SOURCE, EVIL], [SOURCE, OUTLET], ['outlet', SHOP_ORIGIN], ['outlet', EVIL]]) {
    const answer = await ask(source, origin);
    assert.deepEqual([answer.status, reader(answer)], [403, null], `${source} from ${origin}`);
  }
  for (const [source, origin] of [[SOURCE, SHOP_ORIGIN], ['outlet', OUTLET], ['open', EVIL]]) {
    const answer = await ask(source, origin);
    assert.deepEqual([answer.status, reader(answer)], [200, origin], `${source} from ${origin}`);
  }
  assert.equal(reader(await ask('nobody', EVIL)), null, 'a source that does not exist');
});

test('what cannot be read names no source, so nobody reads why', async () => {
  const visitor = new Visitor(edge);
  const headers = { Origin: EVIL };
  for (const body of ['no json', '[]', '{}', '{"source":"open"', `{"source":"open","x":"${'x'.repeat(70_000)}"}`]) {
    const answer = await visitor.post(body, headers);
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
    assert.equal(reader(answer), null, body.slice(0, 40));
  }
  for (const path of ['/ec/e', '/ec/push', '/ec/n', '/ec/nowhere', '/api/profiles', '/api/nowhere', '/v1/nowhere']) {
    const answer = await edge.fetch(path, { method: 'POST', headers: { ...headers, 'Content-Type': 'image/gif' }, body: 'x' });
    assert.equal(reader(answer), null, path);
  }
});

test('the page of a listed origin reads an error that comes after that was checked', async () => {
  const visitor = new Visitor(edge);
  const answer = await visitor.postTo('/ec/push', { source: SOURCE, anonymous_id: 'not/an/id' }, { Origin: SHOP_ORIGIN });
  assert.deepEqual([answer.status, reader(answer)], [400, SHOP_ORIGIN]);
  const foreign = await visitor.postTo('/ec/push', { source: SOURCE, anonymous_id: 'not/an/id' }, { Origin: EVIL });
  assert.deepEqual([foreign.status, reader(foreign)], [403, null]);
});

test("other vendors' routes keep to the same rule", async () => {
  const post = (/** @type {string} */ writeKey, /** @type {string} */ Origin, /** @type {object} */ call = { event: 'X' }) =>
    edge.fetch('/v1/t', {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain', Origin },
      body: JSON.stringify({ writeKey, anonymousId: 'someone-somewhere', ...call }),
    });
  for (const [key, origin, status, readable] of /** @type {[string, string, number, string | null][]} */ ([
    [SOURCE, SHOP_ORIGIN, 200, SHOP_ORIGIN],
    [SOURCE, EVIL, 403, null],
    [SOURCE, OUTLET, 403, null],
    ['open', EVIL, 200, EVIL],
    ['nobody', EVIL, 401, null],
    [edge.serverKey, EVIL, 403, null],
  ])) {
    const answer = await post(key, origin);
    assert.deepEqual([answer.status, reader(answer)], [status, readable], `${key} from ${origin}`);
    assert.equal(answer.headers.get('access-control-allow-credentials'), null);
  }
  assert.equal(reader(await post(SOURCE, SHOP_ORIGIN, { event: 7 })), SHOP_ORIGIN, 'why a call was refused');
  for (const path of [`/v1/projects/${SOURCE}/settings`, `/sourceConfig?writeKey=${SOURCE}`]) {
    const answer = await edge.fetch(path, { headers: { Origin: EVIL } });
    assert.deepEqual([answer.status, reader(answer)], [403, null], path);
    assert.equal(reader(await edge.fetch(path, { headers: { Origin: SHOP_ORIGIN } })), SHOP_ORIGIN, path);
  }
});

test('any page may ask why its batches are refused, and learns what a batch of its own would tell', async () => {
  const visitor = new Visitor(edge);
  const ask = async (/** @type {string} */ source, /** @type {string} */ Origin) => {
    const answer = await edge.fetch(`/ec/diagnosis?${new URLSearchParams({ source })}`, { headers: { Origin, Cookie: 'ec_id=1.a.b.c' } });
    assert.deepEqual([answer.status, reader(answer)], [200, '*'], source);
    for (const name of ['access-control-allow-credentials', 'set-cookie']) assert.equal(answer.headers.get(name), null, name);
    return answer.text();
  };
  for (const [source, origin] of [[SOURCE, EVIL], [SOURCE, OUTLET], ['outlet', EVIL], ['nobody', EVIL], ['', EVIL], ['x'.repeat(5000), EVIL], ['"<b>\n', EVIL]]) {
    const told = await ask(source, origin);
    const refused = await visitor.post(visitor.batch([visitor.track('X')], { source }), { Origin: origin });
    assert.equal(JSON.parse(told).error.code, refused.body.error.code, source);
    assert.match(refused.body.error.code, /^(forbidden_origin|invalid_field|missing_field)$/, source);
    for (const name of [SHOP_ORIGIN, OUTLET]) if (name !== origin) assert.ok(!told.includes(name), `${source} tells of ${name}`);
    assert.ok(told.length < 1000, source);
  }
  for (const [source, origin] of [[SOURCE, SHOP_ORIGIN], ['open', EVIL]]) assert.deepEqual(JSON.parse(await ask(source, origin)), { error: null });
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await edge.fetch(`/ec/diagnosis?source=${SOURCE}`, { method, headers: { Origin: EVIL } });
    assert.equal(answer.status, 405, method);
  }
});
