/**
 * The windows in which Firefox shows notifications.
 *
 * They belong to the browser, not to a page, so they are read and clicked with the driver's chrome powers.
 */
import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SCREENSHOTS } from './paths.mjs';
import { until } from './until.mjs';

/** @typedef {{title: string, body: string, source: string}} Alert */

export class Alerts {
  #chrome;

  /** @param {(code: Function, ...args: unknown[]) => Promise<any>} chrome Runs a function in the browser's chrome. */
  constructor(chrome) {
    this.#chrome = chrome;
  }

  /**
   * All alerts on the screen. A window whose labels Firefox has not filled yet shows nobody anything and is left out.
   *
   * @returns {Promise<Alert[]>}
   */
  list() {
    return this.#chrome(() =>
      [...Services.wm.getEnumerator('alert:alert')]
        .filter(({ document }) => document.getElementById('alertTitleLabel')?.hasAttribute('value'))
        .map(({ document }) => ({
          title: document.getElementById('alertTitleLabel').getAttribute('value'),
          body: document.getElementById('alertTextLabel').textContent,
          source: document.getElementById('alertSourceLabel').getAttribute('value'),
        })),
    );
  }

  /**
   * Waits for an alert.
   *
   * @param {(alert: Alert) => boolean} wanted
   * @param {number} [within]
   * @returns {Promise<Alert>}
   */
  see(wanted, within = 15_000) {
    return until(async () => (await this.list()).find(wanted), { what: 'the alert is on the screen', within });
  }

  /** @param {string} title Clicks the text of the alert, as a person does. */
  click(title) {
    return this.#act(title, 'alertTextBox');
  }

  /** @param {string} title Clicks the closing cross. */
  dismiss(title) {
    return this.#act(title, 'alert-close');
  }

  /** @param {string} name Saves the first alert to `target/screenshots`. */
  async screenshot(name) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    const image = await this.#chrome(drawFirstAlert);
    writeFileSync(join(SCREENSHOTS, `${name}.png`), Buffer.from(image, 'base64'));
  }

  /**
   * @param {string} title
   * @param {string} element
   */
  async #act(title, element) {
    const done = await this.#chrome(clickInAlert, title, element);
    if (!done) throw new Error(`no alert titled ${title}`);
  }
}

/**
 * @param {string} title
 * @param {string} element
 */
function clickInAlert(title, element) {
  const windows = [...Services.wm.getEnumerator('alert:alert')];
  const found = windows.find(
    ({ document }) => document.getElementById('alertTitleLabel')?.getAttribute('value') === title,
  );
  found?.document.getElementById(element).click();
  return Boolean(found);
}

async function drawFirstAlert() {
  const [window] = [...Services.wm.getEnumerator('alert:alert')];
  const area = new DOMRect(0, 0, window.innerWidth, window.innerHeight);
  const bitmap = await window.browsingContext.currentWindowGlobal.drawSnapshot(area, 2, 'white');
  const canvas = window.document.createElementNS('http://www.w3.org/1999/xhtml', 'canvas');
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  return canvas.toDataURL().split(',')[1];
}
