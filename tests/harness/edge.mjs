/**
 * The built worker in a real workerd, as `wrangler.toml` configures it, with storage and secrets of its own.
 *
 * Each suite starts one on a free port; state lies in a temporary folder, so a suite can stop it and start it again
 * on the same data.
 */
import { createECDH, createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Miniflare, Response } from 'miniflare';
import { unstable_getMiniflareWorkerOptions as optionsOf } from 'wrangler';
import { Api } from './api.mjs';
import { freePort } from './freePort.mjs';
import { uuid } from './ids.mjs';
import { ROOT, TARGET } from './paths.mjs';
import { request } from './request.mjs';
import { ROUTES, storefront } from './storefront.mjs';

/** The one origin that may send events, in suites without a browser. */
export const SHOP_ORIGIN = 'https://shop.example';
/** The source that the tests' pages send as. */
export const SOURCE = 'demo';

/** Secrets of webhook sources; the last one is changing. */
export const WEBHOOK_SECRETS = { shopify: 'shpss-1', woo: 'woo-1', erp: 'erp-1', spare: 's-1', turning: ['old-1', 'new-1'] };

/** Where the worker of this version lies. */
export const BUILT = `${TARGET}/edge`;
const WORKER = `${BUILT}/worker.js`;
/** Lines of the worker's log that are kept. */
const LOG_LINES = 1000;

/** @typedef {import('node:stream').Readable} Readable */

/**
 * @typedef {object} EdgeOptions
 * @property {boolean} [shop] Serve the demo shop's pages on the same port.
 * @property {Record<string, import('./storefront.mjs').Page>} [pages] Serve these pages on the same port.
 * @property {Record<string, string>} [variables] Overrides of the worker's variables.
 * @property {string} [worker] The folder of another version's worker.
 * @property {Record<string, string>} [place] What the platform in front says of where requests come from; without it none is in front.
 * @property {(request: any) => Promise<{status: number, reason: string}>} [outbound] Answers the worker's own requests
 * instead of the network.
 */

export class Edge {
  #folder = mkdtempSync(join(tmpdir(), 'endcap-edge-'));
  #options;
  #secrets = secrets();
  #port = 0;
  /** The runtime's process. @type {number | undefined} */
  #process;
  /** @type {Miniflare | undefined} */
  #runtime;

  /** The latest lines that the runtime said: the worker's log. @type {string[]} */
  log = [];

  /** @param {EdgeOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** @param {EdgeOptions} [options] */
  static async start(options = {}) {
    if (!existsSync(WORKER)) throw new Error(`${WORKER} is missing: run \`cargo xtask build\` first`);
    const edge = new Edge(options);
    edge.#port = await freePort();
    await edge.#start();
    return edge;
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The secret key of the server API. */
  get apiKey() {
    return this.#secrets.ENDCAP_API_KEY;
  }

  /** The server API, with the secret key. */
  get api() {
    return new Api(this.origin, this.apiKey);
  }

  /** Public key that push services are told, base64url. */
  get pushKey() {
    return this.#secrets.ENDCAP_VAPID_PUBLIC_KEY;
  }

  /** The key that signs cookies and tokens, as the configuration takes it. */
  get signingKey() {
    return this.#secrets.ENDCAP_SIGNING_KEYS;
  }

  /** The name by which a page knows a profile. @param {string} profileId @param {string} [keys] As the configuration takes them. */
  opaque(profileId, keys = this.signingKey) {
    return mac('profile', profileId, keys).mac;
  }

  /** A text as an edge signs it. @param {string} purpose @param {string} payload @param {string} [keys] */
  signed(purpose, payload, keys = this.signingKey) {
    const { kid, mac: code } = mac(purpose, payload, keys);
    return `1.${kid}.${Buffer.from(payload).toString('base64url')}.${code}`;
  }

  /** The secret write key of the shop's server, for {@link SOURCE}. */
  get serverKey() {
    return Object.keys(JSON.parse(this.#secrets.ENDCAP_SERVER_KEYS))[0];
  }

  /**
   * The proof that a shop's server makes for a logged-in person.
   *
   * @param {string} userId
   */
  proof(userId) {
    return createHmac('sha256', this.#secrets.ENDCAP_IDENTITY_SECRET).update(userId).digest('hex');
  }

  /**
   * @param {string} path
   * @param {RequestInit} [init]
   */
  fetch(path, init) {
    return request(this.origin + path, init);
  }

  /**
   * A call of the shop's server, with its secret key.
   *
   * @param {string} path Below `/v1/`.
   * @param {object} call
   */
  serverCall(path, call) {
    const headers = { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${this.serverKey}:`)}` };
    return this.fetch(`/v1/${path}`, { method: 'POST', headers, body: JSON.stringify({ messageId: uuid(), ...call }) });
  }

  /**
   * Runs the timers that are due at a time, as if it were now.
   *
   * @param {number} now Unix time in milliseconds.
   * @returns {Promise<{ran: number}>}
   */
  async passTime(now) {
    const headers = { 'Content-Type': 'application/json' };
    const response = await this.fetch('/ec/dev/timers', { method: 'POST', headers, body: JSON.stringify({ now }) });
    if (!response.ok) throw new Error(`timers: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /**
   * Stops the runtime and starts it again on the same data, as a deployment does.
   *
   * @param {Record<string, string>} [variables] What the deployment changes.
   * @param {string} [worker] The folder of another version's worker, which is deployed.
   */
  async restart(variables = {}, worker = this.#options.worker) {
    await this.#runtime?.dispose();
    this.#options = { ...this.#options, variables: { ...this.#options.variables, ...variables }, worker };
    await this.#start();
  }

  /**
   * Kills the runtime's processes as they are, without a word, and starts it again on what they left on disk.
   */
  async crash() {
    if (this.#process) process.kill(this.#process, 'SIGKILL');
    await this.#runtime?.dispose().catch(() => {});
    await this.#start();
  }

  /** Stops the runtime and forgets its data. */
  async stop() {
    await this.#runtime?.dispose();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start() {
    const { shop, pages, place } = this.#options;
    const workers = shop || pages ? [...storefront(pages), this.#worker()] : [this.#worker()];
    this.#runtime = new Miniflare({
      host: '127.0.0.1',
      port: this.#port,
      cf: place ?? false,
      defaultPersistRoot: this.#folder,
      handleRuntimeStdio: (/** @type {Readable[]} */ ...streams) => streams.forEach((stream) => this.#listen(stream)),
      workers,
    });
    const before = new Set(workerds());
    try {
      await this.#runtime.ready;
    } catch (error) {
      // Else what it left open would keep the suite's process alive.
      await this.#runtime.dispose().catch(() => {});
      throw error;
    }
    this.#process = workerds().find((pid) => !before.has(pid));
  }

  /**
   * Keeps what the runtime says, and shows it only to who asks for it.
   *
   * @param {Readable} stream
   */
  #listen(stream) {
    if (process.env.ENDCAP_TEST_VERBOSE) stream.pipe(process.stderr);
    createInterface({ input: stream }).on('line', (line) => {
      this.log.push(line);
      if (this.log.length > LOG_LINES) this.log.shift();
    });
  }

  #worker() {
    const { workerOptions } = optionsOf(`${ROOT}edge/wrangler.toml`);
    const { shop, pages, variables, outbound, worker = BUILT } = this.#options;
    return {
      ...workerOptions,
      name: 'endcap',
      assets: { ...workerOptions.assets, workerName: 'endcap' },
      ...((shop || pages) && { routes: ROUTES }),
      modulesRoot: worker,
      modules: modules(worker),
      bindings: {
        ...workerOptions.bindings,
        ...this.#secrets,
        ENDCAP_DEV: '1',
        ENDCAP_PUSH_LOOPBACK: '1',
        // What was configured or learned shows in the next reply.
        ENDCAP_SNAPSHOT_TTL_MS: '0',
        ENDCAP_LEARN_INTERVAL_MS: '100',
        // People live in different objects, so that what goes from one to another is tested too.
        ENDCAP_SHARDS: '16',
        ENDCAP_GRAPH_PARTITIONS: process.env.ENDCAP_TEST_GRAPH_PARTITIONS ?? '1',
        ...(process.env.ENDCAP_TEST_APART_BYTES && { ENDCAP_APART_BYTES: process.env.ENDCAP_TEST_APART_BYTES }),
        ENDCAP_SOURCES: JSON.stringify({ [SOURCE]: [SHOP_ORIGIN, this.origin] }),
        ...variables,
      },
      ...(outbound && { outboundService: async (/** @type {any} */ request) => respond(await outbound(request)) }),
    };
  }
}

/**
 * What the edge signs for a purpose with the newest of its keys.
 *
 * @param {string} purpose
 * @param {string} payload
 * @param {string} keys As the configuration takes them.
 */
function mac(purpose, payload, keys) {
  const [kid, key] = keys.split(',')[0].split(':');
  const code = createHmac('sha256', Buffer.from(key, 'base64url')).update(`endcap ${purpose}\0${kid}\0${payload}\0`).digest();
  return { kid, mac: code.subarray(0, 16).toString('base64url') };
}

/** The modules of a worker's folder, the entry first. @param {string} folder */
function modules(folder) {
  const files = readdirSync(folder, { encoding: 'utf8', recursive: true }).filter((file) => /\.(js|wasm)$/.test(file));
  files.sort((one, other) => Number(other === 'worker.js') - Number(one === 'worker.js'));
  /** @param {string} file @returns {'ESModule' | 'CompiledWasm'} */
  const type = (file) => (file.endsWith('.js') ? 'ESModule' : 'CompiledWasm');
  return files.map((file) => ({ type: type(file), path: join(folder, file) }));
}

/** Runtimes that this process started. */
function workerds() {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean);
  return children.filter((pid) => existsSync(`/proc/${pid}/comm`) && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('workerd'));
}

/** @param {{status: number, reason: string}} answer */
const respond = ({ status, reason }) => new Response(reason, { status });

/** Fresh secrets, in the form that the worker's configuration takes. */
function secrets() {
  const pair = createECDH('prime256v1');
  const point = pair.generateKeys('base64url', 'uncompressed');
  const scalar = Buffer.concat([Buffer.alloc(32), pair.getPrivateKey()]).subarray(-32);
  return {
    ENDCAP_API_KEY: randomBytes(24).toString('base64url'),
    ENDCAP_SIGNING_KEYS: `k1:${randomBytes(32).toString('base64url')}`,
    ENDCAP_IDENTITY_SECRET: randomBytes(32).toString('base64url'),
    ENDCAP_IDENTITY_PEPPER: 'none',
    ENDCAP_SERVER_KEYS: JSON.stringify({ [randomBytes(24).toString('base64url')]: SOURCE }),
    ENDCAP_WEBHOOK_SECRETS: JSON.stringify(WEBHOOK_SECRETS),
    ENDCAP_VAPID_PUBLIC_KEY: point,
    ENDCAP_VAPID_PRIVATE_KEY: scalar.toString('base64url'),
    ENDCAP_VAPID_SUBJECT: 'mailto:ops@shop.example',
  };
}
