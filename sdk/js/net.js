/** Requests to the edge: what is sent, under a lock that all tabs share, and what became of it. */
import * as core from 'endcap-core';
import { now } from './clock.js';
import { debug, emit, report } from './listeners.js';
import { mayTrack, page } from './page.js';
import { decided } from './present.js';
import { clear, handedOver, lost, remove, rename, take } from './queue.js';
import { ask } from './slots.js';
import { store, stored } from './storage.js';
import { later, turn } from './turn.js';

/** The Web Lock under which one tab sends. */
const LOCK = 'ec.flush';
/** A request without an answer after so many milliseconds counts as failed. */
const TIMEOUT = 20_000;
/** Where the anonymous ID's token is kept that the edge hands out where no cookie of it travels. */
const TOKEN = 'ec.t';
/** The browser's own, whatever the page put in its place. */
const OwnPromise = (async () => undefined)().constructor;
/** What the core makes of an answer (`sdk/src/retry.rs`). */
const ANSWERED = 0;
const RETRY = 1;
const SPLIT = 2;

let release;
/** Takes back that this tab waits for the lock. */
let asking;
let waiting = [];
let flying = [];
let timer;

/** Wakes the core in so many milliseconds, instead of at the time set before. */
export function wake(delay) {
  clearTimeout(timer);
  timer = setTimeout(later(core.due), delay);
}

/** Waits for the lock. Without locks two tabs may send the same event, and the edge counts it once. */
export function lock() {
  const hold = () => new OwnPromise((resolve) => ((release = resolve), later(core.next)()));
  const { locks } = navigator;
  const asks = (asking = new AbortController());
  // A tab that the system put to sleep keeps the lock. A tab that waited long enough goes on without it.
  setTimeout(() => asks.abort(), TIMEOUT);
  (locks ? locks.request(LOCK, { signal: asks.signal }, hold) : hold()).catch(() => setTimeout(hold));
}

/**
 * The page goes. A browser may keep it asleep to come back to, and give it the lock that it waits for; then every other page
 * would wait in vain.
 */
export function letGo() {
  asking?.abort();
  release?.();
}

/** Gives the lock back and settles what `flush` promised. */
export function unlock() {
  release?.();
  release = undefined;
  for (const resolve of waiting.splice(0)) resolve();
}

/** Sends what is queued; resolves when that has ended. */
export function flush() {
  const ended = new OwnPromise((resolve) => waiting.push(resolve));
  turn(core.flush);
  return ended;
}

/** The address and the text of a batch. */
function batch({ items, owner = page.anonymous }, asks) {
  const head = {
    source: page.source,
    sent_at: now(),
    anonymous_id: owner,
    device_id: page.device || undefined,
    consent: { analytics: !!(page.consent & 1), personalization: !!(page.consent & 2), marketing: !!(page.consent & 4) },
    consent_source: page.consentSource,
    dropped: lost.count || undefined,
    ask: asks && owner === page.anonymous ? ask() : undefined,
    possession: stored(TOKEN) || undefined,
  };
  const events = items.map((item) => item.text).join();
  return [`${page.base}/e?b=${core.bucket(owner)}`, page.json(head).slice(0, -1) + `,"events":[${events}]}`];
}

/** Posts the next request of at most `max` events; false when there are none and no decision is `wanted`. */
export function send(max, wanted, asks) {
  const taken = take(max || Infinity);
  if (!taken.items.length && !wanted) return false;
  flying = taken.items;
  post(...batch(taken, asks), taken.owner ?? page.anonymous, lost.count);
  return true;
}

async function post(url, body, owner, dropped) {
  let status = 0;
  let after;
  let answer;
  try {
    // keepalive: the page may go while the request is under way.
    const signal = AbortSignal.timeout?.(TIMEOUT);
    const reply = await fetch(url, { method: 'POST', body, keepalive: true, credentials: 'include', signal });
    after = parseInt(reply.headers.get('retry-after'), 10);
    status = reply.status;
    answer = await reply.json();
  } catch {
    // No answer, or one that is no JSON.
  }
  later(() => answered(status, after, answer, owner, dropped))();
}

function answered(status, after, answer, owner, dropped) {
  const sent = flying;
  flying = [];
  // Whatever stands between page and edge may answer too: only the edge's own words count.
  const isEdges = answer !== undefined && (status > 299 || answer?.accepted);
  const outcome = core.answered(isEdges ? status : 0, after >= 0 ? after : -1, sent.length);
  if (!answer?.accepted && outcome !== SPLIT && navigator.onLine) report('refused', { status, answer, page });
  if (outcome === RETRY) return debug('not_sent', { status });
  if (outcome !== SPLIT) {
    lost.count -= dropped;
    const { accepted = [], duplicate = [], rejected = [], decision, anonymous_id: id, possession } = (outcome === ANSWERED && answer) || {};
    const own = owner === page.anonymous;
    if (possession && (own || !id)) store(TOKEN, possession);
    if (own && id) {
      core.renamed(id);
      rename(owner, page.anonymous);
    }
    const known = new Set([...accepted, ...duplicate]);
    const refused = new Set(rejected.map(({ index }) => index));
    const done = sent.filter(({ id }, at) => outcome !== ANSWERED || known.has(id) || refused.has(at));
    for (const { key } of done) remove(key);
    if (answer?.accepted) {
      emit('sent', answer);
      debug('sent', { events: sent.length, answer });
      if (refused.size) report('rejected', { rejected, sent });
      if (own && decision) decided(decision, done.map(({ id }) => id).join());
    }
    if (sent.length && !done.length) return core.stop();
  }
  core.next();
}

/**
 * The page is hidden or goes: what the edge has not answered for goes by beacon, also what is under way, since not every
 * browser keeps a request alive. It stays queued, for a beacon has no answer; what arrives twice the edge counts once.
 */
export function leave() {
  while (mayTrack()) {
    const taken = take(Infinity, true);
    if (!taken.items.length || !navigator.sendBeacon(...batch(taken))) return;
    handedOver(taken.items);
  }
}

/** The visitor takes consent back: the edge hears it, by beacon, because nothing stays here that could try again. */
export function withdraw() {
  navigator.sendBeacon(...batch({ items: [] }));
  clear();
}
