/** Follows the address of a page that changes it without loading a document (a single-page application). */
import { listen, quietly } from './quietly.js';

/** Parameters of a link's sender, which many pages take out of the address once they have read them. */
const SENDER = /^((utm|mtm|hsa|ec|mc|gad)_|_(g|kx|hs)|[gw]braid|srsltid|igsh|epik|mkt_tok|\w*(cl(k|ick)?|cc|_c|fat_)id=)/i;

/** A path without the slash at its end, and a query without its sender. */
const plain = (path, query = '') => path.replace(/\/$/, '') + '?' + query.split('&').filter((pair) => !SENDER.test(pair)).join('&');

/** What makes an address another one: path, query, and a fragment that is a route. */
export function address({ pathname, search, hash } = location) {
  return plain(pathname, search.slice(1)) + (/^#[/!]/.test(hash) ? plain(...hash.split('?')) : '');
}

/**
 * Calls `changed` with the earlier URL once per change of address, and `looked` whenever there may have been one. A
 * page that the browser kept and shows again (back-forward cache) counts as changed: else it would have been loaded.
 *
 * `url`: what was counted before.
 */
export function follow(url, changed, looked) {
  let here = address(new URL(url));
  let timer;
  const look = quietly(() => {
    timer = clearTimeout(timer);
    looked();
    const earlier = url;
    if (here === address()) return;
    here = address();
    url = location.href;
    changed(earlier);
  });
  // Within a frame or two routers set the title, and redirects end.
  const soon = () => void (timer ??= setTimeout(look, 50));
  // An element with this ID is `window.navigation` where browsers have none; only the real one has entries.
  if (window.navigation?.currentEntry) listen('currententrychange', soon, navigation);
  else for (const method of ['pushState', 'replaceState']) quietly(patch)(method, soon);
  // The rest finds what neither told, for example where the page froze its history; fragments pop the state too.
  listen('popstate click', soon);
  listen('pagehide', look);
  listen('pageshow', (event) => event.persisted && look((here = '')));
  soon();
}

/** Wraps a method of the history where it is defined, so that it does not matter who wraps it before or after. */
function patch(method, then) {
  const owner = Object.hasOwn(history, method) ? history : History.prototype;
  const original = owner[method];
  if (!original) return;
  owner[method] = function (...args) {
    const result = original.apply(this, args);
    then();
    return result;
  };
}
