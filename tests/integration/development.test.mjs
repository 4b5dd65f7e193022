/** What `cargo xtask dev` serves, as the pages of a shop in development meet it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DevServer } from '../harness/devServer.mjs';
import { Visitor } from '../harness/visitor.mjs';

const VITE = 'http://localhost:5173';
const NEXT = 'http://localhost:3000';
const ADMIN = 'http://localhost:4000';

test('each --source adds a source or an origin, beside demo and shop', async (t) => {
  const sources = [`storefront=${VITE}`, `storefront=${NEXT}`, `office=${ADMIN}`];
  const server = await DevServer.start('--release', ...sources.flatMap((source) => ['--source', source]));
  t.after(() => server.stop());

  /** The status of a batch, and the edge's word where it refuses. @param {string} source @param {string} origin */
  const send = async (source, origin) => {
    const visitor = new Visitor(server);
    const batch = { ...visitor.batch([visitor.track('Opened')]), source };
    const { status, body, headers } = await visitor.post(batch, { Origin: origin, 'Sec-Fetch-Site': 'same-site' });
    return { status, code: body.error?.code, message: body.error?.message, allowed: headers.get('Access-Control-Allow-Origin') };
  };
  for (const [source, origin] of [['storefront', VITE], ['storefront', NEXT], ['office', ADMIN], ['shop', VITE], ['demo', server.origin]]) {
    const { status, allowed } = await send(source, origin);
    assert.deepEqual([source, status], [source, 200]);
    if (origin !== server.origin) assert.equal(allowed, origin, source);
  }
  for (const [source, origin] of [['storefront', ADMIN], ['office', VITE], ['demo', VITE], ['warehouse', VITE]]) {
    const { status, code } = await send(source, origin);
    assert.deepEqual([status >= 400 && status < 500, typeof code], [true, 'string'], `${source} from ${origin}`);
  }
});
