/** The moments in the page at which something may open. What is armed listens only until it is disarmed. */

/** Scrolling up by so many pixels within so many milliseconds is taken for leaving, on touch screens. */
const EXIT_SCROLL = [120, 150];

/** How many per cent of the page were scrolled into view; 100 where it fits the window. */
const scrolled = () => ((scrollY + innerHeight) * 100) / document.documentElement.scrollHeight;

/** Waits for a trigger (`dwell` in seconds, `scroll` in per cent, `exit`), then calls `come` once. Returns what disarms it. */
export function arm(kind, value, come) {
  const ends = new AbortController();
  const on = (target, event, act) => target.addEventListener(event, act, { passive: true, signal: ends.signal });
  const fire = () => (ends.abort(), come());
  if (kind === 'dwell') {
    // Counted from when the page began to load, or was opened if the browser had prepared it; not from when the condition came to hold.
    const start = performance.getEntriesByType('navigation')[0]?.activationStart ?? 0;
    const timer = setTimeout(fire, value * 1000 + start - performance.now());
    return () => clearTimeout(timer);
  }
  if (kind === 'scroll') {
    const look = () => scrolled() >= value && fire();
    on(window, 'scroll', look);
    look();
  } else {
    on(document, 'mouseout', (event) => event.clientY <= 0 && !event.relatedTarget && fire());
    let [y, at] = [scrollY, performance.now()];
    if (navigator.maxTouchPoints)
      on(window, 'scroll', () => {
        const now = performance.now();
        if (y - scrollY > EXIT_SCROLL[0] && now - at < EXIT_SCROLL[1]) fire();
        [y, at] = [scrollY, now];
      });
  }
  return () => ends.abort();
}
