/**
 * `endcap.js`, the script tag: replays what the inline stub queued, starts from the tag's data- attributes and leaves
 * the API as `window.endcap`.
 */
import { createClient } from './client';
import type { Endcap, InitOptions } from './types';

/** A call that the inline stub queued: method, arguments, message ID or nothing, time. */
type Stubbed = [method: string, args: ArrayLike<unknown>, id: string | 0 | undefined, at: number | undefined];
/** The client also takes calls that carry their own message ID and time. */
type Replaying = Endcap & { replay(method: string, args: unknown[], id?: string, at?: number): void };

/** Options from the tag. Prefix and endpoint default to where the script itself came from. */
function optionsOf(tag: HTMLScriptElement): InitOptions {
  const { source = '', prefix, endpoint, consent, debug, wasm, integrity, auto, domains } = tag.dataset;
  const from = new URL(tag.src, location.href);
  return {
    source,
    prefix: prefix ?? from.pathname.replace(/\/[^/]*$/, ''),
    endpoint: endpoint ?? from.origin,
    consent: consent as InitOptions['consent'],
    debug: debug !== undefined && debug !== 'false',
    nonce: tag.nonce || undefined,
    wasm: wasm !== 'off',
    integrity,
    auto: auto === 'off' ? false : auto,
    domains,
  };
}

function start(tag: HTMLScriptElement | null): void {
  const queued = (window as { endcap?: unknown }).endcap;
  if (queued && !Array.isArray(queued)) return; // A second tag: the first one has the page.
  const client = createClient((url) => import(url)) as Replaying;
  const stubbed = (queued ?? []) as Stubbed[];
  (window as { endcap?: unknown }).endcap = client;
  if (tag?.dataset.source) client.init(optionsOf(tag));
  if (tag?.dataset.source && tag.dataset.page !== 'off') client.page();
  for (const [method, args, id, at] of stubbed) client.replay(method, Array.from(args), id || undefined, at);
}

try {
  start(document.currentScript as HTMLScriptElement | null);
} catch {
  // A page that lacks something this basic goes on without us.
}
