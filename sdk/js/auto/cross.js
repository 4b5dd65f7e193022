/** Links to the shop's other domains: a part of its own, which only a shop that has some fetches. */
import { CLICKS, linkOf } from './clicks.js';
import { listen } from './quietly.js';

/**
 * Sends clicks on links to the shop's other domains (host names with spaces between) through the address that `cross`
 * returns. Returns a function that says whether a URL is on such a domain. A followed link gets its own address back.
 */
export function crossOver(domains, cross) {
  const crosses = ({ host }) => host && host !== location.host && `${domains}`.split(/[\s,]+/).includes(host);
  const lead = (event) => {
    const { link, url } = linkOf(event);
    const own = link.getAttribute('href');
    // A click that the page has handled itself is left alone.
    const way = own && !event.defaultPrevented && crosses(url) && cross(url.href.replace(/[\\`]/g, escape));
    if (!way) return;
    link.setAttribute('href', way);
    setTimeout(() => link.setAttribute('href', own));
  };
  // After the page's own listeners.
  listen(CLICKS, lead, window, false);
  return crosses;
}
