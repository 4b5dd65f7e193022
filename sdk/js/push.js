/**
 * Web push of this browser: the soft prompt, and keeping the subscription in step with the edge.
 *
 * Browsers remember a refusal for good, so their own prompt comes only after the visitor said yes to ours.
 */
import { open } from './overlay.js';
import { due, obstacle, opened } from './trigger.js';
import { world } from './world.js';

/** A soft prompt that was dismissed is not shown again for 14 days; when that was. */
const REST = 14 * 24 * 3600 * 1000;
const DISMISSED = 'ec.p';
/** What the prompt's trigger waits under; no campaign ID starts so. */
const TRIGGER = '\u0001prompt';

/** Shown or settled on this page; asked no more. */
let done = false;

/**
 * What the browser's permission is: `granted`, `denied`, `default`; undefined where there is no push: in the browser, or
 * because the edge answers on another host, where no service worker of this page can lie.
 */
function permission() {
  const here = new URL(world.page.base, location.href).origin === location.origin;
  return here && 'PushManager' in window && 'serviceWorker' in navigator ? window.Notification?.permission : undefined;
}

/** Tells listeners what became of push. */
function tell(state) {
  world.emit('push', { state });
  world.debug('push', { state });
}

/**
 * Looks at an offer of the edge's. Where the visitor allowed notifications, sees that the subscription is in step; where
 * they were not asked yet, opens the soft prompt once its moment has come.
 */
export function prompt(offer) {
  const state = permission();
  if (done || !offer || !(state === 'granted' || state === 'default')) return;
  if (state === 'granted') {
    done = true;
    void subscribe(offer, offer.subscribed);
    return;
  }
  const { prompt } = offer;
  if (!prompt || Date.now() - world.stored(DISMISSED) < REST) return;
  const { dwell_seconds: dwell, scroll_percent: scroll, exit_intent: exit } = prompt.trigger ?? {};
  if (!due(TRIGGER, dwell ? 'dwell' : scroll ? 'scroll' : exit ? 'exit' : '', dwell ?? scroll ?? 0)) return;
  if (obstacle()) return;
  done = opened.now = true;
  const texts = { ...prompt, label: prompt.accept, dismiss: prompt.later };
  open('prompt', texts, [], (accepted) => {
    // Asked from within the click, as browsers demand.
    if (accepted) return void request(offer);
    world.store(DISMISSED, Date.now());
    tell('dismissed');
  });
  tell('prompted');
}

/** Asks for permission (from within a click, as browsers demand) and subscribes. */
export async function request(offer) {
  done = true;
  if (!permission()) return 'unsupported';
  const answer = await Notification.requestPermission();
  if (answer !== 'granted') {
    const outcome = answer === 'denied' ? answer : 'dismissed';
    world.later(() => tell(outcome))();
    return outcome;
  }
  return (await subscribe(offer, false)) ? 'granted' : 'unsupported';
}

/**
 * Sees that this browser is subscribed with the key that the edge offers and that the edge knows it: a part of its own, which only
 * those fetch who allowed notifications. `known`: the edge said that it has a subscription of this browser.
 */
async function subscribe(offer, known) {
  try {
    const { subscribe } = await import('./subscribe.js');
    if (await subscribe(offer, known, world.page)) world.later(() => (tell('subscribed'), world.subscribed()))();
    return true;
  } catch (problem) {
    world.later(() => world.error('push_failed', '', { problem: String(problem?.message ?? problem) }))();
    return false;
  }
}
