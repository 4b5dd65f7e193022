/**
 * A real Chromium, headless, driven by Playwright's protocol client: one tab of a persistent profile.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { BrowserPage } from './browserPage.mjs';
import { holds } from './files.mjs';
import { deadline } from './until.mjs';

const SCRIPT_MS = 20_000;
const BINARY = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Without these, Chromium looks for its maker's services, or needs a sandbox that containers do not give. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Opens a page in a Chromium that nobody drives: while one is driven it prepares no pages (prerendering). What the page does by itself
 * is seen at the edge.
 *
 * @param {string} url
 * @returns {{close(): Promise<void>}}
 */
export function openAlone(url) {
  const profile = mkdtempSync(join(tmpdir(), 'endcap-chromium-'));
  const flags = ['--headless=new', ...FLAGS, `--user-data-dir=${profile}`, '--remote-debugging-port=0'];
  const browser = spawn(BINARY, [...flags, url], { stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => browser.once('exit', resolve));
  return {
    async close() {
      // A script may have started it, so the whole group ends.
      if (browser.pid && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export class Chromium extends BrowserPage {
  name = 'chromium';
  #context;
  #profile;
  /** @type {import('playwright-core').Page | undefined} The tab that the test sees. */
  #tab;

  /** What the page wrote to its console as errors, and exceptions that nothing caught. @type {string[]} */
  errors = [];

  /**
   * @param {import('playwright-core').BrowserContext} context
   * @param {string} profile
   */
  constructor(context, profile) {
    super();
    this.#context = context;
    this.#profile = profile;
    context.on('weberror', (error) => this.errors.push(String(error.error())));
    context.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  /**
   * Starts Chromium.
   *
   * @param {object} [options]
   * @param {string[]} [options.flags]
   * @param {{width: number, height: number}} [options.viewport]
   * @param {string} [options.profile] A folder that an earlier one left; none: a new one.
   * @param {object} [options.preferences] What the person set, as a new profile's `Preferences` file has it.
   * @param {boolean} [options.keepsPages] Keep pages that were left, to go back to them as they were (bfcache).
   */
  static async launch({ flags = [], viewport = { width: 1280, height: 900 }, profile, preferences, keepsPages } = {}) {
    const folder = profile ?? mkdtempSync(join(tmpdir(), 'endcap-chromium-'));
    if (preferences) {
      mkdirSync(join(folder, 'Default'), { recursive: true });
      writeFileSync(join(folder, 'Default', 'Preferences'), JSON.stringify(preferences));
    }
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: BINARY,
      headless: true,
      viewport,
      args: [...FLAGS, ...flags],
      ...(keepsPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
    });
    return new Chromium(context, folder);
  }

  /** Playwright's page, for what {@link BrowserPage} does not offer. */
  get page() {
    return this.#tab ?? this.#context.pages()[0];
  }

  /** @override */
  async openTab() {
    this.#tab = await this.#context.newPage();
    return this.#tab;
  }

  /** @override */
  async openPrivate() {
    const context = await this.#context.browser()?.newContext();
    this.#tab = await context?.newPage();
  }

  /** @override @param {import('playwright-core').Page} tab */
  async switchTo(tab) {
    this.#tab = tab;
  }

  /** @override */
  async closeTab() {
    const tab = this.page;
    const closed = tab.waitForEvent('close');
    // Playwright's way to close as a person does: the page hears of it.
    await tab.close({ runBeforeUnload: true });
    await closed;
    this.#tab = undefined;
  }

  /** @override @param {boolean} offline */
  async setOffline(offline) {
    await this.#context.setOffline(offline);
  }

  /** @override */
  async clearCookies() {
    await this.#context.clearCookies();
  }

  /** @override @param {string} text */
  async wrote(text) {
    return holds(join(this.#profile, 'Default', 'Local Storage'), text);
  }

  /** @override */
  async kill() {
    const session = await this.#context.browser()?.newBrowserCDPSession();
    const { processInfo } = /** @type {any} */ (await session?.send('SystemInfo.getProcessInfo'));
    const { id } = processInfo.find((/** @type {any} */ { type }) => type === 'browser');
    const gone = new Promise((resolve) => this.#context.once('close', resolve));
    process.kill(id, 'SIGKILL');
    await gone;
    return this.#profile;
  }

  /** Playwright's context: cookies, network, service workers. */
  get context() {
    return this.#context;
  }

  /** @override @param {Function} code @param {...unknown} args */
  evaluate(code, ...args) {
    const result = this.page.evaluate(`(async (args) => (${code})(...args))(${JSON.stringify(args)})`);
    return deadline(result, 'the page answers the driver', SCRIPT_MS);
  }

  /** @override @param {string} url */
  async open(url) {
    await this.page.goto(url);
  }

  /** @override @param {import('./browserPage.mjs').Point} point */
  async clickAt({ x, y }) {
    await this.page.mouse.click(x, y);
  }

  /** @override @param {import('./browserPage.mjs').Point} point */
  async moveTo({ x, y }) {
    await this.page.mouse.move(x, y, { steps: 4 });
  }

  /** @override @param {string} text */
  async press(text) {
    if (['Escape', 'Tab', 'Enter'].includes(text)) await this.page.keyboard.press(text);
    else await this.page.keyboard.type(text);
  }

  /** @override */
  capture() {
    return this.page.screenshot();
  }

  /** @override @param {string} origin What a person does in the browser's dialog, which headless Chromium does not show. */
  async allowNotifications(origin) {
    await this.#context.grantPermissions(['notifications'], { origin });
  }

  /**
   * Notifications on the screen. Headless Chromium draws none, so its registrations are asked.
   *
   * @returns {Promise<{title: string, body: string}[]>}
   */
  async notifications() {
    const lists = await Promise.all(this.#context.serviceWorkers().map((worker) => worker.evaluate(notificationsOf)));
    return lists.flat();
  }

  /**
   * Clicks a notification, which the driver can only do from within the service worker that showed it.
   *
   * @param {string} title
   */
  async clickNotification(title) {
    const [worker] = this.#context.serviceWorkers();
    await worker.evaluate(clickNotification, title);
  }

  /**
   * Chromium offers no way to make it do that, so the worker ends the old one and is sent the event. It is a script's, so the
   * driver waits in the browser's place for what it begins; Firefox shows the browser's own.
   *
   * @override
   */
  async replaceSubscription() {
    const worker = this.#context.serviceWorkers()[0] ?? (await this.#context.waitForEvent('serviceworker'));
    await worker.evaluate(replaceSubscription);
  }

  async close() {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs in the service worker. @returns {Promise<{title: string, body: string}[]>} */
async function notificationsOf() {
  const { registration } = /** @type {any} */ (globalThis);
  const list = await registration.getNotifications();
  return list.map((/** @type {any} */ { title, body }) => ({ title, body }));
}

/** Runs in the service worker. @param {string} title */
async function clickNotification(title) {
  const scope = /** @type {any} */ (globalThis);
  const notification = (await scope.registration.getNotifications()).find((/** @type {any} */ one) => one.title === title);
  scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification, action: '' }));
}

/** Runs in the service worker. */
async function replaceSubscription() {
  const scope = /** @type {any} */ (globalThis);
  await (await scope.registration.pushManager.getSubscription()).unsubscribe();
  /** @type {Promise<unknown>[]} */
  const begun = [];
  const waitUntil = (/** @type {Promise<unknown>} */ work) => begun.push(work);
  scope.dispatchEvent(Object.assign(new scope.ExtendableEvent('pushsubscriptionchange'), { waitUntil }));
  await Promise.all(begun);
}
