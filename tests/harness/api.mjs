/** The server API as a shop's back office calls it. */
import { request } from './request.mjs';

/** @typedef {{status: number, body: any, headers: Headers}} Answer */

export class Api {
  #origin;
  #key;

  /**
   * @param {string} origin
   * @param {string} [key] None: requests carry no key.
   */
  constructor(origin, key) {
    this.#origin = origin;
    this.#key = key;
  }

  /** The same API called with another key, or none. @param {string} [key] */
  with(key) {
    return new Api(this.#origin, key);
  }

  /** @param {string} path */
  get(path) {
    return this.#call('GET', path);
  }

  /**
   * @param {string} path
   * @param {unknown} value Sent as JSON; text is sent as it is.
   */
  put(path, value) {
    return this.#call('PUT', path, typeof value === 'string' ? value : JSON.stringify(value));
  }

  /**
   * @param {string} path
   * @param {unknown} value Sent as JSON; text is sent as it is.
   */
  post(path, value) {
    return this.#call('POST', path, typeof value === 'string' ? value : JSON.stringify(value));
  }

  /** @param {string} path */
  delete(path) {
    return this.#call('DELETE', path);
  }

  /**
   * Like {@link put}, but fails the test unless the answer is a success.
   *
   * @param {string} path
   * @param {unknown} value
   */
  async set(path, value) {
    const { status, body } = await this.put(path, value);
    if (status >= 300) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /**
   * One profile; fails the test unless there is exactly one.
   *
   * @param {{anonymous_id: string} | {user_id: string} | {email: string}} identifier
   */
  async profile(identifier) {
    const query = new URLSearchParams(/** @type {Record<string, string>} */ (identifier));
    const { status, body } = await this.get(`/api/profiles?${query}`);
    if (status !== 200) throw new Error(`GET /api/profiles?${query}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /**
   * The latest events of a person, at most 200, the latest first, each as it was sent.
   *
   * @param {Parameters<Api['profile']>[0]} identifier
   * @returns {Promise<any[]>}
   */
  async events(identifier) {
    const { profile_id: id } = await this.profile(identifier);
    const path = `/api/profiles/${encodeURIComponent(id)}/events?limit=200`;
    const { status, body } = await this.get(path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body.events.map((/** @type {any} */ { event }) => event);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {string} [text]
   * @returns {Promise<Answer>}
   */
  async #call(method, path, text) {
    const headers = {
      ...(this.#key && { Authorization: `Bearer ${this.#key}` }),
      ...(text !== undefined && { 'Content-Type': 'application/json' }),
    };
    const response = await request(this.#origin + path, { method, headers, body: text });
    return answerOf(response);
  }
}

/**
 * Reads a response whose body is JSON, or empty.
 *
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
export async function answerOf(response) {
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json');
  return { status: response.status, body: json && text ? JSON.parse(text) : text, headers: response.headers };
}
