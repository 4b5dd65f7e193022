/** What the page does for the core, in one module (`sdk/src/host.rs` imports it as `endcap-host`). */
import { page } from './page.js';

export { itemCount, numberOf, textOf } from './bag.js';
export { keep } from './capture.js';
export { now } from './clock.js';
export { lock, send, unlock, wake } from './net.js';
export { look, stands } from './present.js';
export { cookie, setCookie, store, stored } from './storage.js';

/** Who this browser is, as the core worked it out; empty text for nobody. */
export function identified(device, anonymous) {
  Object.assign(page, { device, anonymous });
}

/** Fills bytes from the platform's cryptographic random source. */
export const random = (bytes) => void crypto.getRandomValues(bytes);
