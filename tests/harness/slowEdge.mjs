/**
 * The way between a shop's visitors and the edge, as it is on a bad day: every request takes a while, and batches of
 * events may be refused, cut off before the edge saw them, or applied by the edge and never answered.
 *
 * It keeps book of every batch: which calls came, how often, and what the edge said of each. Each host name under
 * `.localhost` is a shop of its own, with cookies and storage of its own.
 */
import { Agent, createServer, request as send } from 'node:http';

/** The event route, below whatever prefix. */
const EVENTS = /\/e(?:\?|$)/;

/**
 * What happens to batches: `pass`; `cut` (the edge never sees them); `mute` (the edge applies them, nobody hears its
 * answer); `hold` (they stay under way until {@link SlowEdge.release}); or an answer that is given in the edge's place.
 *
 * @typedef {'pass' | 'cut' | 'mute' | 'hold' | {status: number, headers?: Record<string, string>, body?: string}} Weather
 *
 * @typedef {object} Batch One request with events.
 * @property {string} host
 * @property {number} at When it came, Unix milliseconds.
 * @property {string} visitor The anonymous ID.
 * @property {string} cookie The cookies that came with it.
 * @property {{id: string, call?: string}[]} events Message IDs, and the property `call` where there is one.
 * @property {number} [status] What was answered, if anything was.
 * @property {string[]} accepted Message IDs that the edge applied.
 */

export class SlowEdge {
  #server;
  #delay;
  #agent = new Agent({ keepAlive: true });
  /** @type {URL | undefined} */
  #target;
  /** Lets a batch go on that is held. @type {(() => void)[]} */
  #held = [];
  /** @type {Batch[]} */
  batches = [];
  /** The cookies of requests about push subscriptions. @type {string[]} */
  pushCookies = [];
  /** How many of the next requests about push subscriptions the edge never sees. */
  cutPushes = 0;
  /** @type {Weather} */
  weather = 'pass';

  /**
   * @param {import('node:http').Server} server
   * @param {number} delay
   */
  constructor(server, delay) {
    this.#server = server;
    this.#delay = delay;
  }

  /** @param {number} delay How long each request is under way before the edge has it, in milliseconds. */
  static async start(delay) {
    const server = createServer((request, response) => void slow.#take(request, response));
    const slow = new SlowEdge(server, delay);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    return slow;
  }

  /** @param {string} origin Where requests go on to. */
  leadTo(origin) {
    this.#target = new URL(origin);
  }

  /** @param {string} name The origin of a shop. */
  origin(name) {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `http://${name}.localhost:${port}`;
  }

  /** Batches of one shop. @param {string} name */
  of(name) {
    return this.batches.filter(({ host }) => host.startsWith(`${name}.`));
  }

  /** How many batches are held. */
  get held() {
    return this.#held.length;
  }

  /** Lets the batches go on that are held. */
  release() {
    for (const go of this.#held.splice(0)) go();
  }

  /** Ends every connection, as the network does when it goes away. */
  hangUp() {
    this.#server.closeAllConnections();
  }

  async close() {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #take(request, response) {
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // The browser gave up while it sent.
    }
    const body = Buffer.concat(chunks);
    const batch = request.method === 'POST' && EVENTS.test(request.url ?? '') ? this.#note(request, body) : undefined;
    const isPush = /\/push$/.test(request.url ?? '');
    if (isPush) this.pushCookies.push(request.headers.cookie ?? '');
    await new Promise((resolve) => setTimeout(resolve, this.#delay));
    const hold = batch && this.weather === 'hold';
    if (hold) await new Promise((resolve) => this.#held.push(() => resolve(undefined)));
    // Whoever went meanwhile took the request along: harsher than a network, which delivers what has left. What was held left.
    if (response.destroyed && !hold) return;
    let weather = batch ? this.weather : 'pass';
    if (isPush && this.cutPushes > 0) {
      this.cutPushes -= 1;
      weather = 'cut';
    }
    if (weather === 'cut') response.destroy();
    else if (typeof weather === 'object') answer(response, weather, batch);
    else this.#forward(request, body, response, batch, weather === 'mute');
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {Buffer} body
   */
  #note(request, body) {
    const { anonymous_id: visitor, events = [], raw = [] } = JSON.parse(body.toString());
    const all = [
      ...events.map((/** @type {any} */ one) => ({ id: one.message_id, call: one.properties?.call })),
      ...raw.map((/** @type {any} */ one) => ({ id: one.message_id, call: one.call[2]?.call })),
    ];
    const { host = '', cookie = '' } = request.headers;
    const batch = { host, at: Date.now(), visitor, cookie, events: all, accepted: [] };
    this.batches.push(batch);
    return batch;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {Buffer} body
   * @param {import('node:http').ServerResponse} response
   * @param {Batch | undefined} batch
   * @param {boolean} mute
   */
  #forward({ method, url, headers }, body, response, batch, mute) {
    // Answers are read here, so they come as they are.
    const { 'accept-encoding': _, ...rest } = headers;
    const options = { method, path: url, headers: batch ? rest : headers, agent: this.#agent, host: this.#target?.hostname, port: this.#target?.port };
    const onward = send(options, async (reply) => {
      const chunks = [];
      for await (const chunk of reply) chunks.push(chunk);
      const text = Buffer.concat(chunks);
      if (batch) {
        batch.status = reply.statusCode;
        if (reply.statusCode === 200) batch.accepted = JSON.parse(text.toString()).accepted;
      }
      if (mute) response.destroy();
      else response.writeHead(reply.statusCode ?? 502, reply.headers).end(text);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {{status: number, headers?: Record<string, string>, body?: string}} weather
 * @param {Batch | undefined} batch
 */
function answer(response, { status, headers, body }, batch) {
  if (batch) batch.status = status;
  response.writeHead(status, headers).end(body);
}
