/** The time, also where the page put something else in the place of `Date`. */
import { quietly } from './storage.js';

/** Unix time in milliseconds. */
export function now() {
  const time = quietly(() => Date.now());
  return time > 1e12 ? time : Math.round(performance.timeOrigin + performance.now());
}
