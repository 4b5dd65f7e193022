/** What a shop pushes into its data layer, as an order at the edge: its number, its total, its currency and its units. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inShop } from '../harness/inShop.mjs';
import { shopPage } from '../harness/shopPage.mjs';

/** @param {string} id @param {object} [more] */
const item = (id, more) => ({ item_id: id, price: 10, quantity: 1, ...more });
const MANY = Array.from({ length: 120 }, (_, at) => item(`p-${at}`));

/** What is pushed, and the order that comes of it. @type {[string, object[], string][]} */
const PUSHED = [
  ['items are an object with numbers as names', [{ event: 'purchase', ecommerce: { transaction_id: 'o-1', value: 25, currency: 'EUR', items: { 0: item('a'), 1: item('b') } } }], 'o-1 2500 EUR 2'],
  ['items are one object', [{ event: 'purchase', ecommerce: { transaction_id: 'o-2', value: 25, currency: 'USD', items: item('a') } }], 'o-2 2500 USD 1'],
  ['the data comes before the event', [{ ecommerce: { transaction_id: 'o-3', value: 12.5, items: [item('a')] } }, { event: 'purchase' }], 'o-3 1250 EUR 1'],
  ['it is of enhanced e-commerce, without an event', [{ ecommerce: { currencyCode: 'EUR', purchase: { actionField: { id: 'o-4', revenue: '30.00' }, products: [{ id: 'a', price: '15.00', quantity: 2 }] } } }], 'o-4 3000 EUR 2'],
  ['the total is written for people', [{ event: 'purchase', ecommerce: { transaction_id: 'o-5', value: '1.299,00 €', items: [item('a')] } }], 'o-5 129900 EUR 1'],
  ['it has more than a hundred items and no total', [{ event: 'purchase', ecommerce: { transaction_id: 'o-6', currency: 'EUR', items: MANY } }], 'o-6 120000 EUR 100'],
];

const PAGES = Object.fromEntries(
  PUSHED.map(([, pushes], at) => [`/thanks/${at}`, shopPage({ head: `<script>window.dataLayer = []; for (const one of ${JSON.stringify(pushes)}) dataLayer.push(one);</script>` })]),
);

inShop(PAGES, (page, shop) => {
  for (const [at, [what, , wanted]] of PUSHED.entries()) {
    test(`an order counts although ${what}`, async () => {
      await page.open(`/thanks/${at}`);
      await page.event('Order Completed');
      const id = await page.run((page) => page.endcap.anonymousId());
      const { orders } = await shop.edge.api.profile({ anonymous_id: id });
      assert.deepEqual(orders.map((/** @type {any} */ one) => `${one.order_id} ${one.revenue_minor} ${one.currency} ${one.units}`), [wanted]);
      assert.deepEqual(await page.run((page) => page.thrown), []);
    });
  }

  test('what was cut is told', async () => {
    const { body } = await shop.edge.api.get('/api/quarantine?kind=warning&code=field_cut');
    assert.ok(body.warnings[0].samples.some((/** @type {any} */ one) => one.path === 'properties.products'));
  });
});
