/** How visitors came: first, last and all touches with their channels, as the server API shows them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { Visitor } from '../harness/visitor.mjs';

const SHOP = 'https://shop.example/';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ variables: { ENDCAP_SOURCES: JSON.stringify({ [SOURCE]: ['https://shop.example', 'https://shop.example.org'] }) } });
});
after(() => edge.stop());

/**
 * Begins a visit on a page.
 *
 * @param {Visitor} visitor
 * @param {string} url
 * @param {string} [referrer]
 */
async function visit(visitor, url, referrer = '') {
  visitor.sessionId = uuid();
  const view = visitor.page(url);
  await visitor.send([{ ...view, context: { page: { ...view.context.page, referrer } } }]);
}

/** @param {Visitor} visitor */
const touches = async (visitor) => (await edge.api.profile({ anonymous_id: visitor.anonymousId })).touchpoints;

test('the first and the last touch, the last that is not direct, and all between, each with its channel', async () => {
  const visitor = new Visitor(edge);
  await visit(visitor, SHOP, 'https://www.google.de/');
  await visit(visitor, `${SHOP}?utm_source=mail&utm_medium=email&utm_campaign=spring&utm_place=top&utm_team=a%20b&mc=1`);
  await visit(visitor, `${SHOP}c/shoes?gclid=g-1&utm_content=x`, 'https://www.google.de/');
  await visit(visitor, SHOP, 'https://l.facebook.com/');
  await visit(visitor, SHOP);
  const { first, last, last_non_direct: lastNonDirect, all } = await touches(visitor);
  assert.deepEqual(all.map((/** @type {any} */ one) => [one.channel, one.source, one.medium]), [
    ['Organic Search', 'google', 'organic'],
    ['Email', 'mail', 'email'],
    ['Paid Search', 'google', 'cpc'],
    ['Organic Social', 'l.facebook.com', 'referral'],
    ['Direct', '(direct)', '(none)'],
  ]);
  assert.deepEqual([first, last, lastNonDirect], [all[0], all[4], all[3]]);
  assert.deepEqual(all[1].utm, { source: 'mail', medium: 'email', name: 'spring', place: 'top', team: 'a b' });
  assert.deepEqual(all[2].click_ids, { gclid: 'g-1' });
  assert.ok(all.every((/** @type {any} */ one) => Math.abs(one.at - Date.now()) < 60_000));
});

test('who comes back from paying, or from a domain of the shop, did not arrive anew', async () => {
  const { body: settings } = await edge.api.get('/api/settings');
  await edge.api.set('/api/settings', { ...settings, ignored_referrers: ['bank.example'] });
  const visitor = new Visitor(edge);
  await visit(visitor, SHOP, 'https://www.google.de/');
  for (const back of ['https://www.paypal.com/checkoutnow', 'https://checkout.stripe.com/c/pay/1', 'https://payment.ecpay.com.tw/', 'https://3ds.bank.example/', 'https://shop.example.org/cart', 'https://shop.example/cart']) {
    const view = visitor.page(`${SHOP}thanks`);
    await visitor.send([{ ...view, context: { page: { ...view.context.page, referrer: back } } }]);
  }
  const { all } = await touches(visitor);
  assert.deepEqual(all.map((/** @type {any} */ one) => one.channel), ['Organic Search']);
  const wrong = await edge.api.put('/api/settings', { ...settings, ignored_referrers: ['https://bank.example/'] });
  assert.deepEqual([wrong.status, wrong.body.error.path], [400, 'ignored_referrers[0]']);
  await edge.api.set('/api/settings', settings);
});

test('a campaign in a fragment that is a route is read', async () => {
  const visitor = new Visitor(edge);
  await visit(visitor, `${SHOP}?a=1#/p/7?utm_source=mail&utm_medium=email`);
  assert.deepEqual((await touches(visitor)).all.map((/** @type {any} */ one) => [one.channel, one.source]), [['Email', 'mail']]);
});

test('pages of one visit are one touch', async () => {
  const visitor = new Visitor(edge);
  await visitor.send([visitor.page(SHOP), visitor.page(`${SHOP}c/shoes`), visitor.page(`${SHOP}p/1`)]);
  assert.deepEqual((await touches(visitor)).all.map((/** @type {any} */ one) => one.channel), ['Direct']);
});

test('calls that were sent raw get the same touches', async () => {
  const visitor = new Visitor(edge);
  const raw = [{ message_id: uuid(), timestamp: Date.now(), call: ['page'], url: `${SHOP}?msclkid=m`, referrer: '' }];
  await visitor.post(visitor.batch([], { raw }));
  const { all } = await touches(visitor);
  assert.deepEqual(all.map((/** @type {any} */ one) => [one.channel, one.source]), [['Paid Search', 'bing']]);
});
