/**
 * What a page imports instead of `entry.js` where its policy forbids WebAssembly: the same core, translated to
 * JavaScript.
 */
export { call } from './api.js';

/** Nothing is left to start: importing the module did. */
export default async () => undefined;
