/**
 * Web push of this browser: the soft prompt, and keeping the subscription in step with the edge.
 *
 * Browsers remember a refusal for good, so their own prompt comes only after the visitor said yes to ours.
 */
import { open } from './overlay.js';
import { due, obstacle, opened } from './trigger.js';
import { world } from './world.js';

/** The service worker's fixed address and scope; subscriptions bind to them. */
const [WORKER, SCOPE] = ['/endcap-sw.js', '/endcap-sw/'];

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
    void reconcile(offer, offer.subscribed);
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
  return (await reconcile(offer, false)) ? 'granted' : 'unsupported';
}

/**
 * Sees that this browser is subscribed with the key that the edge offers and that the edge knows it. `known`: the edge
 * said that it has a subscription of this browser.
 */
async function reconcile(offer, known) {
  try {
    if (await subscribe(offer, known)) world.later(() => (tell('subscribed'), world.subscribed()))();
    return true;
  } catch (problem) {
    world.later(() => world.error('push_failed', '', String(problem?.message ?? problem)))();
    return false;
  }
}

let policy;

/** The worker's address as pages under Trusted Types want it, who run no script whose address is plain text. */
function trusted(worker) {
  try {
    policy ??= window.trustedTypes?.createPolicy('endcap', { createScriptURL: (url) => (url.startsWith(WORKER) ? url : '') });
  } catch {
    // The policy allows no such name: the browser says what it thinks of plain text.
  }
  return policy?.createScriptURL(worker) ?? worker;
}

async function subscribe({ public_key: key, key_id }, known) {
  const { base, source, anonymous: id } = world.page;
  // The worker's address carries what it needs when the browser renews a subscription while no page is open.
  const worker = `${WORKER}?${new URLSearchParams({ prefix: base, source, id, key, key_id })}`;
  const registration = await active(await navigator.serviceWorker.register(trusted(worker), { scope: SCOPE }));
  const { pushManager } = registration;
  let subscription = await pushManager.getSubscription();
  const same = subscription && encode(subscription.options.applicationServerKey) === key;
  if (same && known) return false;
  if (!same) {
    // Browsers refuse another key until the old subscription is gone.
    await subscription?.unsubscribe();
    subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  }
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const body = JSON.stringify({ anonymous_id: id, source, subscription, key_id, zone });
  const reply = await fetch(base + '/push', { method: 'POST', body });
  if (!reply.ok) throw new Error('the edge refused the subscription');
  // By this token the worker renews the subscription when no cookie shows whose it is.
  registration.active.postMessage({ renewal: (await reply.json()).renewal });
  return true;
}

/** Waits until a registration has an active worker. */
function active(registration) {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration;
  return new Promise((resolve, reject) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve(registration);
      else if (worker.state === 'redundant') reject(new Error('the service worker was replaced'));
    });
  });
}

/** Base64url (RFC 4648 section 5) without padding. */
function encode(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
