/**
 * The demo shop as visitors meet it: what it asks, shows and says fits what they did, on every size of screen.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { Edge } from '../harness/edge.mjs';
import { until } from '../harness/until.mjs';
import { furnish } from './story.mjs';

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };
const LANDSCAPE = { width: 844, height: 390 };
const DIALOG = 'endcap-popup >>> [role=dialog]';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ shop: true });
  await furnish(edge);
});
after(() => edge.stop());

/** @type {Chromium} */
let chromium;
beforeEach(async () => {
  chromium = await Chromium.launch({ viewport: DESK });
});
afterEach(() => chromium.close());

/** @param {string} path */
const open = (path) => chromium.open(edge.origin + path);
/** The boxes of the elements that match, in the document and in shadow roots. @param {string} selector */
const boxes = (selector) =>
  chromium.page.locator(selector).evaluateAll((found) => found.map((one) => one.getBoundingClientRect().toJSON()));

/** Opens the shop and agrees. @param {{width: number, height: number}} size */
async function agree(size) {
  await chromium.page.setViewportSize(size);
  await open('/');
  await chromium.click('[data-consent=accept]');
}

/** Looks at products, and puts the last one into the cart. @param {string[]} ids */
async function lookAndAdd(...ids) {
  for (const id of ids) await open(`/p/${id}`);
  await chromium.click('[data-testid=add-to-cart]');
}

test('the question about consent favours no answer, in one line on every screen', async () => {
  for (const size of [PHONE, DESK]) {
    await chromium.page.setViewportSize(size);
    await open('/');
    await until(() => chromium.sees('[data-endcap-consent]'));
    await chromium.rest();
    const looks = await chromium.page.locator('[data-consent=accept],[data-consent=reject]').evaluateAll((found) =>
      found.map((one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color, Math.round(one.getBoundingClientRect().width)]),
    );
    assert.deepEqual(looks[0], looks[1], JSON.stringify(size));
    const tops = (await boxes('.consent-buttons .button')).map(({ top, height }) => [Math.round(top), Math.round(height)]);
    assert.deepEqual(new Set(tops.map(String)).size, 1, `one line: ${JSON.stringify(tops)}`);
    assert.ok(tops[0][1] < 60);
  }
});

test('the menu calls housewares what they are', async () => {
  await open('/');
  const words = await chromium.texts('nav#menu a');
  assert.deepEqual([words.includes('House'), words.includes('Home')], [true, false]);
});

test('nobody asks about jackets whoever put one into the cart', async () => {
  // From the first moment on: what the page says of the campaign.
  await chromium.context.addInitScript(`
    window.reasons = [];
    const write = console.info;
    console.info = (...words) => {
      if (words[1] === 'not_shown' && words[2].campaign_id === 'still-thinking') reasons.push(words[2].why);
      write.apply(console, words);
    };
  `);
  await agree(DESK);
  await lookAndAdd('fulmar-parka', 'eider-puffer');
  const dwell = 4000;
  await until(() => chromium.page.evaluate(`performance.now() > ${dwell + 1000} && reasons.length`), { what: 'its moment has come and gone' });
  assert.deepEqual(await chromium.page.evaluate('[...new Set(reasons)]'), ['condition does not hold']);
  assert.equal(await chromium.sees(DIALOG), false);
});

test('in landscape the pop-up has title and button in view, in the font of the shop', async () => {
  await agree(LANDSCAPE);
  await lookAndAdd('fulmar-parka', 'eider-puffer', 'kiln-mug');
  await chromium.see(DIALOG, { text: /jackets/, within: 20_000 });
  await chromium.rest();
  for (const part of ['.title', '.cta']) {
    const [box] = await boxes(`endcap-popup ${part}`);
    assert.ok(box.top >= 0 && box.bottom <= LANDSCAPE.height, `${part}: ${JSON.stringify(box)}`);
  }
  const [font, heading] = await chromium.page.evaluate(() => {
    const title = document.querySelector('endcap-popup')?.shadowRoot?.querySelector('h2');
    return [title, document.querySelector('h1')].map((one) => one && getComputedStyle(one).fontFamily);
  });
  assert.equal(font, heading, "it wears the shop's font");
});

test('on a phone a slot shows that there is more', async () => {
  await agree(PHONE);
  await until(async () => (await boxes('endcap-slot[name=home] li')).length === 4, { what: 'the slot is filled' });
  const [row] = await boxes('endcap-slot[name=home] ul');
  const cards = await boxes('endcap-slot[name=home] li');
  const seen = cards.map(({ left, width }) => Math.min(Math.max((row.right - left) / width, 0), 1));
  assert.deepEqual([seen[0], seen[1]], [1, 1], 'two are whole');
  assert.ok(seen[2] > 0.1 && seen[2] < 0.9, `the third looks in: ${seen[2]}`);
});

test('the banner of a cart that is left behind shows nothing that is not in it', async () => {
  await agree(DESK);
  await lookAndAdd('kiln-mug');
  await open('/cart');
  await until(async () => {
    await chromium.page.evaluate(() => document.dispatchEvent(new MouseEvent('mouseout', { clientY: -1, bubbles: true })));
    return chromium.sees(DIALOG);
  }, { what: 'the banner opens' });
  assert.deepEqual(await boxes('endcap-popup .product'), []);
});

test('the question about notifications covers neither menu nor logo', async () => {
  for (const size of [DESK, PHONE]) {
    await agree(size);
    await chromium.see(`${DIALOG}.prompt`, { within: 40_000 });
    await chromium.rest();
    const [[prompt], [header]] = [await boxes('endcap-popup dialog'), await boxes('.site-header')];
    assert.ok(prompt.top > header.bottom, `${prompt.top} is below ${header.bottom} at ${size.width} px`);
    assert.ok(prompt.bottom <= size.height, `it is whole at ${size.width} px`);
    await chromium.close();
    chromium = await Chromium.launch({ viewport: DESK });
  }
});

test('the drawer says which segments somebody is in and why, now and days later', async () => {
  await agree(DESK);
  for (const id of ['fulmar-parka', 'eider-puffer', 'gannet-gilet']) await open(`/p/${id}`);
  await chromium.click('[data-testid=endcap-drawer-toggle]');
  await chromium.page.getByRole('tab', { name: 'Profile' }).click();
  await chromium.page.getByText(/desktop, chrome, \w+, /).waitFor();
  const shoppers = chromium.page.locator('.ec-segment', { hasText: 'Window shoppers' });
  await shoppers.locator('.ec-chip', { hasText: 'in since' }).waitFor();
  await shoppers.locator('summary').click();
  assert.match(await shoppers.locator('li', { hasText: 'viewed >= 3 in 14 days' }).last().innerText(), /✓\s*viewed >= 3 in 14 days\s*3/);
  await chromium.page.getByRole('radio', { name: '+30' }).check();
  await shoppers.locator('.ec-chip', { hasText: 'not in it' }).waitFor();
  assert.match(await shoppers.locator('li', { hasText: 'viewed >= 3 in 14 days' }).last().innerText(), /✗/, 'it stays unfolded');
  await chromium.page.getByRole('radio', { name: 'now' }).check();
  await shoppers.locator('.ec-chip', { hasText: 'in since' }).waitFor();
});
