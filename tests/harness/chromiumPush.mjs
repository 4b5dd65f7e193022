/**
 * The push service that Chromium expects: check-in and registration over HTTP, delivery over a TLS connection (MCS),
 * and the RFC 8030 endpoint that a sender posts to.
 *
 * Endpoints are on Google's hosts, as in the world; give the edge {@link ChromiumPush.receive} as its way
 * out, and its messages come here instead.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { bytes, fieldsOf, fixed64, integer, readVarint, varint } from './protobuf.mjs';
import { judgeHeaders } from './pushService.mjs';
import { checkVapid } from './vapid.mjs';

/** Where Chromium's subscriptions say that they are; it takes the one or the other. */
const ENDPOINT_ORIGINS = ['https://fcm.googleapis.com', 'https://jmt17.google.com'];
const HOST = '127.0.0.1';
const MCS_VERSION = 41;
const TAG = { ping: 0, pong: 1, login: 2, loggedIn: 3, message: 8 };

/** @typedef {{app: string, subtype: string, sender: string}} Registration */

export class ChromiumPush {
  /** @type {Map<string, Registration>} By token, the last part of an endpoint. */
  #registrations = new Map();
  /** @type {import('node:tls').TLSSocket | undefined} The browser's connection, once it is logged in. */
  #socket;
  /** @type {Map<string, Buffer>} Frames that the browser has not confirmed, by their ID. */
  #waiting = new Map();
  #web = createServer((request, response) => this.#register(request, response));
  #certificate = certificate();
  #mcs = createTlsServer(this.#certificate, (socket) => this.#connect(socket));

  /** @type {{token: string, ttl: number, topic: string | null}[]} Messages accepted, in order. */
  messages = [];
  /** @type {{status: number, reason: string}[]} Messages refused, in order. */
  refusals = [];
  /** @type {string[]} What the browser asked for and was sent, in order: what to read when a message is not shown. */
  events = [];

  static async start() {
    const service = new ChromiumPush();
    await Promise.all([service.#web, service.#mcs].map((server) => new Promise((done) => server.listen(0, HOST, () => done(undefined)))));
    return service;
  }

  /** The flags with which Chromium uses this service. */
  get flags() {
    const [web, mcs] = [this.#web, this.#mcs].map(
      (server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    );
    return [
      `--gcm-checkin-url=http://${HOST}:${web}/checkin`,
      `--gcm-registration-url=http://${HOST}:${web}/register3`,
      `--gcm-mcs-endpoint=https://${HOST}:${mcs}`,
      `--ignore-certificate-errors-spki-list=${this.#certificate.hash}`,
    ];
  }

  /**
   * Takes a sender's request.
   *
   * @param {{url: string, method: string, headers: {get(name: string): string | null}, arrayBuffer(): Promise<ArrayBuffer>}} request
   * @returns {Promise<{status: number, reason: string}>}
   */
  async receive(request) {
    const body = Buffer.from(await request.arrayBuffer());
    const answer = this.#judge(request, body);
    if (answer.status === 201) this.#deliver(new URL(request.url).pathname.split('/').pop() ?? '', request, body);
    else this.refusals.push(answer);
    return answer;
  }

  async close() {
    this.#socket?.destroy();
    this.#web.closeAllConnections();
    await Promise.all([this.#web, this.#mcs].map((server) => new Promise((done) => server.close(done))));
  }

  /**
   * @param {{url: string, method: string, headers: {get(name: string): string | null}}} request
   * @param {Buffer} body
   */
  #judge({ url, method, headers }, body) {
    const { origin, pathname } = new URL(url);
    const registration = this.#registrations.get(pathname.split('/').pop() ?? '');
    if (!ENDPOINT_ORIGINS.includes(origin) || method !== 'POST') return { status: 405, reason: `${method} ${url}` };
    if (!registration) return { status: 410, reason: 'no such registration' };
    const names = ['ttl', 'topic', 'urgency', 'content-encoding'];
    const plain = Object.fromEntries(names.map((name) => [name, headers.get(name) ?? undefined]));
    const authorization = headers.get('authorization') ?? undefined;
    const vapid = { authorization, origin, applicationServerKey: registration.sender };
    return judgeHeaders(plain, body) ?? checkVapid(vapid) ?? { status: 201, reason: 'accepted' };
  }

  /**
   * @param {string} token
   * @param {{headers: {get(name: string): string | null}}} request
   * @param {Buffer} body
   */
  #deliver(token, { headers }, body) {
    const { app, subtype, sender } = /** @type {Registration} */ (this.#registrations.get(token));
    const ttl = Number(headers.get('ttl'));
    this.messages.push({ token, ttl, topic: headers.get('topic') });
    const data = Object.entries({ subtype, 'content-encoding': 'aes128gcm' });
    const id = randomUUID();
    const stanza = Buffer.concat([
      bytes(2, randomUUID()),
      bytes(3, sender),
      bytes(5, app),
      bytes(6, token),
      ...data.map(([key, value]) => bytes(7, Buffer.concat([bytes(1, key), bytes(2, value)]))),
      integer(8, 1),
      bytes(9, id),
      integer(10, 2),
      integer(17, ttl),
      integer(18, Date.now()),
      bytes(21, body),
    ]);
    this.#waiting.set(id, frame(TAG.message, stanza));
    this.events.push(`a message is ${this.#socket && !this.#socket.destroyed ? 'sent' : 'kept until the next login'}`);
    this.#socket?.write(frame(TAG.message, stanza));
  }

  /**
   * Check-in and registration.
   *
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #register(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    this.events.push(`${request.url} ${new URLSearchParams(Buffer.concat(parts).toString('latin1')).get('X-subtype') ?? ''}`);
    if (request.url === '/checkin') {
      response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end(checkIn());
      return;
    }
    const form = new URLSearchParams(Buffer.concat(parts).toString());
    const [app, subtype, sender] = ['app', 'X-subtype', 'sender'].map((name) => form.get(name) ?? '');
    if (form.get('delete')) {
      for (const [token, held] of this.#registrations) if (held.subtype === subtype) this.#registrations.delete(token);
      response.end(`token=${subtype}`);
      return;
    }
    const token = `${randomBytes(12).toString('base64url')}:APA91b${randomBytes(40).toString('base64url')}`;
    this.#registrations.set(token, { app, subtype, sender });
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end(`token=${token}`);
  }

  /** @param {import('node:tls').TLSSocket} socket The browser's connection for messages. */
  #connect(socket) {
    let rest = Buffer.alloc(0);
    let greeted = false;
    socket.on('error', () => {});
    socket.on('close', () => this.events.push('a connection is closed'));
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      // The first byte of a connection is the protocol's version.
      for (let read; (read = nextFrame(rest, greeted ? 0 : 1)); rest = rest.subarray(read.end)) {
        if (read.tag === TAG.ping) socket.write(frame(TAG.pong, Buffer.alloc(0)));
        if (read.tag !== TAG.login) continue;
        const login = Buffer.concat([bytes(1, 'login'), integer(5, 1), integer(6, 1), integer(8, Date.now())]);
        const version = Buffer.from(greeted ? [] : [MCS_VERSION]);
        socket.write(Buffer.concat([version, frame(TAG.loggedIn, login)]));
        greeted = true;
        this.#socket = socket;
        // A browser that connects again names what it received (field 10); the rest is sent once more.
        for (const [field, id] of read.fields) if (field === 10) this.#waiting.delete(id.toString());
        this.events.push(`a login; sent again: ${this.#waiting.size}`);
        for (const waiting of this.#waiting.values()) socket.write(waiting);
      }
    });
  }
}

/** The answer to a device that checks in. */
function checkIn() {
  const [device, token] = [4444333322221111n, 123456789n];
  const known = [integer(1, 1), integer(3, Date.now()), bytes(4, 'digest'), integer(6, 1)];
  return Buffer.concat([...known, fixed64(7, device), fixed64(8, token), integer(9, 0), bytes(11, 'v1')]);
}

/**
 * @param {number} tag
 * @param {Buffer} message
 */
function frame(tag, message) {
  return Buffer.concat([Buffer.from([tag]), varint(message.length), message]);
}

/**
 * The next whole frame; null while it has not arrived.
 *
 * @param {Buffer} buffer
 * @param {number} start
 */
function nextFrame(buffer, start) {
  const length = readVarint(buffer, start + 1);
  const end = length ? length.end + Number(length.value) : Infinity;
  if (!length || buffer.length < end) return null;
  return { tag: buffer[start], fields: fieldsOf(buffer.subarray(length.end, end)), end };
}

/** A self-signed certificate, and the hash by which Chromium is told to trust it. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'endcap-mcs-'));
  const [key, cert] = ['key', 'crt'].map((name) => join(folder, name));
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const subject = ['-subj', `/CN=${HOST}`, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const made = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  const spki = new X509Certificate(made.cert).publicKey.export({ type: 'spki', format: 'der' });
  return { ...made, hash: createHash('sha256').update(spki).digest('base64') };
}
