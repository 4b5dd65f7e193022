/** What a visitor brings about must never choose the host that a click leads to. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

const BAD = [
  'https://{{category_id}}/x',
  'https://{{category_id}}.shop.example/x',
  'https://shop.example{{category_id}}/x',
  'https://shop.example:{{category_id}}/x',
  'https:///evil.example',
  'https://user:pw@shop.example/',
  'https://shop.example@evil.example/',
  'https://shop.example\\@evil.example/',
  'https:evil.example',
  '//evil.example/x',
  '/\\evil.example',
  '/{{category_id}}/evil.example',
  '/x#{{category_id}}',
  'javascript:alert(1)',
  'data:text/html,x',
];
const OWN = ['/', '/c/{{category_id}}?from={{category}}'];
const OTHERS = ['https://shop.example/{{category_id}}/x', 'https://shop.example?c={{category_id}}'];

/** A condition that finds a category, which a button's address may then name. */
const FINDS = { some_category: { fact: 'products_viewed', category: '$', op: '>=', value: 2 } };

const price = { amount: 100, currency: 'EUR' };
/** @type {Record<string, {path: string, own?: string[], put(url: string): Promise<import('../harness/api.mjs').Answer>}>} */
const WRITERS = {
  'a campaign\'s button': {
    path: 'content.cta.url',
    put: (url) => edge.api.put('/api/campaigns/c', { name: 'c', type: 'popup', content: { title: 't', cta: { label: 'Go', url } }, condition: FINDS }),
  },
  'a product': {
    path: 'products[0].url',
    put: (url) => edge.api.put('/api/products', { products: [{ id: 'p', title: 'P', category: 'c', url, image: '/p.png', price }] }),
  },
  'a product\'s picture': {
    path: 'products[0].image',
    put: (image) => edge.api.put('/api/products', { products: [{ id: 'p', title: 'P', category: 'c', url: '/p', image, price }] }),
  },
  'a notification': {
    path: 'cart_push.url',
    own: ['/', '/cart?from=push'],
    put: (url) => edge.api.put('/api/settings', { cart_push: { url } }),
  },
};

for (const [what, { path, own, put }] of Object.entries(WRITERS)) {
  test(`the address of ${what} names its host itself`, async () => {
    for (const url of BAD) {
      const { status, body } = await put(url);
      assert.deepEqual([status, body.error?.path], [400, path], `${url}: ${JSON.stringify(body)}`);
    }
    for (const url of own ?? [...OWN, ...OTHERS]) {
      const { status, body } = await put(url);
      assert.ok(status < 300, `${url}: ${JSON.stringify(body)}`);
    }
  });
}
