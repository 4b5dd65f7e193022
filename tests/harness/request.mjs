/**
 * `fetch` for requests that a server may refuse unread.
 *
 * A server that answers 413 or 415 before it has read the body closes the connection, and the next request may already
 * have been written to it. Browsers then send it again on another connection; so does this.
 */

const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const ATTEMPTS = 3;

/**
 * @param {string} url
 * @param {RequestInit} [init] Its body must not be a stream.
 * @returns {Promise<Response>}
 */
export async function request(url, init) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(url, { redirect: 'manual', ...init });
    } catch (error) {
      const { code } = /** @type {any} */ (error).cause ?? {};
      if (!BROKEN.has(code) || attempt === ATTEMPTS) throw error;
    }
  }
}
