/**
 * Events on their way: one JSON text per event under a key of this tab's own, so that tabs never overwrite each other
 * and whoever comes next can send what a closed tab left. Where storage is refused, memory holds them.
 */
import { quietly, stored, storedKeys, store } from './storage.js';

const PREFIX = 'ec.q.';
/** How a call that a loader held begins (`wasm-pkg/src/held.ts`), and how an event of ours does. */
const CALL = '{"call":';
const EVENT = '{"message_id":"';
/** Most events kept, of all tabs; the oldest go first. */
const MOST = 1000;
/** Largest body: browsers refuse keepalive requests and beacons over 64 KiB in total. */
const BODY_BYTES = 60 * 1024;

const tab = Math.random().toString(36).slice(2, 10);
/**
 * This tab's events by key, until somebody answered for them. A page that goes reads nothing else: a browser may end it
 * in the middle of a call into storage.
 */
const own = new Map();
/** Keys of those that storage refused. */
const unstored = new Set();
/** What a beacon took while the page was hidden; it stays queued until the edge answers for it. */
const beaconed = new Set();
/** Events thrown out for lack of room that the edge was not told of. */
export const lost = { count: 0 };

const keys = () => [...storedKeys(PREFIX), ...unstored];
const read = (key) => own.get(key) ?? stored(key);
/** Keys of one tab sort by when they were made, and so do their messages. */
const order = (key) => key.split('.')[3] ?? '';

/** Adds an event; `id` is its message ID. */
export function push(text, id) {
  const key = PREFIX + tab + '.' + id;
  own.set(key, text);
  if (!store(key, text)) unstored.add(key);
}

/** Takes an event out: the edge answered for it, or never will. */
export function remove(key) {
  own.delete(key);
  unstored.delete(key);
  beaconed.delete(key);
  store(key, '');
}

/** The browser goes by another anonymous ID: what it has not sent goes under that one. */
export function rename(from, to) {
  const field = (id) => `"anonymous_id":"${id}"`;
  for (const key of keys()) {
    const text = read(key);
    if (!text.startsWith(EVENT) || !text.includes(field(from))) continue;
    const renamed = text.replace(field(from), field(to));
    if (own.has(key)) own.set(key, renamed);
    if (!unstored.has(key)) store(key, renamed);
  }
}

/** Takes everything out. */
export function clear() {
  keys().forEach(remove);
}

/**
 * The oldest events of one visitor, as many as one body takes and at most `max`: `{key, id, text}`, with whose they are.
 * `leaving`: only what this tab has to hand over before it goes.
 */
export function take(max, leaving) {
  const found = leaving ? [...own.keys()].filter((key) => !beaconed.has(key)) : keys();
  // What is gone from storage another tab has sent.
  if (!leaving) for (const key of own.keys()) if (!found.includes(key)) own.delete(key);
  found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  while (found.length > MOST) {
    remove(found.shift());
    lost.count++;
  }
  const items = [];
  let owner;
  let bytes = 0;
  for (const key of found) {
    const text = read(key);
    if (text.startsWith(CALL)) continue;
    const event = parse(text);
    if (!event?.message_id) {
      remove(key);
      continue;
    }
    owner ??= event.anonymous_id;
    bytes += new TextEncoder().encode(text).length;
    if (event.anonymous_id !== owner || bytes > BODY_BYTES || items.length >= max) break;
    items.push({ key, text, id: event.message_id });
  }
  return { items, owner };
}

/** A beacon took these. */
export function handedOver(items) {
  for (const { key } of items) beaconed.add(key);
}

/** Takes out the calls that loaders of other pages held until `before`, oldest first, and says whether there are `more`. */
export function takeCalls(before) {
  const found = keys().map((key) => [key, read(key)]).filter(([, text]) => text.startsWith(CALL));
  const calls = [];
  for (const [key, text] of found) {
    const call = parse(text);
    if (call?.timestamp > before) continue;
    remove(key);
    if (call) calls.push(call);
  }
  calls.sort((a, b) => a.timestamp - b.timestamp);
  return { calls, more: calls.length < found.length };
}

/** What a stored text says; undefined where it is damaged. */
const parse = (text) => quietly(() => JSON.parse(text));
