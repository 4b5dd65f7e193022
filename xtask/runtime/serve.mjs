/**
 * Local workerd with the worker as `edge/wrangler.toml` configures it, and the demo shop's pages beside it on the
 * same port, as a Workers route would have it on a shop's own host name.
 *
 * The first line of the standard input is its settings:
 * `{"port":8787,"state":"…","reload":true,"built":"…","variables":{…}}`; `built` is the folder that holds what was built.
 * Prints one line of JSON when it serves: `{"ready":"http://127.0.0.1:8787"}`, and again after each further line, at
 * which it loads the built files anew. It ends when the input does: whoever started it holds the other end, so
 * nothing is left behind even when they are killed.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions as optionsOf } from 'wrangler';
import { edgeRoutes } from './routes.mjs';
import { site } from './site.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const settings = JSON.parse((await lines.next()).value);
const EDGE = join(settings.built, 'edge');
const SITE = join(settings.built, 'site');

/** The worker: everything of its configuration, with local secrets and the browser's routes on the shop's host. */
function worker() {
  const { workerOptions } = optionsOf(`${ROOT}edge/wrangler.toml`);
  const prefix = settings.variables.ENDCAP_PREFIX ?? workerOptions.bindings.ENDCAP_PREFIX;
  return {
    ...workerOptions,
    name: 'endcap',
    assets: { ...workerOptions.assets, directory: join(settings.built, 'edge-assets') },
    routes: edgeRoutes(prefix),
    modulesRoot: EDGE,
    modules: [
      { type: 'ESModule', path: `${EDGE}/worker.js` },
      { type: 'CompiledWasm', path: `${EDGE}/index_bg.wasm` },
    ],
    bindings: { ...workerOptions.bindings, ...settings.variables },
  };
}

/** The shop's static pages. */
function shop(version) {
  return {
    name: 'shop',
    compatibilityDate: '2026-04-01',
    modules: true,
    script: settings.reload ? RELOADING : 'export default { fetch: (request, env) => env.ASSETS.fetch(request) };',
    bindings: { VERSION: String(version) },
    serviceBindings: { ASSETS: 'site' },
  };
}

/**
 * Adds to each page a script that loads it again once the version that serves it has changed. Each reload restarts
 * the runtime, which ends the stream; the browser connects again and hears the new version.
 */
const RELOADING = `
const SCRIPT = \`<script>{let seen;new EventSource('/__reload').onmessage=({data})=>{if(seen&&seen!==data)location.reload();seen=data}}</script>\`;
const stream = (version) => {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const send = (text) => writer.write(new TextEncoder().encode(text)).catch(() => clearInterval(timer));
  const timer = setInterval(() => send(':\\n\\n'), 15000);
  send('retry: 500\\ndata: ' + version + '\\n\\n');
  return new Response(readable, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } });
};
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === '/__reload') return stream(env.VERSION);
    const response = await env.ASSETS.fetch(request);
    if (!response.headers.get('Content-Type')?.startsWith('text/html')) return response;
    return new HTMLRewriter().on('body', { element: (body) => body.append(SCRIPT, { html: true }) }).transform(response);
  },
};`;

let version = 0;

/** Options of the whole runtime, with the files as they are now. */
function options() {
  version += 1;
  return {
    host: '127.0.0.1',
    port: settings.port,
    cf: false,
    defaultPersistRoot: settings.state,
    workers: [shop(`${process.pid}.${version}`), site(SITE), worker()],
  };
}

/** Says on the standard output that the present files are served. */
async function announce() {
  await runtime.ready;
  process.stdout.write(`${JSON.stringify({ ready: `http://127.0.0.1:${settings.port}` })}\n`);
}

const runtime = new Miniflare(options());
await announce();
while (!(await lines.next()).done) {
  try {
    await runtime.setOptions(options());
    await announce();
  } catch (error) {
    console.error(error);
  }
}
// The runtime gets a moment to close its files; leaving ends it in any case.
setTimeout(() => process.exit(0), 3000).unref();
await runtime.dispose();
process.exit(0);
