/** The files that a shop's page loads from the edge. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from 'node:http';
import { brotliDecompressSync } from 'node:zlib';
import { Edge } from '../harness/edge.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

const FILES = {
  '/ec/endcap.js': /javascript/,
  '/ec/core.js': /javascript/,
  '/ec/core.wasm': /^application\/wasm/,
  '/endcap-sw.js': /javascript/,
};

/**
 * Fetches without decompressing.
 *
 * @param {string} path
 * @param {Record<string, string>} headers
 * @returns {Promise<{status: number, headers: import('node:http').IncomingHttpHeaders, body: Buffer}>}
 */
function raw(path, headers) {
  return new Promise((resolve, reject) => {
    const sent = request(edge.origin + path, { headers }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
    });
    sent.on('error', reject).end();
  });
}

for (const [path, type] of Object.entries(FILES)) {
  test(`${path} is sent as stored: brotli where the browser takes it, plain where not`, async () => {
    // Brotli first: the local proxy in front of workerd packs everything anew in whatever coding comes first.
    const small = await raw(path, { 'Accept-Encoding': 'br, gzip' });
    const plain = await raw(path, { 'Accept-Encoding': 'identity' });
    assert.deepEqual([small.status, plain.status], [200, 200]);
    assert.equal(small.headers['content-encoding'], 'br');
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.deepEqual(brotliDecompressSync(small.body), plain.body);
    for (const { headers } of [small, plain]) {
      assert.match(headers['content-type'] ?? '', type);
      assert.match(headers.vary ?? '', /accept-encoding/i);
      assert.ok(headers['cache-control'], 'says how long it may be kept');
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
  });
}

test('the service worker may only serve its own scope', async () => {
  const { headers } = await raw('/endcap-sw.js', {});
  assert.notEqual(headers['service-worker-allowed'], '/');
});

test('the core is WebAssembly', async () => {
  const { body } = await raw('/ec/core.wasm', { 'Accept-Encoding': 'identity' });
  assert.equal(WebAssembly.validate(new Uint8Array(body)), true);
});
