/**
 * The demo shop for everybody: axe finds nothing on any of its pages, on a phone and at a desk, with and without what opens over
 * them; and nothing moves under the reader's finger while a page fills.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { Edge } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { furnish } from './story.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };
const PATHS = ['/', '/c/jackets', '/p/cairn-shell', '/search?q=wool', '/cart', '/checkout', '/account', '/thanks', '/nowhere'];
/** What a good page moves at most (Core Web Vitals). */
const SHIFT = 0.1;

/** Before every page: what moved without the visitor's doing. */
const WATCH = `window.shift = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => one.hadRecentInput || (shift += one.value)))
    .observe({ type: 'layout-shift', buffered: true });`;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ shop: true });
  await furnish(edge);
});
after(() => edge.stop());

for (const [size, viewport] of Object.entries(SIZES)) {
  describe(`on a ${size}`, { timeout: 240_000 }, () => {
    /** @type {Chromium} */
    let chromium;
    before(async () => {
      chromium = await Chromium.launch({ viewport });
      await chromium.context.addInitScript(WATCH);
    });
    after(() => chromium.close());

    /** What axe finds in the page. */
    async function findings() {
      await chromium.rest();
      await chromium.page.evaluate(AXE);
      const { violations } = await chromium.page.evaluate('axe.run(document)');
      return violations.map((/** @type {any} */ { id, nodes }) => [id, nodes.map((/** @type {any} */ { target, any }) => `${target}: ${any[0]?.message ?? ''}`)]);
    }

    test('the question about consent', async () => {
      await chromium.open(`${edge.origin}/`);
      await until(() => chromium.sees('[data-endcap-consent]'));
      assert.deepEqual(await findings(), []);
      await chromium.click('[data-consent=choose]');
      assert.deepEqual(await findings(), []);
      await chromium.click('[data-consent=reject]');
      await chromium.click('[data-testid=endcap-drawer-toggle]');
      const tabs = await chromium.page.locator('[role=tab]').all();
      assert.ok(tabs.length > 1);
      for (const tab of tabs) {
        await tab.click();
        assert.deepEqual(await findings(), [], `with the drawer at ${await tab.textContent()}`);
      }
      await chromium.press('Escape');
      await chromium.context.clearCookies();
      await chromium.page.evaluate('localStorage.clear()');
      await chromium.open(`${edge.origin}/`);
      await chromium.click('[data-consent=accept]');
    });

    test('a pop-up, and an order', async () => {
      for (const path of ['/p/fulmar-parka', '/p/eider-puffer']) await chromium.open(edge.origin + path);
      await chromium.open(`${edge.origin}/p/kiln-mug`);
      await chromium.click('[data-testid=add-to-cart]');
      await until(() => chromium.sees('endcap-popup >>> [role=dialog].card'), { what: 'the pop-up opens' });
      assert.deepEqual(await findings(), []);
      await chromium.screenshot(`popup-${size}`);
      await chromium.press('Escape');
      await chromium.open(`${edge.origin}/checkout`);
      for (const [id, value] of Object.entries({ email: 'ada@example.org', name: 'Ada', address: 'Pier 4', postcode: '12345', city: 'Nordhavn' }))
        await chromium.page.fill(`#${id}`, value);
      await chromium.click('[data-testid=place-order]');
      await until(() => chromium.sees('[data-testid=order-confirmation]'));
    });

    test('every page, with something in the cart', async () => {
      for (const path of ['/p/cairn-shell', '/p/kiln-mug']) {
        await chromium.open(edge.origin + path);
        await chromium.click('[data-testid=add-to-cart]');
      }
      const found = [];
      for (const path of PATHS) {
        await chromium.open(edge.origin + path);
        await chromium.page.waitForLoadState('networkidle');
        const problems = await findings();
        const shift = await chromium.page.evaluate('shift');
        if (problems.length) found.push([path, problems]);
        if (shift > SHIFT) found.push([path, `moved by ${shift}`]);
      }
      assert.deepEqual(found, []);
    });
  });
}
