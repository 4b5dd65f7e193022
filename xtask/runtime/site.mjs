/**
 * A folder of static files as a worker: clean addresses (`/cart` is `cart.html`), media types, a page for nothing found.
 *
 * Miniflare's own `assets` cannot do it beside the edge's: in one runtime the assets of all workers share one disk
 * service, the first one's, so the second worker finds none of its files.
 */

const SCRIPT = `
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml', json: 'application/json', map: 'application/json', txt: 'text/plain; charset=utf-8', png: 'image/png' };
const extension = (path) => /\\.([a-z0-9]+)$/.exec(path)?.[1];
const fileOf = (path) => (path.endsWith('/') ? path + 'index.html' : extension(path) ? path : path + '.html');
async function send(env, file, status) {
  const found = await env.DISK.fetch('http://disk' + file);
  if (!found.ok) return undefined;
  // Named by their content, so they never change.
  const lasting = file.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  return new Response(found.body, { status, headers: { 'Content-Type': TYPES[extension(file)] ?? 'application/octet-stream', 'Cache-Control': lasting } });
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    return (await send(env, fileOf(pathname), 200)) ?? (await send(env, '/404.html', 404)) ?? new Response('not found', { status: 404 });
  },
};`;

/**
 * The worker `site`; others bind it by that name.
 *
 * @param {string} directory Absolute path of the folder.
 */
export function site(directory) {
  return {
    name: 'site',
    compatibilityDate: '2026-04-01',
    modules: true,
    script: SCRIPT,
    serviceBindings: { DISK: { disk: { path: directory, writable: false } } },
  };
}
