/**
 * The npm package's entry: the same API as the script tag, as functions. Importing it does nothing, in a browser or on
 * a server; the core is fetched from the configured prefix after `init`.
 */
import { createClient } from './client';
import type { Endcap, Properties } from './types';

export type * from './types';

let client: Endcap | undefined;

/** The one client of this page; undefined where there is no page. */
function get(): Endcap | undefined {
  if (typeof document === 'undefined') return undefined;
  client ??= createClient((url) => import(/* @vite-ignore */ /* webpackIgnore: true */ url));
  return client;
}

/** Starts Endcap on this page. A second call is ignored. */
export const init: Endcap['init'] = (options) => get()?.init(options);
/** Records a page view. */
export const page: Endcap['page'] = (name?: string | Properties, properties?: Properties) =>
  get()?.page(name as string, properties);
/** Records something the visitor did, named as in Segment's e-commerce specification where it has a name for it. */
export const track: Endcap['track'] = (name: string, properties?: Properties) => get()?.track(name, properties);
/** Says who the visitor is. */
export const identify: Endcap['identify'] = (user: string | number | Properties, traits?: Properties, options?: { proof?: string | undefined }) =>
  get()?.identify(user as string, traits, options);
/** Takes the visitor's decision about consent. */
export const consent: Endcap['consent'] = (state) => get()?.consent(state);
/** The visitor logged out: what follows belongs to a new anonymous ID. */
export const reset: Endcap['reset'] = () => get()?.reset();
/** Listens to what Endcap does; returns the function that stops listening. */
export const on: Endcap['on'] = (type, listener) => get()?.on(type, listener) ?? (() => undefined);
/** Asks for permission to send notifications; call it from a click. */
export const requestPush: Endcap['requestPush'] = () => get()?.requestPush() ?? Promise.resolve('unsupported');
/** Sends what is queued; resolves when the edge answered or could not be reached. */
export const flush: Endcap['flush'] = () => get()?.flush() ?? Promise.resolve();
/** The browser's anonymous ID; null before consent or outside a browser. */
export const anonymousId: Endcap['anonymousId'] = () => get()?.anonymousId() ?? null;
