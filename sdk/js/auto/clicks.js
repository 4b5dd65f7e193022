/** Clicks on links that lead to another site or to a file. */
import { listen } from './quietly.js';

/** What GA4's enhanced measurement takes for a file. */
const FILE =
  /\.(pdf|xlsx?|docx?|txt|rtf|csv|exe|key|pp(s|tx?)|7z|pkg|rar|gz|zip|avi|mov|mp(3|4|e?g)|midi?|wav|wm[av])$/i;

const site = (host) => host.replace(/^www\./, '');

/** The link of a click and its URL. */
function linkOf(event) {
  const link = event.composedPath().find((node) => node.href && /^a(rea)?$/.test(node.localName));
  // The third button is the context menu's; a link within SVG has an animated string.
  return event.button < 2 && { link, url: new URL(link.href.baseVal ?? link.href, location) };
}

/** Clicks as they come, and after the page's own listeners. */
const CLICKS = 'click auxclick';

/**
 * Sends clicks on links to the shop's other domains (host names with spaces between) through the address that `cross`
 * returns. Returns a function that says whether a URL is on such a domain. A followed link gets its own address back.
 */
export function crossOver(domains, cross) {
  const crosses = ({ host }) => domains && host && host !== location.host && `${domains}`.split(/[\s,]+/).includes(host);
  const lead = (event) => {
    const { link, url } = linkOf(event);
    const own = link.getAttribute('href');
    // A click that the page has handled itself is left alone.
    const way = own && !event.defaultPrevented && crosses(url) && cross(url.href.replace(/[\\`]/g, escape));
    if (!way) return;
    link.setAttribute('href', way);
    setTimeout(() => link.setAttribute('href', own));
  };
  if (domains) listen(CLICKS, lead, window, false);
  return crosses;
}

/** Tracks `Outbound Link Clicked` and `File Downloaded`; what `crosses` to a domain of the shop's is not outbound. */
export function watchClicks(track, crosses) {
  listen(CLICKS, (event) => {
    const { url: address } = linkOf(event);
    const { origin, hostname, pathname, search } = address;
    if (!/^http/.test(origin)) return;
    const url = (origin + pathname + search).slice(0, 2048);
    const file = FILE.exec(pathname);
    if (file) track('File Downloaded', { url, extension: file[1].toLowerCase() });
    else if (site(hostname) !== site(location.hostname) && !crosses(address)) track('Outbound Link Clicked', { url, domain: hostname });
  });
}
