/**
 * `endcap.js`, the script tag: replays what the inline stub queued, starts from what the page says about it and leaves the
 * API as `window.endcap`.
 */
import { createClient } from './client';
import { options } from './held';
import { quietly } from './identity';
import type { Endcap, InitOptions } from './types';

/** A call that the inline stub queued: method, arguments, message ID or nothing, time. */
type Stubbed = [method: string, args: Iterable<unknown>, id: string | 0 | undefined, at: number | undefined];
/** The client also takes calls that carry their own message ID and time. */
type Replaying = Endcap & { replay(method: string, args: unknown[], id?: string, at?: number): void };
/** What the page says: attributes, parameters of the script's address, and `window.endcap`, each as text or as `init` takes it. */
type Said = Partial<Record<keyof InitOptions | 'page', unknown>>;

/** How the script's address is known where the browser does not say which script is running. */
const FILE = /endcap[^/?]*\.js/;
/** How long a page may take to call `init` itself, in milliseconds. */
const PATIENCE = 2000;

/**
 * The script's tag. The browser names none to modules, and to code that an optimiser fetched or joined to other code; then it is
 * one with our attributes or our address.
 */
function ownTag(): HTMLScriptElement | null | undefined {
  const running = document.currentScript as HTMLScriptElement | null;
  const tags = [running, ...document.scripts];
  return running?.dataset.source ? running : (tags.find((tag) => tag && FILE.test(tag.src)) ?? tags.find((tag) => tag?.dataset.source));
}

/** What the tag says. Prefix and endpoint default to where the script itself came from. */
function saidBy(tag: HTMLScriptElement | null | undefined): Said {
  const src = tag?.src ?? '';
  const from = new URL(FILE.test(src) ? src : '/ec/', location.href);
  const prefix = from.pathname.replace(/\/[^/]*$/, '');
  return { prefix, endpoint: from.origin, nonce: tag?.nonce, ...Object.fromEntries(from.searchParams), ...tag?.dataset };
}

function start(): void {
  const page = window as { endcap?: unknown };
  const found = page.endcap as (Stubbed[] & Said & { replay?: unknown }) | undefined;
  // An element or a frame of this name is no queue, and a frame of another site says nothing of itself.
  const has = (name: 'replay' | 'source') => quietly(() => found?.[name]);
  if (has('replay')) return; // A second tag: the first one has the page.
  const client = createClient((url) => import(url)) as Replaying;
  page.endcap = client;
  const { debug = false, wasm, auto, page: view, ...said } = { ...saidBy(ownTag()), ...(has('source') ? found : {}) } as Said;
  if (said.source) {
    const is = (option: unknown) => !/^(false|off)$/.test(option as string);
    client.init({ ...said, debug: is(debug), wasm: is(wasm), auto: is(auto) && auto } as InitOptions);
    if (is(view)) client.page();
  } else setTimeout(() => options ?? console.warn('endcap: not started: no data-source'), PATIENCE);
  if (Array.isArray(found)) for (const [method, args, id, at] of found) client.replay(method, [...args], id || undefined, at);
}

quietly(start);
