/** What a page imports: the core's one function, and its start from a module that is being fetched already. */
import { initSync } from 'endcap-core';

export { call } from './api.js';

/** Compiles and starts the core; `response` is the module's, or will be. */
export default async (response) => {
  initSync({ module: await WebAssembly.compileStreaming(response) });
};
