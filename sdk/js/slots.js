/** Which recommendation slots the page has: `<endcap-slot name="home" limit="4" heading="…">`. */
import { page } from './page.js';

/** Products of a slot that names no limit, and the most it may name; the most slots of a page. */
const LIMIT = 4;
const MOST = 24;
const SLOTS = 8;

/** What each element shows, so that the same answer again changes nothing. */
export const filled = new WeakMap();
export const slots = () => [...document.querySelectorAll('endcap-slot')];
export const nameOf = (host) => host.getAttribute('name') ?? '';
export const limitOf = (host) => Math.min(Math.max(parseInt(host.getAttribute('limit'), 10) || LIMIT, 1), MOST);

/** What a decision request asks: the slots on the page, what it is about, where it is. */
export function ask() {
  const wanted = new Map(slots().filter(nameOf).map((host) => [nameOf(host), { name: nameOf(host), limit: limitOf(host) }]));
  return { slots: [...wanted.values()].slice(0, SLOTS), product_id: page.product || undefined, url: location.href };
}

/** Whether a slot has shown nothing yet. */
export function waits() {
  return slots().some((host) => !filled.has(host));
}
