/**
 * A real Firefox, headless, driven over Marionette: one tab, and the alert windows of its notifications.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Alerts } from './alerts.mjs';
import { BrowserPage } from './browserPage.mjs';
import { holds } from './files.mjs';
import { QUIET_PREFS } from './firefoxPrefs.mjs';
import { freePort } from './freePort.mjs';
import { Marionette } from './marionette.mjs';
import { deadline, until } from './until.mjs';

const BINARY = process.env.FIREFOX ?? 'firefox-esr';
const SCRIPT_MS = 30_000;
const QUIT_MS = 4_000;
const WINDOW = ['--width', '1280', '--height', '900'];

/** Code points that WebDriver gives to keys without a character (WebDriver §17.4.2). */
const KEYS = /** @type {Record<string, string>} */ ({ Escape: '\uE00C', Tab: '\uE004', Enter: '\uE007' });

export class Firefox extends BrowserPage {
  name = 'firefox';
  #marionette;
  #process;
  #profile;
  #context = 'content';

  /** Notifications on the screen. */
  alerts = new Alerts((code, ...args) => this.#run('chrome', code, args));

  /**
   * @param {Marionette} marionette
   * @param {import('node:child_process').ChildProcess} process
   * @param {string} profile
   */
  constructor(marionette, process, profile) {
    super();
    this.#marionette = marionette;
    this.#process = process;
    this.#profile = profile;
  }

  /**
   * Starts Firefox.
   *
   * @param {{prefs?: Record<string, string | number | boolean>, profile?: string}} [options] `profile`: a folder that an
   * earlier one left; none: a new one.
   */
  static async launch({ prefs = {}, profile } = {}) {
    const port = await freePort();
    const folder = profile ?? mkdtempSync(join(tmpdir(), 'endcap-firefox-'));
    // Offline is to mean this machine's own servers too.
    const own = { 'marionette.port': port, 'network.disable-localhost-when-offline': true };
    const all = { ...QUIET_PREFS, ...own, ...prefs };
    const lines = Object.entries(all).map((pair) => `user_pref(${pair.map((part) => JSON.stringify(part)).join(', ')});`);
    writeFileSync(join(folder, 'user.js'), lines.join('\n'));
    const process = start(folder);
    const marionette = await Marionette.connect(port);
    await marionette.send('WebDriver:NewSession', { capabilities: {} });
    return new Firefox(marionette, process, folder);
  }

  /** @override */
  openTab() {
    return this.#newWindow({ type: 'tab' });
  }

  /** @override */
  async openPrivate() {
    await this.#newWindow({ type: 'window', private: true });
  }

  /** @override @param {string} handle */
  async switchTo(handle) {
    await this.#switchTo('content');
    await this.#marionette.send('WebDriver:SwitchToWindow', { handle, focus: true });
  }

  /** @override */
  async closeTab() {
    await this.#switchTo('content');
    const [first] = await this.#marionette.send('WebDriver:CloseWindow');
    await this.switchTo(first);
  }

  /** @override @param {boolean} offline */
  async setOffline(offline) {
    await this.chrome((/** @type {boolean} */ value) => void (Services.io.offline = value), offline);
  }

  /** @override */
  async clearCookies() {
    await this.chrome(() => void Services.cookies.removeAll());
  }

  /** @override @param {string} text */
  async wrote(text) {
    return holds(join(this.#profile, 'storage', 'default'), text);
  }

  /** @override @param {string} origin */
  async allowNotifications(origin) {
    await this.chrome((/** @type {string} */ shop) => {
      const principal = Services.scriptSecurityManager.createContentPrincipalFromOrigin(shop);
      Services.perms.addFromPrincipal(principal, 'desktop-notification', Services.perms.ALLOW_ACTION);
    }, origin);
  }

  /** @override A push service that does not know the browser any more makes it subscribe anew. */
  async replaceSubscription() {
    await this.chrome(() => void Services.prefs.setStringPref('dom.push.userAgentID', ''));
  }

  /** @override */
  async kill() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    kill(this.#process);
    await ended;
    this.#marionette.close();
    return this.#profile;
  }

  /** @override @param {Function} code @param {...unknown} args */
  evaluate(code, ...args) {
    return this.#run('content', code, args);
  }

  /**
   * Runs a function with the browser's own powers.
   *
   * @param {Function} code
   * @param {...unknown} args
   */
  chrome(code, ...args) {
    return this.#run('chrome', code, args);
  }

  /** @override @param {string} url */
  async open(url) {
    await this.#switchTo('content');
    await this.#marionette.send('WebDriver:Navigate', { url });
  }

  /** @override @param {import('./browserPage.mjs').Point} point */
  async clickAt(point) {
    await this.#pointer([
      { type: 'pointerMove', ...point },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ]);
  }

  /** @override @param {import('./browserPage.mjs').Point} point */
  async moveTo(point) {
    await this.#pointer([{ type: 'pointerMove', ...point, duration: 50 }]);
  }

  /** @override @param {string} text */
  async press(text) {
    const keys = KEYS[text] ? [KEYS[text]] : [...text];
    const actions = keys.flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await this.#switchTo('content');
    await this.#marionette.send('WebDriver:PerformActions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  /** @override */
  async capture() {
    await this.#switchTo('content');
    const { value } = await this.#marionette.send('WebDriver:TakeScreenshot', { full: false });
    return Buffer.from(value, 'base64');
  }

  /** Waits until the browser asks the person for a permission, and allows it. */
  async allow() {
    await until(() => this.chrome(pressAllow), { what: 'Firefox asks for permission' });
  }

  /** The addresses of all tabs. @returns {Promise<string[]>} */
  tabs() {
    return this.chrome(() => {
      const windows = [...Services.wm.getEnumerator('navigator:browser')];
      return windows.flatMap((window) =>
        window.gBrowser.tabs.map((/** @type {any} */ tab) => tab.linkedBrowser.currentURI.spec),
      );
    });
  }

  /** @param {RegExp} url Makes the tab whose address matches the one that the test sees from now on. */
  async switchToTab(url) {
    await until(
      async () => {
        await this.#switchTo('content');
        for (const handle of await this.#marionette.send('WebDriver:GetWindowHandles')) {
          await this.switchTo(handle);
          if (url.test((await this.url()).href)) return true;
        }
        return false;
      },
      { what: `a tab is at ${url}` },
    );
  }

  async close() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    const quit = this.#marionette.send('Marionette:Quit', { flags: ['eForceQuit'] });
    await deadline(Promise.all([quit.catch(() => {}), ended]), 'Firefox quits', QUIT_MS).catch(() => kill(this.#process));
    await ended;
    this.#marionette.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /**
   * @param {object} kind
   * @returns {Promise<string>} Its handle.
   */
  async #newWindow(kind) {
    await this.#switchTo('content');
    const { handle } = await this.#marionette.send('WebDriver:NewWindow', { focus: true, ...kind });
    await this.switchTo(handle);
    return handle;
  }

  /** @param {object[]} actions */
  async #pointer(actions) {
    await this.#switchTo('content');
    const parameters = { pointerType: 'mouse' };
    await this.#marionette.send('WebDriver:PerformActions', {
      actions: [{ type: 'pointer', id: 'mouse', parameters, actions }],
    });
  }

  /**
   * @param {'content' | 'chrome'} context
   * @param {Function} code
   * @param {unknown[]} args
   */
  async #run(context, code, args) {
    await this.#switchTo(context);
    const script = `const done = arguments[arguments.length - 1];
      (async (args) => (${code})(...args))([...arguments].slice(0, -1))
        .then((value) => done({ value }), (error) => done({ error: error + '\\n' + error?.stack }));`;
    const sandbox = context === 'chrome' ? 'system' : null;
    const parameters = { script, args, sandbox, scriptTimeout: SCRIPT_MS };
    const { value: outcome } = await this.#marionette.send('WebDriver:ExecuteAsyncScript', parameters);
    if (outcome?.error) throw new Error(outcome.error);
    return outcome?.value;
  }

  /** @param {string} context */
  async #switchTo(context) {
    if (context === this.#context) return;
    await this.#marionette.send('Marionette:SetContext', { value: context });
    this.#context = context;
  }
}

/** Runs in the browser's chrome: presses the first button of its permission dialog, once it is open. */
function pressAllow() {
  const { PopupNotifications } = Services.wm.getMostRecentWindow('navigator:browser');
  const [dialog] = PopupNotifications.panel.childNodes;
  if (PopupNotifications.panel.state !== 'open' || !dialog?.button) return false;
  dialog.button.click();
  return true;
}

/** @param {string} profile */
function start(profile) {
  const flags = ['--headless', '--no-remote', '--marionette', '--remote-allow-system-access', '--profile', profile];
  const environment = { HOME: profile, MOZ_HEADLESS: '1', MOZ_CRASHREPORTER_DISABLE: '1', DBUS_SESSION_BUS_ADDRESS: '' };
  const child = spawn(BINARY, [...flags, ...WINDOW], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, ...environment },
  });
  child.once('error', (error) => console.error(`cannot start ${BINARY}: ${error.message}`));
  process.once('exit', () => kill(child));
  return child;
}

/** @param {import('node:child_process').ChildProcess} child Ends it with everything that it started. */
function kill(child) {
  try {
    if (child.pid && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
