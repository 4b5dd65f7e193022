/** How long a page was in front of the visitor (visible and focused), and how far it was scrolled. */
import { address } from './address.js';
import { listen } from './quietly.js';

/**
 * Measures from now on and tracks `Page Engaged` when the page is left after a second or more. Returns what to call
 * with the earlier URL when the address has changed. On touch screens browsers often end a page in the background
 * without telling it, so going there is leaving, and what follows a return is told in an event of its own.
 */
export function measure(track, scroll) {
  let time, bottom, height, since, here;

  const look = () => {
    const now = performance.now();
    if (since) time += now - since;
    since = document.hasFocus() && !document.hidden ? now : undefined;
    // A router scrolls the next page before its address is looked at.
    if (address() !== here) return;
    bottom = Math.max(bottom, scrollY + innerHeight);
    height = Math.max(height, document.documentElement.scrollHeight);
  };
  const begin = () => {
    time = bottom = height = 0;
    here = address();
    look();
  };
  const leave = (url) => {
    look();
    if (time < 1000) return;
    const depth = Math.min(Math.round((bottom * 100) / height), 100);
    track('Page Engaged', { url, engaged_ms: Math.round(time), ...(scroll && { scroll_depth: depth }) });
    time = 0;
  };

  listen('focus blur pageshow pointerdown scroll', look);
  listen('pagehide visibilitychange', ({ type }) => {
    if (type === 'pagehide' || (document.hidden && navigator.maxTouchPoints)) leave(location.href);
    else look();
  });
  begin();
  return (url) => {
    leave(url);
    begin();
  };
}
