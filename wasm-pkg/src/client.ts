/**
 * The public API before and after the Rust core runs: calls are held, the core is fetched while the page is idle or at
 * the first need, then it takes over. Nothing here throws into the page.
 */
import { Holding, type Held } from './held';
import { readIdentity } from './identity';
import { defineSlot } from './slot';
import type { Endcap, InitOptions } from './types';

/** The Rust core: WebAssembly (`sdk/js/entry.js`), or its translation (`sdk/js/fallback.js`), which takes no module. */
interface Core {
  default(module?: Promise<Response>): Promise<unknown>;
  call(method: string, args: unknown[], id: string, at: number): unknown;
}

/** How long an idle moment is waited for, in milliseconds. */
const IDLE_TIMEOUT = 1500;
/** How often calls are sent raw when the core cannot run here, in milliseconds. */
const RAW_INTERVAL = 2000;

/** The shortest WebAssembly module: magic number and version. */
const EMPTY_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

/** Does something and keeps what it throws from the page. */
function quietly(act: () => unknown): void {
  try {
    act();
  } catch {
    // A page that lacks something this basic goes on without us.
  }
}

/** Makes a client. `importCore` fetches the module at a URL. */
export function createClient(importCore: (url: string) => Promise<Core>): Endcap {
  const holding = new Holding();
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

  function fail(error: unknown): void {
    if (holding.options?.debug) console.warn('endcap: the core does not run here', error);
    core = undefined;
    if (!failed) setInterval(() => holding.post().catch(() => undefined), RAW_INTERVAL);
    failed = true;
    for (const call of holding.list) call.done?.(undefined);
    holding.list = holding.list.filter((call) => call.text);
  }

  /**
   * A call leaves the list only once the core has it: browsers may end a page in the middle of this (Firefox does, inside
   * a call of `localStorage`), and then it goes by beacon. What the page calls meanwhile joins the list.
   */
  function handOver(module: Core): void {
    for (let call; (call = holding.list[0]); ) {
      const result = run(module, call.method, call.args, call.id, call.at);
      if (failed) return;
      holding.handedOver(call);
      call.done?.(result);
    }
    core = module;
  }

  /** Fetches the core: as WebAssembly, and where that cannot be, for example under a strict policy, translated. */
  async function load({ endpoint = '', prefix = '/ec', wasm, integrity }: InitOptions): Promise<Core> {
    const base = endpoint + prefix;
    try {
      if (wasm !== false) {
        // Where the policy forbids compiling, this throws, and nothing is fetched in vain.
        new WebAssembly.Module(EMPTY_MODULE);
        const response = fetch(base + '/core.wasm', { integrity });
        response.catch(() => undefined);
        const module = await importCore(base + '/core.js');
        await module.default(response);
        return module;
      }
    } catch {
      // The same code runs as JavaScript.
    }
    return importCore(base + '/fallback.js');
  }

  /** Fetches the core now, unless that has begun. */
  function need(): void {
    if (loading || !holding.options) return;
    loading = true;
    load(holding.options).then(handOver).catch(fail);
  }

  function hold(method: string, args: unknown[], id?: string, at?: number, done?: Held['done']): void {
    if (method === 'init') {
      if (holding.options) return;
      // Absolute, because imports start from the script's address and fetches from `<base>`, which may be elsewhere.
      const options = (args[0] ?? {}) as InitOptions;
      args[0] = holding.options = { ...options, endpoint: options.endpoint || location.origin };
      holding.decide(holding.options.consent);
      if ('requestIdleCallback' in window) requestIdleCallback(need, { timeout: IDLE_TIMEOUT });
      else setTimeout(need, 200);
    }
    // After a failure only what can be sent raw is worth keeping.
    if (failed && done) return done(undefined);
    holding.add(method, args, id, at, done);
    // What was called before it is kept all the same: the core takes nothing earlier.
    if (method === 'init') holding.list.unshift(...holding.list.splice(-1));
    if (method === 'consent') holding.decide(args[0] as InitOptions['consent']);
  }

  function call(method: string, args: unknown[], id?: string, at?: number, done?: Held['done']): void {
    try {
      if (!core) hold(method, args, id, at, done);
      else {
        const result = run(core, method, args, id, at);
        done?.(result);
      }
    } catch (error) {
      // For example data that is no JSON: a cycle, a BigInt.
      if (holding.options?.debug) console.warn('endcap: ' + method, error);
    }
  }

  /** A call that cannot wait for an idle moment. */
  function ask<T>(method: string, args: unknown[], otherwise: T): Promise<T> {
    return new Promise((resolve) => {
      call(method, args, undefined, undefined, (result) => resolve((result as T) ?? otherwise));
      if (!core) need();
    });
  }

  function leave(): void {
    if (!core) quietly(() => holding.leave());
  }

  addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && leave());
  quietly(() => defineSlot(() => (core ? call('slots', []) : need())));

  const plain = (method: string) => (...args: unknown[]) => call(method, args);
  return {
    init: plain('init'),
    page: plain('page'),
    track: plain('track'),
    identify: plain('identify'),
    consent: plain('consent'),
    reset: plain('reset'),
    on: (type: string, listener: unknown) => {
      let off: unknown;
      let gone = false;
      call('on', [type, (event: unknown) => gone || (listener as (event: unknown) => void)(event)], undefined, undefined, (result) => (off = result));
      return () => {
        gone = true;
        (off as (() => void) | undefined)?.();
      };
    },
    // The core answers null until the edge has said what to subscribe to; then it is asked again.
    requestPush: async () =>
      (await ask('requestPush', [], null)) ?? (await ask('flush', [], null), await ask('requestPush', [], 'unsupported')),
    flush: () => ask('flush', [], undefined),
    anonymousId: () => {
      let id: unknown;
      quietly(() => (id = core ? run(core, 'anonymousId', []) : readIdentity()?.anonymous));
      return id ?? null;
    },
    replay: call,
  } as unknown as Endcap;
}
