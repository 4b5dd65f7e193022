/** Tests on a shop's pages, the same in every browser. */
import { after, before, describe } from 'node:test';
import { Chromium } from './chromium.mjs';
import { Edge } from './edge.mjs';
import { Firefox } from './firefox.mjs';
import { EMPTY, ShopPage } from './shopPage.mjs';

/**
 * Declares tests for each browser, which share an edge that serves the pages.
 *
 * @param {Record<string, import('./storefront.mjs').Page>} pages By path.
 * @param {(page: ShopPage, shop: import('./shopPage.mjs').Shop) => void} tests Declares them. Both can be used once they run.
 * @param {{prepare?: (edge: Edge) => Promise<unknown>, timeout?: number}} [options] What the shop sets up first, and how long the tests
 *   of a browser may take, in milliseconds.
 */
export function inShop(pages, tests, { prepare, timeout = 240_000 } = {}) {
  /** @type {Edge} */
  let edge;
  before(async () => {
    edge = await Edge.start({ pages: { ...EMPTY, ...pages } });
    await prepare?.(edge);
  });
  after(() => edge.stop());

  for (const Browser of [Chromium, Firefox]) {
    describe(Browser.name, { timeout }, () => {
      const shop = /** @type {import('./shopPage.mjs').Shop} */ ({});
      before(async () => Object.assign(shop, { browser: await Browser.launch(), edge }));
      after(() => shop.browser.close());
      tests(new ShopPage(shop), shop);
    });
  }
}
