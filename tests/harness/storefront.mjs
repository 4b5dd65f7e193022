/** What a shop's own host name serves: its pages, and on a few paths the edge, as a Workers route sends them there. */
import { edgeRoutes } from '../../xtask/runtime/routes.mjs';
import { site } from '../../xtask/runtime/site.mjs';
import { TARGET } from './paths.mjs';

/** @typedef {{html: string, headers?: Record<string, string>}} Page */

/** What goes to the edge; everything else is the shop's. */
export const ROUTES = edgeRoutes('/ec');

const FIXED = `export default {
  fetch(request, env) {
    const page = env.PAGES[new URL(request.url).pathname];
    if (!page) return new Response('not found', { status: 404 });
    return new Response(page.html, { headers: { 'Content-Type': 'text/html; charset=utf-8', ...page.headers } });
  },
};`;

/**
 * The workers that serve a shop's pages; the first one is to be the runtime's first.
 *
 * @param {Record<string, Page>} [pages] By path; none: those of the demo shop.
 */
export function storefront(pages) {
  const front = { name: 'shop', compatibilityDate: '2026-04-01', modules: true };
  if (pages) return [{ ...front, script: FIXED, bindings: { PAGES: pages } }];
  const script = 'export default { fetch: (request, env) => env.SITE.fetch(request) };';
  return [{ ...front, script, serviceBindings: { SITE: 'site' } }, site(`${TARGET}/site`)];
}
