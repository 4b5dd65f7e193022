/**
 * A web push service for the tests: Mozilla's WebSocket protocol towards Firefox, RFC 8030 towards the sender.
 *
 * It refuses whatever the real services refuse, so that a message that passes here is one that they would take, and it
 * can be told to fail in the ways that they fail.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { checkVapid, claimsOf } from './vapid.mjs';

const HOST = '127.0.0.1';
const MAX_BODY = 4096;

/**
 * @typedef {object} Subscription
 * @property {string} id
 * @property {string} endpoint
 * @property {string} [userAgent] Which browser owns it; none when a test holds the keys itself.
 * @property {string} [channel] The browser's name for it.
 * @property {string} [applicationServerKey] Key that senders must sign with, base64url.
 * @property {boolean} gone
 * @property {{topic?: string, frame: object, until: number}[]} waiting Messages for a browser that is not connected.
 *
 * @typedef {object} Message One message that was accepted.
 * @property {string} subscription ID of the subscription.
 * @property {number} ttl Seconds.
 * @property {string | undefined} topic
 * @property {string | undefined} urgency
 * @property {import('./vapid.mjs').Claims | undefined} claims
 * @property {Buffer} body Still encrypted.
 *
 * @typedef {{status: number, times: number, headers?: Record<string, string>}} Fault
 */

export class PushService {
  /** @type {Map<string, Subscription>} */
  #subscriptions = new Map();
  /** @type {Map<string, import('ws').WebSocket>} */
  #browsers = new Map();
  /** @type {Map<string, Fault>} */
  #faults = new Map();
  #server = createServer((request, response) => this.#receive(request, response));
  #sockets = new WebSocketServer({
    server: this.#server,
    handleProtocols: (offered) => (offered.has('push-notification') ? 'push-notification' : false),
  });

  /** @type {Message[]} Messages accepted, in order. */
  messages = [];
  /** @type {{subscription: string, status: number, reason: string}[]} Requests refused, in order. */
  refusals = [];
  /** @type {unknown[]} What browsers said about messages they received. */
  acknowledgements = [];
  /** Requests of every kind, counted, so that a test can say that none was made. */
  requests = 0;

  /** Starts a service on a free port. */
  static async start() {
    const service = new PushService();
    service.#sockets.on('connection', (socket) => service.#connect(socket));
    await new Promise((resolve) => service.#server.listen(0, HOST, () => resolve(undefined)));
    return service;
  }

  get origin() {
    const address = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `http://${HOST}:${address.port}`;
  }

  /** Where Firefox connects: its preference `dom.push.serverURL`. */
  get webSocketUrl() {
    return `${this.origin.replace('http', 'ws')}/`;
  }

  /** @returns {Subscription[]} */
  get subscriptions() {
    return [...this.#subscriptions.values()];
  }

  /**
   * Makes a subscription that no browser owns.
   *
   * @param {string} [applicationServerKey]
   */
  subscribe(applicationServerKey) {
    return this.#add({ applicationServerKey });
  }

  /**
   * Answers the next messages to a subscription with an error.
   *
   * @param {string} subscription
   * @param {Fault} fault
   */
  fail(subscription, fault) {
    this.#faults.set(subscription, { ...fault });
  }

  /** @param {string} subscription Ends it: messages to it are answered with 410 from now on. */
  end(subscription) {
    const found = this.#subscriptions.get(subscription);
    if (!found) throw new Error(`no subscription ${subscription}`);
    found.gone = true;
  }

  async close() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @param {Partial<Subscription>} fields */
  #add(fields) {
    const id = randomBytes(24).toString('base64url');
    const made = { id, endpoint: `${this.origin}/wpush/v2/${id}`, gone: false, waiting: [], ...fields };
    this.#subscriptions.set(id, made);
    return made;
  }

  /**
   * One request of a sender.
   *
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #receive(request, response) {
    this.requests += 1;
    const parts = [];
    for await (const part of request) parts.push(part);
    const subscription = this.#subscriptions.get(request.url?.split('/').pop() ?? '');
    const body = Buffer.concat(parts);
    const refusal = this.#judge(request, body, subscription);
    if (refusal) {
      this.refusals.push({ subscription: subscription?.id ?? '', status: refusal.status, reason: refusal.reason });
      response.writeHead(refusal.status, refusal.headers).end(refusal.reason);
      return;
    }
    const version = this.#accept(/** @type {Subscription} */ (subscription), request.headers, body);
    response.writeHead(201, { Location: `${this.origin}/m/${version}`, TTL: String(request.headers.ttl) }).end();
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {Buffer} body
   * @param {Subscription | undefined} subscription
   * @returns {{status: number, reason: string, headers?: Record<string, string>} | null}
   */
  #judge(request, body, subscription) {
    if (request.method !== 'POST') return { status: 405, reason: 'only POST' };
    if (!subscription) return { status: 404, reason: 'unknown subscription' };
    if (subscription.gone) return { status: 410, reason: 'the subscription ended' };
    const fault = this.#faults.get(subscription.id);
    if (fault && fault.times > 0) {
      fault.times -= 1;
      return { status: fault.status, reason: 'as the test wished', headers: fault.headers };
    }
    const { applicationServerKey } = subscription;
    const { authorization } = request.headers;
    return (
      judgeHeaders(request.headers, body) ?? checkVapid({ authorization, applicationServerKey, origin: this.origin })
    );
  }

  /**
   * @param {Subscription} subscription
   * @param {import('node:http').IncomingHttpHeaders} headers
   * @param {Buffer} body
   */
  #accept(subscription, headers, body) {
    const ttl = Number(headers.ttl);
    const [topic, urgency] = [headers.topic, headers.urgency].map((value) => value?.toString());
    const claims = headers.authorization ? claimsOf(headers.authorization) : undefined;
    this.messages.push({ subscription: subscription.id, ttl, topic, urgency, claims, body });
    const version = randomUUID();
    const data = body.length ? { data: body.toString('base64url'), headers: { encoding: 'aes128gcm' } } : {};
    const frame = { messageType: 'notification', channelID: subscription.channel, version, ...data };
    // RFC 8030 §5.4: a message replaces a waiting one of the same topic.
    if (topic) subscription.waiting = subscription.waiting.filter((waiting) => waiting.topic !== topic);
    if (!this.#deliver(subscription, frame) && ttl > 0) {
      subscription.waiting.push({ topic, frame, until: Date.now() + ttl * 1000 });
    }
    return version;
  }

  /**
   * @param {Subscription} subscription
   * @param {object} frame
   */
  #deliver(subscription, frame) {
    const socket = this.#browsers.get(subscription.userAgent ?? '');
    if (socket?.readyState !== 1) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  /** @param {import('ws').WebSocket} socket A browser that connected. */
  #connect(socket) {
    let userAgent = '';
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString());
      switch (message.messageType) {
        case 'hello':
          userAgent = this.#hello(socket, message.uaid);
          break;
        case 'register':
          this.#register(socket, userAgent, message);
          break;
        case 'unregister':
          this.#unregister(socket, message.channelID);
          break;
        case 'ack':
        case 'nack':
          this.acknowledgements.push(...(message.updates ?? [message]));
          break;
        default: // A ping: an empty object, with or without its type.
          socket.send('{}');
      }
    });
  }

  /**
   * @param {import('ws').WebSocket} socket
   * @param {string | undefined} known The identifier that the browser got earlier.
   */
  #hello(socket, known) {
    const userAgent = known && this.#browsers.has(known) ? known : randomBytes(16).toString('hex');
    this.#browsers.set(userAgent, socket);
    const hello = { messageType: 'hello', uaid: userAgent, status: 200, use_webpush: true, broadcasts: {} };
    socket.send(JSON.stringify(hello));
    for (const subscription of this.subscriptions.filter((one) => one.userAgent === userAgent)) {
      for (const { frame, until } of subscription.waiting.splice(0)) {
        if (until > Date.now()) this.#deliver(subscription, frame);
      }
    }
    return userAgent;
  }

  /**
   * @param {import('ws').WebSocket} socket
   * @param {string} userAgent
   * @param {{channelID: string, key?: string}} message
   */
  #register(socket, userAgent, { channelID, key }) {
    const { endpoint } = this.#add({ userAgent, channel: channelID, applicationServerKey: key });
    const answer = { messageType: 'register', channelID, status: 200, pushEndpoint: endpoint };
    socket.send(JSON.stringify(answer));
  }

  /**
   * @param {import('ws').WebSocket} socket
   * @param {string} channelID
   */
  #unregister(socket, channelID) {
    for (const subscription of this.subscriptions) {
      if (subscription.channel === channelID) subscription.gone = true;
    }
    socket.send(JSON.stringify({ messageType: 'unregister', channelID, status: 200 }));
  }
}

/**
 * Judges all headers but the signature (RFC 8030 §5, RFC 8291 §4).
 *
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {Buffer} body
 */
export function judgeHeaders(headers, body) {
  const { ttl, topic, urgency } = headers;
  if (typeof ttl !== 'string' || !/^\d+$/.test(ttl)) return { status: 400, reason: 'TTL is missing or no number' };
  // Apple takes no topic whose length is 1 modulo 4; a topic that it refuses is refused here too.
  if (topic !== undefined && (!/^[A-Za-z0-9_-]{1,32}$/.test(String(topic)) || String(topic).length % 4 === 1)) {
    return { status: 400, reason: 'Topic is not 1 to 32 characters of base64url' };
  }
  if (urgency !== undefined && !/^(very-low|low|normal|high)$/.test(String(urgency))) {
    return { status: 400, reason: 'Urgency is unknown' };
  }
  if (body.length > MAX_BODY) return { status: 413, reason: `more than ${MAX_BODY} bytes` };
  if (body.length && headers['content-encoding'] !== 'aes128gcm') {
    return { status: 400, reason: 'Content-Encoding is not aes128gcm' };
  }
  return null;
}
