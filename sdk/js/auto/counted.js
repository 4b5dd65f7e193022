/**
 * The data layer, the page's markup and the shop's own calls may all report one thing, which counts once. An event that
 * was read waits a moment for the shop's own call, which comes first because it knows best.
 */
import { address } from './address.js';
import { quietly } from './quietly.js';

const VIEWED = 'Product Viewed';
/** Events that count once per address, however often they are reported; an order counts once anywhere. */
const ONCE = /^(Products? [VS]|Order)/;

/** Per thing, how often the shop told it more often than we did. */
const balance = new Map();
/** Waiting events by what they are about, so that one from both `gtag()` and the tag manager, or in an old and a new form, counts once. */
const waiting = new Map();
let core;
let timer;
let lastView;
let started;

const idOf = (it) => it.order_id ?? it.product_id ?? it.sku ?? it.query ?? it.list_id ?? it.category ?? it.step;

function keyOf(name, properties) {
  const here = address();
  if (name === VIEWED) lastView = here;
  return [name, idOf(properties), /^Products? [VS]/.test(name) && here].join();
}

/** Notes that the shop (1) or we (-1) told something. Returns the balance before. */
function note(key, by) {
  const before = balance.get(key) ?? 0;
  if (balance.size > 1000) balance.clear();
  balance.set(key, ONCE.test(key) ? before || by : before + by);
  return before;
}

/** Tracks by `api` (see `index.js`). */
export function countFor(api) {
  core = api;
  setTimeout(() => (started = true));
}

/** Offers something that was read, to be tracked unless it is told otherwise. */
export function offer(name, properties) {
  const key = keyOf(name, properties);
  // The shop may have reported an entry from before our start already.
  if (!started && core.seen(name, idOf(properties))) return;
  waiting.set(key + properties.quantity, [key, name, properties, core.now?.()]);
  timer ??= setTimeout(flush, 100);
}

/** The shop told something itself; whether we had told it before. */
export const tracked = quietly((name, properties) => note(keyOf(name, properties ?? {}), 1) < 0);

/** Whether anybody told of a product at this address. */
export const viewed = () => lastView === address() || core.seen(VIEWED);

/** Tracks what waits. */
export const flush = quietly(() => {
  const ready = [...waiting.values()];
  waiting.clear();
  timer = clearTimeout(timer);
  for (const [key, ...event] of ready) {
    const before = note(key, -1);
    if (before > 0 || (before && ONCE.test(key))) continue;
    quietly(core.track)(...event);
  }
});
