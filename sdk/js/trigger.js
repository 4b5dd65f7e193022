/** Waiting for the moment at which something may open. */
import { arm } from './arm.js';
import { world } from './world.js';

/** What says that a consent banner is on the page. */
const BANNER = '[data-endcap-consent]';
/** Pause before an obstacle is looked at again, in milliseconds: no event tells that it is gone. */
const LOOK_AGAIN = 1000;

/** By ID: true once its moment came, else the function that disarms it. */
const waiting = new Map();
let look;
let again;
/** Whether something of ours is open or about to be; its element, and what closes it. */
export const opened = { now: false, host: undefined, close: undefined };

/** Says what looks at everything again. */
export function relook(act) {
  look = world.later(act);
}

/** Whether the moment of `id` came: `dwell` in seconds, `scroll` in per cent, `exit`, or at once. Waits for it if not. */
export function due(id, kind, value) {
  if (!waiting.has(id)) {
    waiting.set(id, !kind);
    const come = () => {
      waiting.set(id, true);
      world.debug('trigger', { campaign_id: id });
      look();
    };
    const disarm = kind && arm(kind, value, world.later(come));
    if (!waiting.get(id)) waiting.set(id, disarm);
  }
  return waiting.get(id) === true;
}

/** Stops waiting for `id`. */
export function forgo(id) {
  const disarm = waiting.get(id);
  waiting.delete(id);
  if (disarm && disarm !== true) disarm();
}

/** What is in the way of opening anything now: something open, a consent banner, a visitor who is typing. */
export function obstacle() {
  // A page that replaces its body (Turbo, htmx) takes what is open with it.
  if (opened.host?.isConnected === false) opened.close();
  const shown = [...document.querySelectorAll(BANNER)].some((element) => element.getClientRects().length);
  const typing = document.activeElement?.matches('input,textarea,select,[contenteditable]');
  const why = opened.now ? 'something else is open' : shown ? 'a consent banner is open' : typing ? 'the visitor is typing' : '';
  if (why) lookAgain();
  return why;
}

/** Looks again soon. */
export function lookAgain() {
  clearTimeout(again);
  again = setTimeout(look, LOOK_AGAIN);
}
