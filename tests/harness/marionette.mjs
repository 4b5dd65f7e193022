/**
 * The wire protocol of Firefox's own driver: frames of `length:json` over TCP.
 *
 * Marionette is used instead of WebDriver because it also reaches the browser's chrome, where the alert windows of
 * notifications are.
 */
import { connect } from 'node:net';
import { until } from './until.mjs';

const START_MS = 40_000;

export class Marionette {
  #socket;
  #rest = Buffer.alloc(0);
  #next = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  /** @type {(greeting: unknown) => void} */
  #greet = () => {};

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#receive(data));
    socket.on('error', () => {});
    socket.on('close', () => this.#fail(new Error('Firefox closed its driver connection')));
  }

  /** @param {number} port */
  static async connect(port) {
    const socket = await until(() => open(port), { what: 'Firefox listens for its driver', within: START_MS });
    const marionette = new Marionette(socket);
    await new Promise((resolve) => (marionette.#greet = resolve));
    return marionette;
  }

  /**
   * Runs one command.
   *
   * @param {string} name Such as `WebDriver:Navigate`.
   * @param {object} [parameters]
   * @returns {Promise<any>}
   */
  send(name, parameters = {}) {
    const id = ++this.#next;
    const text = JSON.stringify([0, id, name, parameters]);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    });
  }

  close() {
    this.#socket.destroy();
  }

  /** @param {Buffer} data */
  #receive(data) {
    this.#rest = Buffer.concat([this.#rest, data]);
    for (;;) {
      const colon = this.#rest.indexOf(':');
      if (colon < 0) return;
      const end = colon + 1 + Number(this.#rest.subarray(0, colon));
      if (this.#rest.length < end) return;
      const message = JSON.parse(this.#rest.subarray(colon + 1, end).toString());
      this.#rest = this.#rest.subarray(end);
      if (Array.isArray(message)) this.#settle(message);
      else this.#greet(message);
    }
  }

  /** @param {any[]} reply */
  #settle([, id, error, value]) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(`${error.error}: ${error.message}`));
    else waiting?.resolve(value);
  }

  /** @param {Error} error */
  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/**
 * @param {number} port
 * @returns {Promise<import('node:net').Socket>}
 */
function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  });
}
