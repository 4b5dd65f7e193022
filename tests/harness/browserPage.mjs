/**
 * What a test does in a page, the same in every browser: see, click, type, read.
 *
 * Input is real pointer and keyboard input at the place where an element is drawn, so a button that is covered, empty
 * or off the screen fails the test as it would fail a person. Selectors see through open shadow roots.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawn, findAll, inside, place, settled, textOf, texts } from './inPage.mjs';
import { SCREENSHOTS } from './paths.mjs';
import { until } from './until.mjs';

/** @typedef {{x: number, y: number}} Point */

/** @abstract */
export class BrowserPage {
  /**
   * Runs a function in the page; it must not refer to anything outside itself. Arguments and result travel as JSON.
   *
   * @param {Function} _code
   * @param {...unknown} _args
   * @returns {Promise<any>}
   */
  async evaluate(_code, ..._args) {
    throw new Error('each browser has its own');
  }

  /** @param {string} _url @returns {Promise<void>} */
  async open(_url) {
    throw new Error('each browser has its own');
  }

  /** @param {Point} _point @returns {Promise<void>} */
  async clickAt(_point) {
    throw new Error('each browser has its own');
  }

  /** @param {Point} _point @returns {Promise<void>} */
  async moveTo(_point) {
    throw new Error('each browser has its own');
  }

  /** Forgets every cookie, and nothing else of what pages keep. @returns {Promise<void>} */
  async clearCookies() {
    throw new Error('each browser has its own');
  }

  /** @param {string} _text Characters to type, or one of `Escape`, `Tab`, `Enter`. @returns {Promise<void>} */
  async press(_text) {
    throw new Error('each browser has its own');
  }

  /** @returns {Promise<Buffer>} The visible part of the page as PNG. */
  async capture() {
    throw new Error('each browser has its own');
  }

  /** Opens a tab, which the test sees from now on. @returns {Promise<any>} What {@link switchTo} takes. */
  async openTab() {
    throw new Error('each browser has its own');
  }

  /** Opens a private window, which the test sees from now on. @returns {Promise<void>} */
  async openPrivate() {
    throw new Error('each browser has its own');
  }

  /** @param {any} _tab The test sees this tab from now on. @returns {Promise<void>} */
  async switchTo(_tab) {
    throw new Error('each browser has its own');
  }

  /** Closes the tab as a person does; the test sees the first of the others. @returns {Promise<void>} */
  async closeTab() {
    throw new Error('each browser has its own');
  }

  /** @param {boolean} _offline Takes the network away, or gives it back, and tells pages so. @returns {Promise<void>} */
  async setOffline(_offline) {
    throw new Error('each browser has its own');
  }

  /** @param {string} _text Whether the browser's files of `localStorage` hold it. @returns {Promise<boolean>} */
  async wrote(_text) {
    throw new Error('each browser has its own');
  }

  /** @param {string} _origin Its pages may show notifications, without being asked. @returns {Promise<void>} */
  async allowNotifications(_origin) {
    throw new Error('each browser has its own');
  }

  /** The browser replaces its push subscription, and tells the service worker so. @returns {Promise<void>} */
  async replaceSubscription() {
    throw new Error('each browser has its own');
  }

  /** Kills the browser's processes, in whatever they are doing. @returns {Promise<string>} The profile's folder. */
  async kill() {
    throw new Error('each browser has its own');
  }

  /** Waits until the edge has what the page captured, and says who the visitor is. @returns {Promise<string>} */
  flushed() {
    return until(() => this.evaluate(flushed), { what: 'the edge has all events', within: 30_000 });
  }

  /** The address of the page. */
  async url() {
    return new URL(await this.evaluate(() => location.href));
  }

  /**
   * Waits until an element that matches is visible, and returns its text.
   *
   * @param {string} selector
   * @param {{within?: number, text?: RegExp}} [options]
   * @returns {Promise<string>}
   */
  async see(selector, { within, text = /(?:)/ } = {}) {
    const seen = await until(
      async () => {
        const [found] = await this.texts(selector);
        return found !== undefined && text.test(found) && { found };
      },
      { what: `${selector} is visible with text ${text}`, within },
    );
    return seen.found;
  }

  /** @param {string} selector */
  async sees(selector) {
    return (await this.texts(selector)).length > 0;
  }

  /** @param {string} selector Waits until nothing that matches is visible. */
  async seeGone(selector) {
    await until(async () => !(await this.sees(selector)), { what: `${selector} is gone` });
  }

  /**
   * The texts of all visible elements that match, what is in their shadow roots included.
   *
   * @param {string} selector
   * @returns {Promise<string[]>}
   */
  texts(selector) {
    return this.#ask(texts, selector);
  }

  /**
   * Clicks in the middle of an element, once it is visible, still, and nothing covers it.
   *
   * @param {string} selector
   * @param {number} [index] Which of the visible elements that match.
   */
  async click(selector, index = 0) {
    let last = '';
    const point = await until(
      async () => {
        const now = await this.#ask(place, selector, index);
        const still = JSON.stringify(now) === last;
        last = JSON.stringify(now);
        return still && now;
      },
      { what: `${selector} can be clicked` },
    );
    await this.clickAt(point);
  }

  /**
   * @param {string} selector
   * @param {string} text
   */
  async fill(selector, text) {
    await this.click(selector);
    await this.press(text);
  }

  /**
   * An attribute of each element that matches.
   *
   * @param {string} selector
   * @param {string} attribute
   * @returns {Promise<string[]>}
   */
  attributes(selector, attribute) {
    return this.#ask(attributesOf, selector, attribute);
  }

  /** @param {string} selector Whether the keyboard's focus is on the element or within it. */
  focusIsIn(selector) {
    return this.#ask(inside, selector);
  }

  /** @param {string} selector */
  count(selector) {
    return this.#ask(countOf, selector);
  }

  /** Waits until everything that moves has come to rest. */
  rest() {
    return this.#ask(settled);
  }

  /**
   * Saves what the person sees, once it is at rest, to `target/screenshots`.
   *
   * @param {string} name
   */
  async screenshot(name) {
    await this.rest();
    mkdirSync(SCREENSHOTS, { recursive: true });
    writeFileSync(join(SCREENSHOTS, `${name}.png`), await this.capture());
  }

  /**
   * Runs one of the functions of `inPage.mjs`, together with the helpers that it names.
   *
   * @param {Function} code
   * @param {...unknown} args
   */
  #ask(code, ...args) {
    const helpers = [findAll, drawn, textOf].map(String).join('\n');
    return this.evaluate(new Function('...args', `${helpers}\nreturn (${code})(...args)`), ...args);
  }
}

/**
 * @param {string} selector
 * @param {string} attribute
 */
function attributesOf(selector, attribute) {
  return findAll(selector).map((element) => element.getAttribute(attribute) ?? '');
}

/** Runs in the page: the anonymous ID once nothing waits to be sent. */
async function flushed() {
  const { endcap } = /** @type {any} */ (window);
  await endcap.flush?.();
  return !Object.keys(localStorage).some((key) => key.startsWith('ec.q.')) && endcap.anonymousId?.();
}

/** @param {string} selector */
function countOf(selector) {
  return findAll(selector).length;
}
