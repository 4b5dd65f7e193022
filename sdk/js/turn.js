/**
 * Taking turns: the core does one piece of work at a time. What a browser brings meanwhile (moving the focus runs the
 * page's listeners at once) waits until that is done; then the page's listeners are told what happened.
 */
import { deliver } from './listeners.js';

const waiting = [];
let busy = false;

/** Does work with the core now, or right after what it is doing. */
export function turn(work) {
  waiting.push(work);
  if (busy) return;
  busy = true;
  try {
    while (waiting.length) waiting.shift()();
  } finally {
    busy = false;
  }
  deliver();
}

/** The same as a listener or timer; a core that broke down stays silent there. */
export const later = (work) => (event) => {
  try {
    turn(() => work(event));
  } catch {
    // The page's next call fails too, and the loader then sends it without the core.
  }
};
