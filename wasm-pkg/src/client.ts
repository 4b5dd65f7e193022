/**
 * The public API before and after the Rust core runs: calls are held, the core is fetched while the page is idle or at
 * the first need, then it takes over. Nothing here throws into the page.
 */
import { ABOUT_VISITOR, add, answered, base, batch, begin, decide, forget, leave, list, options, type Held } from './held';
import { quietly, readIdentity } from './identity';
import { json } from './json';
import { defineSlot } from './slot';
import type { Endcap, InitOptions } from './types';

/** The Rust core: WebAssembly (`sdk/js/entry.js`), or its translation (`sdk/js/fallback.js`), which takes no module. */
interface Core {
  default(module?: Promise<Response>): Promise<unknown>;
  call(method: string, args: unknown[], id: string, at: number): unknown;
}

/** How long an idle moment is waited for, in milliseconds. */
const IDLE_TIMEOUT = 1500;

/** The shortest WebAssembly module: magic number and version. */
const EMPTY_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

/** The browser's own, whatever the page put in its place. */
const OwnPromise = (async () => undefined)().constructor as PromiseConstructor;

/** Makes a client. `importModule` fetches the module at a URL. */
export function createClient(importModule: (url: string) => Promise<unknown>): Endcap {
  let core: Core | undefined;
  let loading = false;
  let failed = false;

  /** Runs a call in the core. A throw can only be a wasm trap: from then on calls are sent raw. */
  function run(module: Core, method: string, args: unknown[], id = '', at = 0): unknown {
    try {
      return module.call(method, args, id, at);
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  /** From now on calls go raw. What does that comes from the edge as well, so where not even that can be loaded, there is none. */
  function fail(problem: unknown): void {
    core = undefined;
    if (!failed)
      importModule(base() + '/raw.js').then(
        (raw) => (raw as typeof import('./raw')).start({ calls: () => list, batch, answered }, problem),
        // What is held is stored, and goes by beacon when the page is left.
        () => console.warn('endcap: nothing loads from ' + base()),
      );
    failed = true;
    forget((call) => !call.text && (call.done?.(undefined), true));
  }

  /**
   * A call leaves the list only once the core has it: browsers may end a page in the middle of this (Firefox does, inside
   * a call of `localStorage`), and then it goes by beacon. What the page calls meanwhile joins the list.
   */
  function handOver(module: Core): void {
    // Listeners hear of everything, and the core takes nothing before `init`: what was called earlier counts all the same.
    const rank = (call: Held) => ['on', 'init'].indexOf(call.method) >>> 0;
    list.sort((one, other) => rank(one) - rank(other));
    for (let call; (call = list[0]); ) {
      const result = run(module, call.method, call.args, call.id, call.at);
      if (failed) return;
      forget((one) => one === call);
      call.done?.(result);
    }
    core = module;
  }

  /** Fetches the core: as WebAssembly, and where that cannot be, for example under a strict policy, translated. */
  async function load({ wasm, integrity }: InitOptions): Promise<Core> {
    try {
      if (wasm !== false) {
        // Where the policy forbids compiling, this throws, and nothing is fetched in vain.
        new WebAssembly.Module(EMPTY_MODULE);
        const response = fetch(base() + '/core.wasm', { integrity });
        response.catch(() => undefined);
        const module = (await importModule(base() + '/core.js')) as Core;
        await module.default(response);
        return module;
      }
    } catch {
      // The same code runs as JavaScript.
    }
    return importModule(base() + '/fallback.js') as Promise<Core>;
  }

  /** Fetches the core now, unless that has begun. */
  function need(): void {
    if (loading || !options) return;
    loading = true;
    load(options).then(handOver).catch(fail);
  }

  function hold(method: string, args: unknown[], id?: string, at?: number, done?: Held['done']): void {
    if (method === 'init') {
      if (options) return;
      begin((args[0] ?? {}) as InitOptions);
      args[0] = { ...(options as InitOptions | undefined), json };
      // Where browsers lack it, the object is no number of milliseconds, so the core is fetched next.
      (window.requestIdleCallback ?? setTimeout)(need, { timeout: IDLE_TIMEOUT } as number & IdleRequestOptions);
    }
    // After a failure only what can be sent raw is worth keeping.
    if (failed && done) return done(undefined);
    add(method, args, id, at, done);
  }

  function call(method: string, args: unknown[], id?: string, at?: number, done?: Held['done']): void {
    // Nobody sees a page that is only prepared. What it calls counts from when it is opened, and never where it is not.
    if ((document as { prerendering?: boolean }).prerendering)
      return document.addEventListener('prerenderingchange', () => call(method, args, id, undefined, done), { once: true });
    try {
      if (!core) hold(method, args, id, at, done);
      else {
        const result = run(core, method, args, id, at);
        done?.(result);
      }
      // Also once the core is there: it may break down.
      if (method === 'consent') decide(args[0] as InitOptions['consent']);
    } catch (error) {
      console.warn('endcap', error);
    }
  }

  /** A call that cannot wait for an idle moment. */
  function ask<T>(method: string, args: unknown[], otherwise: T): Promise<T> {
    return new OwnPromise((resolve) => {
      call(method, args, undefined, undefined, (result) => resolve((result as T) ?? otherwise));
      if (!core) need();
    });
  }

  const go = () => core ?? quietly(leave);
  addEventListener('pagehide', go);
  document.addEventListener('visibilitychange', () => document.hidden && go());
  quietly(() => defineSlot(() => (core ? call('slots', []) : need())));

  const api: Record<string, unknown> = {
    on: (type: string, listener: unknown) => {
      let off: unknown;
      let gone = false;
      call('on', [type, (event: unknown) => gone || (listener as (event: unknown) => void)(event)], undefined, undefined, (result) => (off = result));
      return () => {
        gone = true;
        (off as (() => void) | undefined)?.();
      };
    },
    requestPush: () => ask('requestPush', [], 'unsupported'),
    flush: () => ask('flush', [], undefined),
    anonymousId: () => quietly(() => (core ? run(core, 'anonymousId', []) : readIdentity()?.anonymous)) ?? null,
    replay: call,
  };
  for (const method of ['init', 'consent', ...ABOUT_VISITOR]) api[method] = (...args: unknown[]) => call(method, args);
  return api as unknown as Endcap;
}
