// The worker's entry: what the runtime calls, handed to the Rust side.
//
// A trap (a Rust panic, for instance) leaves a WebAssembly instance in a state that nobody can
// vouch for. The next call therefore starts a new instance, and each Durable Object makes its
// Rust half anew, so that one panic fails the requests in flight and nothing after them.
import { DurableObject } from "cloudflare:workers";
import * as edge from "./index.js";

/** Shared with the Rust side: `criticalError`, which its panic hook sets, and `instanceId`. */
const life = edge.__worker_init_state();

/** How to end the calls in flight. A trapped future never settles, so nothing else would. */
const inFlight = new Set();
let failed = false;

Object.defineProperty(life, "criticalError", {
  get: () => failed,
  set(value) {
    failed = value;
    if (!failed) return;
    for (const reject of inFlight) reject(new Error("the instance failed"));
    inFlight.clear();
  },
});

/** Replaces the instance if the current one has failed. */
function revive() {
  if (!failed) return;
  edge.__wbg_reset_state();
  failed = false;
  life.instanceId += 1;
}

/** Remembers that the instance failed if `error` says so (not every trap is a panic). */
function examine(error) {
  if (error instanceof WebAssembly.RuntimeError) life.criticalError = true;
}

addEventListener("error", (event) => examine(event.error));
addEventListener("unhandledrejection", (event) => examine(event.reason));

/** Calls the Rust side, on a new instance where the last one failed. */
function guarded(call) {
  return new Promise((resolve, reject) => {
    revive();
    inFlight.add(reject);
    const settle = (end) => (value) => {
      inFlight.delete(reject);
      end(value);
    };
    const fail = settle(reject);
    try {
      call().then(settle(resolve), fail);
    } catch (error) {
      examine(error);
      fail(error);
    }
  });
}

/** Calls the Rust side for what it answers at once. */
function atOnce(call) {
  revive();
  try {
    return call();
  } catch (error) {
    examine(error);
    throw error;
  }
}

/** Whether a request could be a visitor's batch; the Rust side looks again. */
const mayBeBatch = (request) => request.method === "POST" && /\/e(\?|$)/.test(request.url);

/** A Durable Object class whose Rust half can be made anew. */
function durable(name) {
  return class extends DurableObject {
    #rust;
    #instanceId;

    constructor(state, env) {
      super(state, env);
      revive();
      this.#half();
    }

    /** The Rust half, of the present instance. */
    #half() {
      if (this.#instanceId !== life.instanceId) {
        this.#rust = new edge[name](this.ctx, this.env);
        this.#instanceId = life.instanceId;
      }
      return this.#rust;
    }

    fetch(request) {
      if (!mayBeBatch(request)) return guarded(() => this.#half().fetch(request));
      return this.#batch(request);
    }

    /**
     * A batch. Its body is awaited here, because a wait in a Rust future costs as much as all of the work: most batches
     * need no other, and are answered by one call.
     */
    async #batch(request) {
      const body = new Uint8Array(await request.arrayBuffer());
      const { url } = request;
      const answer = atOnce(() => this.#half().batch(request, url, body));
      if (answer) return answer;
      const { method, headers, cf } = request;
      return guarded(() => this.#half().fetch(new Request(url, { method, headers, body, cf })));
    }

    alarm() {
      return guarded(() => this.#half().alarm());
    }
  };
}

export const ProfileShard = durable("ProfileShard");
export const Shop = durable("Shop");
export const IdentityGraph = durable("IdentityGraph");

export default {
  fetch(request, env, context) {
    return atOnce(() => edge.handOver(request, env)) ?? guarded(() => edge.fetch(request, env, context));
  },
};
