/** What the reply to a batch decides: slots, campaigns, and the offer of web push. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN } from '../harness/edge.mjs';
import { NUDGE, PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
  await edge.api.set('/api/products', { products: PRODUCTS });
});
after(() => edge.stop());

/**
 * The products of one slot.
 *
 * @param {Visitor} visitor
 * @param {string} name
 * @param {Record<string, unknown>} [ask]
 */
async function slot(visitor, name, ask = {}) {
  const { slots } = await visitor.decision({ slots: [{ name, limit: 4 }], ...ask });
  const { reason, items } = slots[name];
  return { reason, items, ids: items.map((/** @type {any} */ item) => item.id) };
}

test('the very first visit gets what sells best, whole products, as many as asked for', async () => {
  for (let order = 0; order < 3; order += 1) {
    const buyer = new Visitor(edge);
    await buyer.send([buyer.order(`best-${order}`, [{ product_id: 'shoes-3', category: 'shoes', quantity: 5 }])]);
  }
  const first = await until(
    async () => {
      const seen = await slot(new Visitor(edge), 'home');
      return seen.ids[0] === 'shoes-3' && seen;
    },
    { what: 'the best seller leads' },
  );
  assert.equal(first.reason, 'best_sellers');
  assert.equal(first.items.length, 4);
  assert.equal(new Set(first.ids).size, 4);
  assert.deepEqual(first.items[0], PRODUCTS.find(({ id }) => id === 'shoes-3'));
});

test('what other visitors viewed together is recommended, and never the product of the page', async () => {
  for (let n = 0; n < 6; n += 1) {
    const other = new Visitor(edge);
    await other.send([
      other.product('Viewed', 'trousers-1', { category: 'trousers' }),
      other.product('Viewed', 'shoes-6', { category: 'shoes' }),
    ]);
  }
  const visitor = new Visitor(edge);
  await visitor.send([visitor.product('Viewed', 'trousers-1', { category: 'trousers' })]);
  const seen = await until(
    async () => {
      const now = await slot(visitor, 'product', { product_id: 'trousers-1', url: `${SHOP_ORIGIN}/p/trousers-1` });
      return now.reason === 'co_viewed' && now;
    },
    { what: 'co-views are known' },
  );
  assert.equal(seen.ids[0], 'shoes-6');
  assert.ok(!seen.ids.includes('trousers-1'));
  assert.equal((await slot(visitor, 'home')).ids[0], 'shoes-6');
});

test('a product that cannot be bought any more is not recommended', async () => {
  const sold = PRODUCTS.map((one) => (one.id === 'shoes-3' ? { ...one, available: false } : one));
  await edge.api.set('/api/products', { products: sold });
  await until(async () => !(await slot(new Visitor(edge), 'home')).ids.includes('shoes-3'), { what: 'it is left out' });
  await edge.api.set('/api/products', { products: PRODUCTS });
});

test('a slot never gives more than its bound, and nonsense asks give nothing', async () => {
  const visitor = new Visitor(edge);
  const { slots } = await visitor.decision({ slots: [{ name: 'home', limit: 100_000 }, { name: '', limit: 4 }] });
  assert.ok(slots.home.items.length <= 24);
  assert.deepEqual(Object.keys(slots), ['home']);
});

test('a campaign is eligible exactly when its condition holds', async () => {
  await edge.api.set('/api/campaigns/nudge', NUDGE);
  const visitor = new Visitor(edge);
  const offer = async () => (await visitor.decision()).campaigns.find((/** @type {any} */ { id }) => id === 'nudge');
  const first = await until(offer, { what: 'the campaign is offered' });
  assert.equal(first.eligible, false);
  assert.ok(first.why.startsWith('not yet'), first.why);

  await visitor.send([
    visitor.product('Viewed', 'trousers-1', { category: 'trousers' }),
    visitor.product('Viewed', 'trousers-1', { category: 'trousers' }),
    visitor.product('Added', 'shoes-1', { category: 'shoes' }),
  ]);
  assert.equal((await offer()).eligible, false, 'one product viewed twice is one product');

  await visitor.send([visitor.product('Viewed', 'trousers-2', { category: 'trousers' })]);
  const now = await offer();
  assert.equal(now.eligible, true, now.why);
  assert.equal(now.popup.title, NUDGE.content.title);
  assert.ok(now.program.length > 0);
  assert.ok(now.products.trousers.length > 0);

  await visitor.send([visitor.order('o-trousers', [{ product_id: 'trousers-2', category: 'trousers' }])]);
  assert.equal((await offer()).eligible, false, 'bought one of the category, and the cart is empty');
});

test('a campaign that was shown as often as allowed is not eligible again', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([
    visitor.product('Viewed', 'shoes-1', { category: 'shoes' }),
    visitor.product('Viewed', 'shoes-2', { category: 'shoes' }),
    visitor.product('Added', 'shoes-2', { category: 'shoes' }),
  ]);
  const eligible = async () => (await visitor.decision()).campaigns[0].eligible;
  assert.equal(await eligible(), true);
  const shown = () =>
    visitor.event('impression', { name: 'Campaign Shown', properties: { campaign_id: 'nudge', version: 1 } });
  await visitor.send([shown()]);
  assert.equal(await eligible(), false, 'once per session');
  visitor.sessionId = 'another-session';
  await visitor.send([visitor.page(`${SHOP_ORIGIN}/`)]);
  assert.equal(await eligible(), true, 'a new session');
  await visitor.send([shown()]);
  visitor.sessionId = 'a-third-session';
  await visitor.send([visitor.page(`${SHOP_ORIGIN}/`)]);
  assert.equal(await eligible(), false, 'twice within seven days');
});

test('a campaign is offered only on its pages, while it is enabled, to who agreed to personalization', async () => {
  const visitor = new Visitor(edge);
  const offered = async (/** @type {string} */ path) =>
    (await visitor.decision({ url: SHOP_ORIGIN + path })).campaigns.length > 0;
  assert.equal(await offered('/c/shoes'), true);
  assert.equal(await offered('/checkout'), false);
  visitor.consent = { analytics: true, personalization: false, marketing: false };
  await visitor.send([visitor.page(`${SHOP_ORIGIN}/`)]);
  assert.equal(await offered('/c/shoes'), false);
  visitor.consent = { analytics: true, personalization: true, marketing: false };
  await visitor.send([visitor.page(`${SHOP_ORIGIN}/`)]);
  assert.equal(await offered('/c/shoes'), true);
  await edge.api.set('/api/campaigns/nudge', { ...NUDGE, enabled: false });
  await until(async () => !(await offered('/c/shoes')), { what: 'the disabled campaign is withdrawn' });
});

test('the offer of web push carries the public key', async () => {
  const { push } = await new Visitor(edge).decision();
  assert.equal(push.public_key, edge.pushKey);
  assert.equal(push.subscribed, false);
  assert.ok(push.prompt.title && push.prompt.accept && push.prompt.later);
});
