/** Clicks on links that lead to another site or to a file. */
import { listen } from './quietly.js';

/** What GA4's enhanced measurement takes for a file. */
const FILE =
  /\.(pdf|xlsx?|docx?|txt|rtf|csv|exe|key|pp(s|tx?)|7z|pkg|rar|gz|zip|avi|mov|mp(3|4|e?g)|midi?|wav|wm[av])$/i;

const site = (host) => host.replace(/^www\./, '');

/** The link of a click and its URL. */
export function linkOf(event) {
  const link = event.composedPath().find((node) => node.href && /^a(rea)?$/.test(node.localName));
  // The third button is the context menu's; a link within SVG has an animated string.
  return event.button < 2 && { link, url: new URL(link.href.baseVal ?? link.href, location) };
}

/** Clicks of every button. */
export const CLICKS = 'click auxclick';

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
