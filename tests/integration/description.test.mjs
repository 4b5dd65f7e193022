/** The OpenAPI document describes the routes that there are. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { ROOT } from '../harness/paths.mjs';

/** @type {Edge} */
let edge;
/** @type {any} */
let document;
before(async () => {
  edge = await Edge.start();
  document = (await edge.api.with().get('/api/openapi.json')).body;
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
});
after(async () => {
  await edge.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Where tools find the document. */
const folder = mkdtempSync(join(tmpdir(), 'endcap-description-'));

/**
 * Runs a tool of the project's on the document.
 *
 * @param {string} bin Its file below `node_modules`.
 * @param {...string} flags
 */
function tool(bin, ...flags) {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  try {
    return execFileSync(process.execPath, [`${ROOT}node_modules/${bin}`, ...flags], { cwd: folder, encoding: 'utf8', env });
  } catch (error) {
    const { stdout, stderr } = /** @type {any} */ (error);
    throw new Error(`${bin}: ${stdout}${stderr}`, { cause: error });
  }
}

/** The bodies that the book sends, with where to. @returns {{method: string, path: string, body: string}[]} */
function samples() {
  const pages = [`${ROOT}README.md`, ...readdirSync(`${ROOT}docs/src`).filter((name) => name.endsWith('.md')).map((name) => `${ROOT}docs/src/${name}`)];
  const sent = /curl -X (POST|PUT) "\$EDGE(\/[^"$]*)"[^']*(?:'Content-Type: application\/json'[^']*)-d '([^']*)'/g;
  const found = pages.flatMap((page) => [...readFileSync(page, 'utf8').matchAll(sent)]);
  return found.map(([, method, path, body]) => ({ method: String(method).toLowerCase(), path: String(path), body: String(body) }));
}

/** The path of the document that an address has. @param {string} address */
const described = (address) =>
  Object.keys(document.paths).find((path) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}(\\?|$)`).test(address)) ?? assert.fail(address);

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
  '/api/products/{id}': ['delete'],
  '/api/campaigns': ['get'],
  '/api/campaigns/{id}': ['delete', 'get', 'put'],
  '/api/settings': ['get', 'put'],
  '/api/shards': ['get', 'put'],
  '/api/conditions': ['post'],
  '/api/segments': ['get'],
  '/api/segments/{id}': ['delete', 'get', 'put'],
  '/api/segments/{id}/members': ['get'],
  '/api/segments/{id}/list': ['post'],
  '/api/segments/{id}/history': ['get'],
  '/api/segments/{id}/export': ['get'],
  '/api/segments/preview': ['post'],
  '/api/segments/explain': ['post'],
  '/api/models': ['get'],
  '/api/models/{model}': ['get'],
  '/api/models/{model}/transitions': ['get'],
  '/api/models/{model}/revenue': ['get'],
  '/api/models/{model}/people': ['get'],
  '/api/scores': ['get'],
  '/api/scores/fit': ['post'],
  '/api/timers': ['get'],
  '/api/links': ['post'],
  '/api/webhooks': ['get'],
  '/api/webhooks/{source}': ['delete', 'get', 'put'],
  '/api/quarantine': ['get'],
  '/api/quarantine/counts': ['get'],
  '/api/quarantine/replay': ['post'],
  '/api/quarantine/{id}': ['get'],
  '/api/health': ['get'],
  '/api/jobs/parked': ['get'],
  '/api/jobs/retry': ['post'],
  '/api/openapi.json': ['get'],
  '/healthz': ['get'],
  '/v1/track': ['post'],
  '/v1/batch': ['post'],
  '/v1/projects/{key}/settings': ['get'],
  '/sourceConfig': ['get'],
  '/v1/webhooks/{source}': ['post'],
  '/ec/e': ['post'],
  '/ec/c/{file}': ['get'],
  '/ec/diagnosis': ['get'],
  '/ec/p.gif': ['get'],
  '/ec/r': ['get'],
  '/ec/x': ['get'],
  '/ec/push': ['post'],
  '/ec/n': ['post'],
};

/** Short and other names of routes above. */
const ALIKE = /^\/v1\/\w+$|^\/beacon\//;

test('it is OpenAPI 3.1 with the members that the standard requires', () => {
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.ok(document.info.title && document.info.version);
  assert.ok(Object.keys(document.paths).length > 0);
  const schemes = Object.values(document.components.securitySchemes);
  assert.ok(schemes.some((/** @type {any} */ one) => one.type === 'http' && one.scheme === 'bearer'));
});

test('it names every route with its methods', () => {
  assert.deepEqual(Object.keys(document.paths).filter((path) => !(path in ROUTES) && !ALIKE.test(path)), []);
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

test('it passes the rules that Redocly recommends', () => {
  const { problems } = JSON.parse(tool('@redocly/cli/bin/cli.js', 'lint', 'openapi.json', '--extends=recommended', '--format=json'));
  const said = problems.map((/** @type {any} */ { ruleId, location: [{ pointer }] }) => `${ruleId} ${pointer}`).sort();
  // These answer by sending the browser elsewhere.
  assert.deepEqual(said, ['operation-2xx-response #/paths/~1ec~1r/get/responses', 'operation-2xx-response #/paths/~1ec~1x/get/responses']);
});

test('clients that are generated from it take the bodies of the book, and no others', () => {
  tool('openapi-typescript/bin/cli.js', 'openapi.json', '-o', 'api.d.ts');
  const shown = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(/** @type {Record<string, any>} */ (item)).flatMap(([method, operation]) => {
      const example = operation.requestBody?.content['application/json']?.example;
      return example ? [{ method, path, body: JSON.stringify(example) }] : [];
    }),
  );
  const written = samples().map(({ method, path, body }) => ({ method, path: described(path), body }));
  assert.ok(shown.length >= 30 && written.length >= 12, `${shown.length} and ${written.length}`);
  /** @param {{method: string, path: string, body: string}[]} all */
  const compile = (all) => {
    const typed = all.map(({ method, path, body }, at) => `export const body${at}: Body<'${path}', '${method}'> = ${body};`);
    writeFileSync(
      join(folder, 'check.ts'),
      `import type { paths } from './api.js';
       type Body<P extends keyof paths, M extends keyof paths[P]> =
         paths[P][M] extends { requestBody?: { content: { 'application/json': infer B } } } ? B : never;\n${typed.join('\n')}\n`,
    );
    tool('typescript/bin/tsc', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', 'check.ts');
  };
  compile([...shown, ...written]);
  assert.throws(() => compile([{ method: 'put', path: '/api/campaigns/{id}', body: '{ "name": 7 }' }]), /error TS/);
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
