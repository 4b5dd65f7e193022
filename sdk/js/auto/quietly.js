/** Nothing that is captured automatically may disturb the page it reads: what throws does nothing. */

/** The function, made to return undefined where it would throw. */
export function quietly(act) {
  return (...args) => {
    try {
      return act(...args);
    } catch {
      // The page lacks or broke something that this needs.
    }
  };
}

/** Listens for events (names with spaces between) for as long as the page lives, before the page's own listeners or after. */
export function listen(events, act, target = window, capture = true) {
  const add = quietly((event) => target.addEventListener(event, quietly(act), { capture, passive: true }));
  events.split(' ').forEach(add);
}
