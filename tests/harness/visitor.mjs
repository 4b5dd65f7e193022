/**
 * A visitor without a browser: builds batches as the SDK does, keeps cookies, reads replies.
 */
import { answerOf } from './api.mjs';
import { SHOP_ORIGIN, SOURCE } from './edge.mjs';
import { bucketOf, uuid, uuidv7 } from './ids.mjs';

/** What browsers say of a page's own request. */
const FETCHED = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' };
const GRANTED = { analytics: true, personalization: true, marketing: true };

/**
 * @typedef {Record<string, any>} Json
 * @typedef {{price?: number, quantity?: number, category?: string}} LineFields
 */

export class Visitor {
  #edge;
  /** @type {Map<string, string>} */
  cookies = new Map();
  deviceId = uuid();
  anonymousId = uuid();
  sessionId = uuid();
  consent = GRANTED;
  /** Path below which the edge has its browser routes. */
  prefix = '/ec';

  /** @param {{fetch(path: string, init?: RequestInit): Promise<Response>}} edge */
  constructor(edge) {
    this.#edge = edge;
  }

  /**
   * An event, not sent yet.
   *
   * @param {string} type
   * @param {Json} [fields]
   */
  event(type, fields = {}) {
    const timestamp = fields.timestamp ?? Date.now();
    const context = { page: { url: `${SHOP_ORIGIN}/`, path: '/', title: 'Shop' }, locale: 'en', zone: 'Europe/Berlin' };
    return { message_id: uuidv7(timestamp), type, session_id: this.sessionId, timestamp, context, ...fields };
  }

  /**
   * @param {string} name
   * @param {Json} [properties]
   * @param {Json} [fields]
   */
  track(name, properties = {}, fields = {}) {
    return this.event('track', { name, properties, ...fields });
  }

  /** @param {string} url A page view. */
  page(url) {
    const { pathname: path, search } = new URL(url);
    return this.event('page', { name: path, context: { page: { url, path, search, title: path } } });
  }

  /**
   * @param {'Viewed' | 'Added' | 'Removed'} what
   * @param {string} product
   * @param {LineFields} [line]
   * @param {Json} [fields]
   */
  product(what, product, line = {}, fields = {}) {
    return this.track(`Product ${what}`, { product_id: product, currency: 'EUR', price: 10, ...line }, fields);
  }

  /**
   * @param {string} orderId
   * @param {Json[]} products
   * @param {Json} [fields]
   */
  order(orderId, products, fields = {}) {
    const lines = products.map((line) => ({ price: 10, quantity: 1, ...line }));
    const revenue = lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
    return this.track('Order Completed', { order_id: orderId, currency: 'EUR', revenue, products: lines }, fields);
  }

  /**
   * @param {string} userId
   * @param {Json} [traits]
   * @param {string} [proof]
   */
  identify(userId, traits = {}, proof) {
    return this.event('identify', { user_id: userId, traits, proof });
  }

  /**
   * The batch that carries events, as an object.
   *
   * @param {unknown[]} events
   * @param {Json} [fields]
   */
  batch(events, fields = {}) {
    return {
      source: SOURCE,
      sent_at: Date.now(),
      anonymous_id: this.anonymousId,
      device_id: this.deviceId,
      consent: this.consent,
      events,
      ...fields,
    };
  }

  /**
   * Sends events and fails the test unless all of them are accepted.
   *
   * @param {unknown[]} events
   * @param {Json} [fields]
   */
  async send(events, fields) {
    const { status, body } = await this.post(this.batch(events, fields));
    if (status !== 200 || body.accepted.length !== events.length) {
      throw new Error(`not all accepted: ${status} ${JSON.stringify(body).slice(0, 600)}`);
    }
    return body;
  }

  /**
   * Asks for a decision without events.
   *
   * @param {Json} [ask]
   * @returns {Promise<Json>}
   */
  async decision(ask = {}) {
    const { decision } = await this.send([], { ask: { slots: [], url: `${SHOP_ORIGIN}/`, ...ask } });
    return decision;
  }

  /**
   * Posts any body to the event route, whatever comes back.
   *
   * @param {unknown} body Sent as JSON; text and bytes are sent as they are.
   * @param {Record<string, string>} [headers]
   */
  post(body, headers = {}) {
    return this.postTo(`${this.prefix}/e?b=${bucketOf(this.anonymousId)}`, body, headers);
  }

  /**
   * Posts to one of the browser's routes, with the cookies of this visitor, and keeps those of the answer.
   *
   * @param {string} path
   * @param {unknown} body
   * @param {Record<string, string>} [headers]
   */
  async postTo(path, body, headers = {}) {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await this.#edge.fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain', Origin: SHOP_ORIGIN, ...FETCHED, ...(cookie && { Cookie: cookie }), ...headers },
      body: /** @type {BodyInit} */ (raw ? body : JSON.stringify(body)),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /** @type {RegExpExecArray} */ (/^([^=]+)=([^;]*)/.exec(line));
      this.cookies.set(name, value);
    }
    return answerOf(response);
  }

  /**
   * Offers a push subscription to the edge.
   *
   * @param {Json} subscription
   * @param {Json} [fields]
   */
  subscribe(subscription, fields = {}) {
    const body = { anonymous_id: this.anonymousId, source: SOURCE, subscription, key_id: 'k1', zone: 'UTC', ...fields };
    return this.postTo('/ec/push', body);
  }
}
