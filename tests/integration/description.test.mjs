/** The OpenAPI document describes the routes that there are. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';

/** @type {Edge} */
let edge;
/** @type {any} */
let document;
before(async () => {
  edge = await Edge.start();
  document = (await edge.api.with().get('/api/openapi.json')).body;
});
after(() => edge.stop());

const ROUTES = {
  '/api/profiles': ['delete', 'get'],
  '/api/profiles/{id}': ['delete', 'get'],
  '/api/profiles/{id}/events': ['get'],
  '/api/profiles/{id}/graph': ['get'],
  '/api/profiles/{id}/export': ['get'],
  '/api/profiles/unmerge': ['post'],
  '/api/identity/restore': ['post'],
  '/api/identity/approve': ['post'],
  '/api/identity/conflicts': ['get'],
  '/api/products': ['get', 'put'],
  '/api/campaigns': ['get'],
  '/api/campaigns/{id}': ['delete', 'get', 'put'],
  '/api/settings': ['get', 'put'],
  '/api/shards': ['get', 'put'],
  '/api/timers': ['get'],
  '/api/links': ['post'],
  '/api/webhooks': ['get'],
  '/api/webhooks/{source}': ['delete', 'get', 'put'],
  '/api/quarantine': ['get'],
  '/api/quarantine/counts': ['get'],
  '/api/quarantine/replay': ['post'],
  '/api/quarantine/{id}': ['get'],
  '/healthz': ['get'],
  '/v1/track': ['post'],
  '/v1/batch': ['post'],
  '/v1/projects/{key}/settings': ['get'],
  '/sourceConfig': ['get'],
  '/ec/push': ['post'],
  '/ec/n': ['post'],
};

test('it is OpenAPI 3.1 with the members that the standard requires', () => {
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.ok(document.info.title && document.info.version);
  assert.ok(Object.keys(document.paths).length > 0);
  const schemes = Object.values(document.components.securitySchemes);
  assert.ok(schemes.some((/** @type {any} */ one) => one.type === 'http' && one.scheme === 'bearer'));
});

test('it names every route with its methods', () => {
  for (const [path, methods] of Object.entries(ROUTES)) {
    const named = Object.keys(document.paths[path] ?? {}).filter((key) => /^(get|put|post|delete)$/.test(key));
    assert.deepEqual(named.sort(), methods, path);
  }
});

test('every operation has answers, and every parameter of a path is described', () => {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(/** @type {Record<string, any>} */ (item))) {
      if (!/^(get|put|post|delete)$/.test(method)) continue;
      const where = `${method} ${path}`;
      assert.ok(Object.keys(operation.responses).length > 0, where);
      for (const response of Object.values(operation.responses)) {
        assert.ok(response.description || response.$ref, where);
      }
      const parameters = [...(operation.parameters ?? []), ...(/** @type {any} */ (item).parameters ?? [])];
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
        assert.ok(parameters.some((one) => one.name === name && one.in === 'path' && one.required), `${where} ${name}`);
      }
    }
  }
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target);
  for (const reference of references) {
    assert.match(reference, /^#\//);
    const found = reference.slice(2).split('/').reduce((node, key) => node?.[key.replace(/~1/g, '/')], document);
    assert.ok(found, reference);
  }
});

test('an operation that it names answers, and not with 404 or 405', async () => {
  for (const [path, item] of Object.entries(document.paths)) {
    if (!(/** @type {any} */ (item).get) || path.includes('{')) continue;
    const { status, body } = await edge.api.get(path);
    assert.ok(status !== 405 && body?.error?.code !== 'not_found', `GET ${path}: ${status}`);
  }
});

/** Every operation with its address, parameters filled in. */
function operations() {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((key) => /^(get|put|post|delete)$/.test(key))
      .map((method) => ({ path, method, address: path.replace(/\{\w+\}/g, 'x'), operation: item[method] })),
  );
}

test('an operation that wants the key answers 401 without it and with another, before it looks at anything else', async () => {
  const keyed = operations().filter(({ operation }) => operation.security?.some((/** @type {any} */ one) => one.key));
  assert.ok(keyed.length >= 25, `${keyed.length}`);
  for (const { path, method, address } of keyed) {
    for (const said of [undefined, 'Bearer wrong', 'Basic d3Jvbmc6']) {
      const headers = said ? { authorization: said } : undefined;
      const body = /^(put|post)$/.test(method) ? '{' : undefined;
      const response = await edge.fetch(address, { method: method.toUpperCase(), headers, body });
      assert.equal(response.status, 401, `${method} ${path} ${said}`);
      assert.equal((await response.json()).error.code, 'unauthorized');
    }
  }
});

test('a method that a path does not have is answered 405 with those that it has', async () => {
  const headers = { authorization: `Bearer ${edge.apiKey}` };
  for (const path of new Set(operations().map((one) => one.path))) {
    const here = operations().filter((one) => one.path === path);
    const described = here.map((one) => one.method.toUpperCase());
    for (const method of ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'].filter((one) => !described.includes(one))) {
      const response = await edge.fetch(here[0].address, { method, headers });
      await response.text();
      assert.equal(response.status, 405, `${method} ${path}`);
      const allowed = (response.headers.get('allow') ?? '').split(', ').filter((one) => !/^(HEAD|OPTIONS)$/.test(one));
      assert.deepEqual(allowed.sort(), described.sort(), `${method} ${path}`);
    }
  }
});
