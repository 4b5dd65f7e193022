/**
 * The receiving end of web push without a browser: holds a subscription's keys and decrypts with an independent library.
 */
import { createECDH, randomBytes } from 'node:crypto';
import ece from 'http_ece';

/**
 * @typedef {{endpoint: string, keys: {p256dh: string, auth: string}}} PushSubscription
 */

export class Receiver {
  #keys = createECDH('prime256v1');
  #secret = randomBytes(16);
  #service;
  #id;

  /** @type {PushSubscription} What a page would send to the edge. */
  subscription;

  /**
   * @param {import('./pushService.mjs').PushService} service
   * @param {string} applicationServerKey Key that messages must be signed with, base64url.
   */
  constructor(service, applicationServerKey) {
    const { id, endpoint } = service.subscribe(applicationServerKey);
    const p256dh = this.#keys.generateKeys('base64url', 'uncompressed');
    this.#service = service;
    this.#id = id;
    this.subscription = { endpoint, keys: { p256dh, auth: this.#secret.toString('base64url') } };
  }

  /** ID of the subscription at the service. */
  get id() {
    return this.#id;
  }

  /** Messages for this receiver, decrypted and parsed. */
  get messages() {
    return this.#service.messages
      .filter((message) => message.subscription === this.#id)
      .map((message) => ({ ...message, payload: JSON.parse(this.#decrypt(message.body).toString()) }));
  }

  /** @param {Buffer} body */
  #decrypt(body) {
    return ece.decrypt(body, { version: 'aes128gcm', privateKey: this.#keys, authSecret: this.#secret });
  }
}
