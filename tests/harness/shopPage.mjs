/**
 * A shop's page with the script tag, for tests of the page's half: what it says in the console and throws is kept, and it can be
 * asked about its visitor. For both browsers.
 */
import { until } from './until.mjs';

/** Before everything else on the page: keeps what is said in the console, and what nothing caught. */
export const RECORDER = `<script>
  window.said = [];
  window.thrown = [];
  for (const level of ['info', 'warn', 'error']) {
    const write = console[level];
    console[level] = (...words) => (said.push([level, words.map(String).join(' ')]), write.apply(console, words));
  }
  addEventListener('error', (event) => thrown.push(String(event.message)));
  addEventListener('unhandledrejection', (event) => thrown.push(String(event.reason)));
</script>`;

export const TAG = '<script async src="/ec/endcap.js" data-source="demo" data-consent="granted"></script>';

/**
 * @param {{head?: string, tag?: string, body?: string}} [page] `head` comes before the script's tag, `body` after it.
 * @returns {import('./storefront.mjs').Page}
 */
export function shopPage({ head = '', tag = TAG, body = '' } = {}) {
  return {
    html: `<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href="data:,">
      ${RECORDER}${head}${tag}<body><h1>Shop</h1>${body}</html>`,
  };
}

/** A page of the shop's without the script, on which everything that pages keep can be cleared. */
export const EMPTY = { '/empty': { html: '<!doctype html><title>Empty</title><link rel=icon href="data:,">' } };

/**
 * @typedef {object} Shop
 * @property {import('./browserPage.mjs').BrowserPage & {close(): Promise<void>}} browser
 * @property {import('./edge.mjs').Edge} edge Serves the shop's pages, {@link EMPTY} among them.
 */

/** One page in a browser. */
export class ShopPage {
  #shop;

  /** @param {Shop} shop Need not be complete before the page is used. */
  constructor(shop) {
    this.#shop = shop;
  }

  /** Opens it as somebody new. @param {string} path */
  async open(path) {
    const { browser, edge } = this.#shop;
    await this.#leave();
    await browser.open(`${edge.origin}/empty`);
    await browser.clearCookies();
    await browser.evaluate(() => localStorage.clear());
    await browser.open(edge.origin + path);
  }

  /**
   * Takes leave of the page that is open: what it sends while it goes is answered later, and such an answer would name its visitor to
   * the next page.
   */
  async #leave() {
    const silenced = this.run((page) => {
      page.navigator.sendBeacon = () => true;
      return Promise.race([page.endcap?.flush?.(), new Promise((resolve) => setTimeout(resolve, 1000))]);
    });
    // A page that breaks what a driver needs, or none.
    await silenced.catch(() => undefined);
  }

  /**
   * Runs in the page, with its globals as first argument.
   *
   * @param {(page: any, ...args: any[]) => unknown} code
   * @param {...unknown} args
   */
  run(code, ...args) {
    return this.#shop.browser.evaluate(new Function('...args', `return (${code})(window, ...args)`), ...args);
  }

  /** What the visitor did, as the edge keeps it, latest first; sends what waits before. @returns {Promise<any[]>} */
  async events() {
    await this.run((page) => void page.endcap?.flush?.());
    const id = await this.run((page) => page.endcap?.anonymousId?.());
    const events = await this.#shop.edge.api.events({ anonymous_id: id });
    return events.map((event) => ({ ...event, name: event.type === 'page' ? 'Page Viewed' : event.name }));
  }

  /**
   * Waits for an event of a name.
   *
   * @param {string} name
   * @returns {Promise<any>}
   */
  event(name) {
    return until(async () => (await this.events()).find((event) => event.name === name), { what: `"${name}" arrives` });
  }

  /**
   * What the page said in the console, and holds this.
   *
   * @param {RegExp} text
   * @returns {Promise<[level: string, text: string][]>}
   */
  async said(text) {
    const all = /** @type {[string, string][]} */ (await this.run((page) => page.said));
    return all.filter(([, words]) => text.test(words));
  }

  /**
   * Waits until the page said this in the console, and sees that it said it once.
   *
   * @param {RegExp} text
   */
  async saidOnce(text) {
    const found = await until(
      async () => {
        const found = await this.said(text);
        if (!found.length) throw new Error(`said: ${JSON.stringify(await this.run((page) => page.said))}`);
        return found;
      },
      { what: `the console says ${text}` },
    );
    if (found.length > 1) throw new Error(`said more than once: ${JSON.stringify(found)}`);
    return found[0];
  }
}
