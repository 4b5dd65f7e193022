/**
 * Pages that change under what is open: Turbo and htmx replace the body, and the next pop-up can open all the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inShop } from '../harness/inShop.mjs';
import { NUDGE } from '../harness/shopData.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

const TITLE = 'endcap-popup >>> .title';

/** @param {import('../harness/edge.mjs').Edge} edge */
async function prepare(edge) {
  await edge.api.set('/api/settings', { push_prompt: { enabled: false } });
  const { condition: _, pages: __, ...rest } = NUDGE;
  for (const [id, path, template] of [['first', '/', 'banner'], ['second', '/second', 'card'], ['third', '/third', 'banner']]) {
    const content = { template, title: `The ${id}`, dismiss: 'No thanks' };
    await edge.api.set(`/api/campaigns/${id}`, { ...rest, content, trigger: { immediately: true }, pages: { include: [path] } });
  }
}

inShop({ '/': shopPage() }, (page, shop) => {
  /** @param {string} title */
  const opens = (title) => until(async () => (await shop.browser.texts(TITLE)).join() === title, { what: `"${title}" is open, alone` });
  /** As Turbo does: a new body, and the address. @param {string} path */
  const byTurbo = (path) =>
    page.run((page, path) => {
      const body = document.createElement('body');
      body.innerHTML = '<h1>Another page</h1>';
      document.documentElement.replaceChild(body, document.body);
      page.history.pushState({}, '', path);
    }, path);
  /** As htmx does: what is in the body, and the address. @param {string} path */
  const byHtmx = (path) =>
    page.run((page, path) => {
      document.body.innerHTML = '<h1>Another page</h1>';
      page.history.pushState({}, '', path);
    }, path);

  for (const [what, visit] of /** @type {const} */ ([['is replaced', byTurbo], ['gets other children', byHtmx]])) test(`a body that ${what} while a pop-up is open`, async () => {
    await page.open('/');
    await opens('The first');
    await visit('/second');
    await opens('The second');
    await visit('/third');
    await opens('The third');
    await shop.browser.press('Escape');
    await until(async () => !(await shop.browser.texts(TITLE)).length, { what: 'it closes' });
    assert.deepEqual(await page.run((page) => page.thrown), []);
    const names = async () => (await page.events()).map((event) => event.name).filter((name) => /^Campaign/.test(name)).sort();
    await until(async () => (await names()).length === 4, { what: 'what was shown and dismissed is told' });
    assert.deepEqual(await names(), ['Campaign Dismissed', 'Campaign Shown', 'Campaign Shown', 'Campaign Shown']);
  });

  test('a campaign behind the route of a fragment is where the visitor came from', async () => {
    await page.open('/?a=1#/p?utm_source=mail&utm_medium=email');
    await page.event('Page Viewed');
    const { touchpoints } = await shop.edge.api.profile({ anonymous_id: await page.run((page) => page.endcap.anonymousId()) });
    assert.deepEqual(touchpoints.all.map((/** @type {any} */ one) => [one.channel, one.source]), [['Email', 'mail']]);
  });
}, { prepare, timeout: 120_000 });
