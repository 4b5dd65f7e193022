/** What visitors read in a pop-up: names instead of IDs, what stands there where there is no name, and the shop's own looks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inShop } from '../harness/inShop.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

const LOOKS = `<style>:root { --endcap-button-radius: 3px; --endcap-heading-font: "Courier New", monospace; }</style>`;
/** A look at a product of a category, before the script can be there. @param {string} category */
const looking = (category) => shopPage({ head: `${LOOKS}<script>window.endcap = [['track', ['Product Viewed', { product_id: 'p', category: '${category}' }], 0, 0]];</script>` });

const PAGES = { '/named': looking('c-1023'), '/unnamed': looking('c-7'), '/unsaid': looking('c-7'), '/none': shopPage() };

/** @param {import('../harness/edge.mjs').Edge} edge */
async function prepare(edge) {
  await edge.api.set('/api/settings', { push_prompt: { enabled: false } });
  await edge.api.set('/api/products', { products: [{ ...PRODUCTS[0], id: 'named', category: 'c-1023', category_name: 'Rain jackets' }] });
  const viewed = { some_category: { fact: 'products_viewed', category: '$', op: '>=', value: 1 } };
  const trigger = { immediately: true };
  /** @param {string} placeholder */
  const content = (placeholder) => ({ title: `More of ${placeholder}`, body: 'A body', cta: { label: `See ${placeholder}`, url: '/c/{{category_id}}' } });
  const either = { any: [viewed, { fact: 'orders', op: '=', value: 0 }] };
  for (const [id, condition, include, words] of [
    ['said', viewed, ['/named', '/unnamed'], content('{{category | "what you saw"}}')],
    ['unsaid', viewed, ['/unsaid'], content('{{category}}')],
    ['none', either, ['/none'], { title: 'More of {{category | "everything"}}', cta: { label: 'See', url: '/c/{{category_id | "all"}}' } }],
  ])
    await edge.api.set(`/api/campaigns/${id}`, { name: 'Texts', type: 'popup', condition, trigger, content: words, pages: { include } });
}

inShop(PAGES, (page, shop) => {
  /** What is read, where the button leads, and how they look. @returns {Promise<{title: string, href: string, radius: string, font: string}>} */
  const read = () =>
    until(
      () =>
        page.run(() => {
          const root = document.querySelector('endcap-popup')?.shadowRoot;
          const [title, button] = [root?.querySelector('.title'), root?.querySelector('a.cta')];
          if (!title || !button) return undefined;
          const { borderRadius: radius } = getComputedStyle(button);
          return { title: title.textContent, href: button.getAttribute('href'), radius, font: getComputedStyle(title).fontFamily };
        }),
      { what: 'the pop-up opens' },
    );

  for (const [what, path, title, href] of [
    ['its name', '/named', 'More of Rain jackets', '/c/c-1023'],
    ['what stands there otherwise, where it has no name', '/unnamed', 'More of what you saw', '/c/c-7'],
    ['its ID, where nothing else is said', '/unsaid', 'More of c-7', '/c/c-7'],
    ['what stands there otherwise, where the condition held without one', '/none', 'More of everything', '/c/all'],
  ]) {
    test(`a category is read by ${what}`, async () => {
      await page.open(String(path));
      const seen = await read();
      assert.deepEqual([seen.title, seen.href], [title, href]);
      assert.deepEqual(await page.run((page) => page.thrown), []);
    });
  }

  test("buttons and headings have the shop's own looks", async () => {
    await page.open('/named');
    const { radius, font } = await read();
    assert.equal(radius, '3px');
    assert.match(font, /Courier New/);
  });

  test('a placeholder that nothing fills is refused with its path and the known ones, wherever it is saved', async () => {
    const { api } = shop.edge;
    for (const name of ['categoryid', 'first_name']) {
      const content = { title: `Hi {{${name}}}` };
      const { status, body } = await api.put('/api/campaigns/wrong', { name: 'n', type: 'popup', trigger: { immediately: true }, content });
      assert.deepEqual([status, body.error.path], [400, 'content.title']);
      assert.match(body.error.message, new RegExp(`\\{\\{${name}\\}\\}.*\\{\\{category\\}\\}, \\{\\{category_id\\}\\}`));
    }
    for (const [path, settings] of /** @type {[string, object][]} */ ([
      ['cart_push.title', { cart_push: { title: 'Hi {{first_name}}' } }],
      ['push_prompt.body', { push_prompt: { body: 'About {{category}}' } }],
    ])) {
      const { status, body } = await api.put('/api/settings', settings);
      assert.deepEqual([status, body.error.path], [400, path]);
    }
  });
}, { prepare });
