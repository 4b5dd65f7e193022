/**
 * Consent tools as they are on real pages: what they assume until the visitor has answered is no refusal, and one that never
 * answers does not hold an answer back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inShop } from '../harness/inShop.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

const GTAG = "window.dataLayer = []; window.gtag = function () { dataLayer.push(arguments); };";
/** A TCF tool that is only a stub: it takes calls and never answers. */
const MUTE = 'window.__tcfapi = () => {};';
const QUEUE = `window.debugs = []; window.endcap = [['on', ['debug', (one) => debugs.push(one)], 0, 0]];`;
const tag = (attributes = '') => `<script async src="/ec/endcap.js" data-source="demo" ${attributes}></script>`;
const VIEW = `<script>endcap.push?.(['track', ['Product Viewed', { product_id: 'p-1' }], 0, Date.now()]);</script>`;

/** @param {string} script @param {string} [attributes] */
const page = (script, attributes) => shopPage({ head: `<script>${QUEUE}${GTAG}${script}</script>`, tag: VIEW + tag(attributes) });
const DENIED = "gtag('consent', 'default', { analytics_storage: 'denied', ad_storage: 'denied' });";

const PAGES = {
  '/update-denies': page(`${DENIED}gtag('consent', 'update', { analytics_storage: 'denied', ad_storage: 'denied' });`),
  '/purpose': page(`${DENIED}gtag('consent', 'update', { ad_storage: 'granted' });`),
  '/mute': page(`${MUTE}${DENIED}`, 'data-consent-wait="2000" data-debug'),
  '/mute-default': page(`${MUTE}gtag('consent', 'default', { analytics_storage: 'granted' });`, 'data-consent-wait="100" data-debug'),
};

inShop(PAGES, (page) => {
  /** @param {object} terms What the visitor answers to the tool. */
  const update = (terms) => page.run((page, terms) => page.gtag('consent', 'update', terms), terms);
  const stored = () => page.run((page) => [page.document.cookie, Object.keys(page.localStorage)]);
  /** Waits until events are captured in memory. */
  const held = () =>
    until(async () => {
      const debugs = /** @type {any[]} */ (await page.run((page) => page.debugs.map((/** @type {any} */ { kind, detail }) => ({ kind, name: detail.name }))));
      return debugs.filter(({ kind }) => kind === 'captured').length >= 2;
    }, { what: 'both events are held' });
  /** Waits until the tool's word has been taken. */
  const taken = () => page.run(() => new Promise((resolve) => setTimeout(resolve)));

  for (const [name, path] of [
    ['that denies at load', '/update-denies'],
    ['that grants another purpose first', '/purpose'],
  ]) {
    test(`an update ${name}: the landing page counts once the visitor agrees, with its own time`, async () => {
      await page.open(path);
      await held();
      assert.deepEqual(await stored(), ['', []], 'nothing is stored before');
      const granted = Number(await page.run(() => Date.now()));
      await update({ analytics_storage: 'granted' });
      const view = await page.event('Page Viewed');
      const product = await page.event('Product Viewed');
      assert.ok(view.timestamp < granted && product.timestamp < granted, 'the times are those of the page');
      assert.equal(product.properties.product_id, 'p-1');
    });
  }

  test('after the visitor took consent back nothing more is held', async () => {
    await page.open('/update-denies');
    await held();
    await update({ analytics_storage: 'granted' });
    await page.event('Page Viewed');
    await update({ analytics_storage: 'denied' });
    await until(async () => (await stored())[0] === '', { what: 'the cookie is gone' });
    await page.run((page) => page.endcap.track('Between'));
    await update({ analytics_storage: 'granted' });
    await taken();
    await page.run((page) => page.endcap.track('After'));
    await page.event('After');
    assert.deepEqual((await page.events()).map((event) => event.name), ['After']);
  });

  test("a refusal by the shop's own call drops what is held", async () => {
    await page.open('/update-denies');
    await held();
    await page.run((page) => page.endcap.consent('denied'));
    await page.run((page) => page.endcap.consent('granted'));
    await page.run((page) => page.endcap.track('After'));
    await page.event('After');
    assert.deepEqual((await page.events()).map((event) => event.name), ['After']);
  });

  test('a TCF tool that never answers holds an answer back for its time only', async () => {
    await page.open('/mute');
    const waits = () => page.run((page) => page.debugs.filter((/** @type {any} */ one) => one.kind === 'consent').map((/** @type {any} */ one) => one.detail.waits_for));
    await until(async () => (await waits()).length, { what: 'debug listeners hear what is waited for' });
    assert.match((await waits())[0], /__tcfapi/);
    assert.ok((await page.said(/^endcap consent/)).every(([level]) => level === 'info'));
    await update({ analytics_storage: 'granted' });
    await taken();
    const early = await stored();
    // Unless the machine took two seconds for this.
    if ((await waits()).length === 1) assert.deepEqual(early, ['', []], 'the tool may still answer');
    await page.event('Page Viewed');
    assert.equal((await waits()).length, 2, 'the grant counted when the tool had taken too long');
  });

  test('without an answer consent stays open, also where a default grants', async () => {
    await page.open('/mute-default');
    const waits = () => page.run((page) => page.debugs.filter((/** @type {any} */ one) => one.kind === 'consent').length);
    await until(async () => (await waits()) === 2, { what: 'the time is over' });
    await taken();
    assert.deepEqual(await stored(), ['', []]);
    await page.run((page) => page.endcap.consent('granted'));
    await page.event('Page Viewed');
  });
});
