/** From a call to an event: checked, put together, held while consent is open, and handed to the core and the queue. */
import * as core from 'endcap-core';
import { reads } from './bag.js';
import { now } from './clock.js';
import { draft, text } from './event.js';
import { debug, error } from './listeners.js';
import { mayTrack, page } from './page.js';
import { push, takeCalls } from './queue.js';
import { quietly, store } from './storage.js';
import { tracked } from './told.js';
import { later } from './turn.js';

/** Kinds of events, in the core's order (`protocol::EventType`). */
const KINDS = ['track', 'page', 'identify', 'reset', 'impression'];
/** Most events held in memory while consent is open. */
const HELD = 500;
/** Younger calls that another page's loader left may still be its own to hand over, in milliseconds. */
const YOUNG = 3000;
/** Key of the user ID of the last identify. */
export const USER = 'ec.u';

/** What the core says to an event where consent is open; 0: it was kept; 2: it is refused. */
const OPEN = 1;
let held = [];
/** Whether events may wait in memory although consent is refused: nobody but a consent tool refused it, and it was never given. */
let holds = true;
/** The event that the core is asked about. */
let current;
/** Message IDs of calls that came from a loader: one can come both from its memory and from storage. */
const replayed = new Set();

/** Captures an event. `origin` is where and when it happened, if not here and now. */
export function capture(type, name, properties, origin = {}, proof = '') {
  const event = draft(type, name, properties, origin, proof);
  if (name === 'Product Viewed' && !origin.url) page.product = `${event.properties.product_id || event.properties.sku || ''}`;
  commit(event, origin.id || '', origin.at || now());
}

function commit(event, id, at) {
  const { type, name = '' } = event;
  current = event;
  reads(event.properties ?? event.traits);
  const kept = core.capture(KINDS.indexOf(type), name, id, at);
  const waits = kept === OPEN || holds;
  if (kept && waits && held.length < HELD) held.push([event, id, at]);
  if (kept) debug(waits ? 'captured' : 'not_captured', { name: name || type, why: waits ? 'consent is open' : 'consent is denied' });
}

/** The core's door to the queue: keeps the event at hand under its message ID; false where it is too large. */
export function keep(id, session, at) {
  const json = text(current, id, session, at);
  if (json) push(json, id);
  else error('too_large', 'properties', { event: current.name });
  debug('captured', { name: current.name ?? current.type, message_id: id });
  return !!json;
}

/** Consent was given: what was held becomes events, with the times they happened at. */
export function release() {
  holds = false;
  for (const [event, id, at] of held.splice(0)) commit(event, id, at);
  // Not before this page's own loader has handed its calls over.
  setTimeout(later(reclaim));
}

/** Takes what loaders of earlier pages left. */
function reclaim() {
  if (!mayTrack()) return;
  const { calls, more } = takeCalls(now() - YOUNG);
  for (const { call, message_id, timestamp, url, referrer } of calls)
    if (url && Array.isArray(call)) replay(call.shift(), call, { id: message_id, at: timestamp, url, referrer });
  if (more) setTimeout(later(reclaim), YOUNG);
}

/** Denied: nothing stays. */
export function forget() {
  held = [];
  holds = false;
}

/** Does one of the calls that are about the visitor. */
export function replay(method, [first, second, third], origin) {
  if (origin.id) {
    if (replayed.has(origin.id)) return;
    replayed.add(origin.id);
  }
  if (method === 'page') {
    if (!origin.url && tracked('Page Viewed')) return;
    const bare = Object(first) === first;
    capture('page', bare ? '' : String(first ?? ''), bare ? first : second, origin);
  } else if (method === 'track') {
    if (!first || typeof first !== 'string') error('invalid_field', 'name', { value: first });
    else if (origin.url || !tracked(first, second)) capture('track', first, second, origin);
  } else if (method === 'identify') {
    // As Segment's clients allow: traits of somebody without a name.
    if (Object(first) === first) [second, first] = [first, page.user];
    const user = String(first ?? page.user);
    const kept = user.length > 256 ? page.user : user;
    if (kept !== user || !(user || second)) error('invalid_field', 'user_id', { value: user });
    if (!(user || second)) return;
    // The edge keeps the event without a name that can be none, and counts it.
    page.user = user;
    capture('identify', '', second, origin, quietly(() => third.proof.slice(0, 256)));
    page.user = kept;
    if (mayTrack()) store(USER, kept);
  } else if (method === 'reset') {
    capture('reset', '', undefined, origin);
    page.user = '';
    store(USER, '');
  }
}

/** Records that something of ours was shown, clicked or dismissed. */
export function impression(name, detail) {
  capture('impression', name, detail);
}
