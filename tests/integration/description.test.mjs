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
