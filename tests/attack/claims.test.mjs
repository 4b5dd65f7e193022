/**
 * Somebody knows a user ID and an e-mail address, and says that they are that person. Nothing of it reaches the person: what
 * they are shown, counted as and sent stays as it was.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge, SHOP_ORIGIN, SOURCE } from '../harness/edge.mjs';
import { uuid } from '../harness/ids.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @typedef {Record<string, any>} Json */

const OTHER = 'partner';

/** @type {Edge} */
let edge;
before(async () => {
  const sources = { [SOURCE]: [SHOP_ORIGIN], [OTHER]: [SHOP_ORIGIN] };
  edge = await Edge.start({ shop: true, variables: { ENDCAP_SOURCES: JSON.stringify(sources) } });
});
after(() => edge.stop());

/** The person, without the list of claims. @param {string} user */
async function person(user) {
  const { unproved, ...rest } = await edge.api.profile({ user_id: user });
  return { unproved, rest };
}

/** Another vendor's call, with the shop's secret or with the public key that every page shows. @param {string} path @param {Json} call @param {string} key */
async function vendor(path, call, key = edge.serverKey) {
  const Authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const headers = { 'Content-Type': 'application/json', Authorization, ...(key === SOURCE && { Origin: SHOP_ORIGIN }) };
  const answer = await edge.fetch(`/v1/${path}`, { method: 'POST', headers, body: JSON.stringify({ messageId: uuid(), ...call }) });
  assert.equal(answer.status, 200, await answer.text());
}

/** What the edge decides for a browser now, as the page sees it. @param {Visitor} visitor */
async function shown(visitor) {
  const { behaviour, campaigns, slots } = await visitor.decision();
  return { behaviour, campaigns, slots };
}

/** A known customer on a browser of their own: a cart, and an order of 500 EUR. @param {string} user */
async function customer(user) {
  const email = `${user}@shop.example`;
  const browser = new Visitor(edge);
  await browser.send([browser.identify(user, { name: 'The real one' }, edge.proof(user))]);
  await vendor('identify', { userId: user, traits: { email } });
  await browser.send([browser.order('1003', [{ product_id: 'boot', price: 500, category: 'shoes' }])]);
  await browser.send([browser.product('Added', 'clog', { category: 'shoes', price: 80 })]);
  return { browser, email };
}

test('orders, carts, traits and texts of somebody who only knows the user ID change nothing of the person', async () => {
  const { browser, email } = await customer('ann');
  const before = { ...(await person('ann')), shown: await shown(browser) };
  assert.equal(before.unproved, undefined);

  const attacker = new Visitor(edge);
  await attacker.send([attacker.identify('ann', { email, name: 'Owned', vip: true })]);
  for (let number = 1001; number <= 1005; number += 1) {
    await attacker.send([attacker.order(String(number), [{ product_id: 'clog', price: 0.01, category: '<b>mine</b>' }])]);
  }
  await attacker.send([attacker.product('Viewed', 'coat', { category: 'the attacker was here' })]);
  await attacker.send([attacker.track('Cart Viewed', { products: [] })]);
  // The same by another vendor's client, with the key that every page shows.
  await vendor('identify', { userId: 'ann', traits: { email, vip: true } }, SOURCE);
  await vendor('track', { userId: 'ann', event: 'Order Completed', properties: { order_id: '1003', revenue: 0.01, currency: 'EUR' } }, SOURCE);

  const after = await person('ann');
  assert.deepEqual(after.rest, before.rest);
  assert.deepEqual(await shown(browser), before.shown);
  assert.deepEqual([after.rest.counters.orders, after.rest.counters.revenue, after.rest.cart.units], [1, { EUR: 50_000 }, 1]);
  assert.equal((await edge.api.profile({ email })).profile_id, before.rest.profile_id);

  // It is listed, and it is whole where it happened: at the browsers that said it.
  const { browsers, orders, events, claims } = after.unproved;
  assert.deepEqual([browsers, orders], [2, 6]);
  assert.equal(events, claims.reduce((/** @type {number} */ sum, /** @type {Json} */ claim) => sum + claim.events, 0));
  const own = await edge.api.profile({ anonymous_id: attacker.anonymousId });
  assert.deepEqual([own.user_ids, own.claimed_user_ids, own.counters.orders], [[], ['ann'], 5]);
  const listed = claims.find((/** @type {Json} */ claim) => claim.profile_id === own.profile_id);
  assert.deepEqual([listed.source, listed.orders], [SOURCE, 5]);
});

test('the browser that claims hears so, and stays a visitor of its own with a decision of its own', async () => {
  const { browser } = await customer('bea');
  const claiming = new Visitor(edge);
  await claiming.send([claiming.product('Added', 'coat', { category: 'coats' })]);
  const alone = await edge.api.profile({ anonymous_id: claiming.anonymousId });
  const { warnings } = await claiming.send([claiming.identify('bea')]);
  assert.deepEqual(warnings.map((/** @type {Json} */ { code, path }) => [code, path]), [['claim_listed', 'user_id']]);
  const claimed = await edge.api.profile({ anonymous_id: claiming.anonymousId });
  assert.deepEqual([claimed.profile_id, claimed.cart.units], [alone.profile_id, 1]);
  const seen = (/** @type {Visitor} */ visitor) => shown(visitor).then(({ behaviour }) => Buffer.from(behaviour, 'base64url').toString('latin1'));
  assert.deepEqual([(await seen(claiming)).includes('clog'), (await seen(browser)).includes('clog')], [false, true]);

  // The shop's proof moves it in, with its past.
  await claiming.send([claiming.identify('bea', {}, edge.proof('bea'))]);
  const { rest, unproved } = await person('bea');
  assert.ok(rest.anonymous_ids.includes(claiming.anonymousId));
  assert.deepEqual([rest.cart.lines[0].product_id, unproved], ['coat', undefined], 'the cart that changed last');
});

test('two browsers that claim the same do not meet each other', async () => {
  const [one, other] = [new Visitor(edge), new Visitor(edge)];
  await one.send([one.product('Viewed', 'secret-of-one'), one.identify('nobody-proved')]);
  await other.send([other.identify('nobody-proved'), other.product('Viewed', 'of-other')]);
  const names = await Promise.all([one, other].map((visitor) => edge.api.profile({ anonymous_id: visitor.anonymousId })));
  assert.notEqual(names[0].profile_id, names[1].profile_id);
  assert.deepEqual(names[1].products_viewed, ['of-other']);
});

test('a claim does not take a browser from the user who was proved on it', async () => {
  const { browser } = await customer('cora');
  const { warnings } = await browser.send([browser.identify('somebody-else', { name: 'Else' }), browser.product('Viewed', 'still-hers')]);
  assert.equal(warnings[0].code, 'claim_against_proof');
  const { rest } = await person('cora');
  assert.equal(rest.products_viewed[0], 'still-hers');
  assert.deepEqual([rest.user_ids, rest.traits.name], [['cora'], 'The real one']);
});

test('an order that browser and server tell of counts once, with the figures of the server', async () => {
  for (const [user, first] of [['dora', 'browser'], ['emma', 'server']]) {
    const visitor = new Visitor(edge);
    await visitor.send([visitor.identify(user, {}, edge.proof(user))]);
    const browser = () => visitor.send([visitor.order('77', [{ product_id: 'boot', price: 0.01 }])]);
    const server = () => vendor('track', {
      userId: user,
      event: 'Order Completed',
      properties: { order_id: '77', revenue: 120, currency: 'EUR', products: [{ product_id: 'boot', price: 120, quantity: 1 }] },
    });
    for (const tell of first === 'browser' ? [browser, server] : [server, browser]) await tell();
    const { rest } = await person(user);
    assert.deepEqual([rest.counters.orders, rest.counters.revenue], [1, { EUR: 12_000 }], first);
  }
});

test('what an earlier version joined by a claim counts for nothing at once, and goes home with the next write', async () => {
  const { browser } = await customer('hope');
  const before = await person('hope');
  const guest = new Visitor(edge);
  await guest.send([guest.product('Added', 'coat', { category: 'coats' }), guest.identify('hope', { vip: true })]);
  const join = { fragment: guest.anonymousId, profile_id: before.rest.profile_id };
  const joined = await edge.fetch('/ec/dev/join-by-claim', { method: 'POST', body: JSON.stringify(join) });
  assert.equal(joined.status, 200, await joined.text());
  // As the earlier version left it: the guest's fragment lies in the row of the person.
  assert.equal((await edge.api.profile({ anonymous_id: guest.anonymousId })).profile_id, before.rest.profile_id);
  const counted = (/** @type {Json} */ { cart, counters, orders, traits }) => ({ cart, counters, orders, traits });
  assert.deepEqual(counted((await person('hope')).rest), counted(before.rest));

  await browser.send([browser.product('Viewed', 'boot', { category: 'shoes' })]);
  const own = () => edge.api.profile({ anonymous_id: guest.anonymousId });
  await until(async () => (await own()).profile_id === guest.anonymousId, { what: 'the guest is at home' });
  const { rest, unproved } = await person('hope');
  assert.deepEqual([rest.anonymous_ids.includes(guest.anonymousId), unproved.browsers], [false, 1]);
  assert.deepEqual([(await own()).cart.units, (await own()).traits], [1, { vip: true }], 'with all that it did');
});

test('claims of a source that the shop trusts count like facts, but at nobody who proved a browser, and health says so', async () => {
  const refused = await edge.api.put('/api/settings', { identity: { claims: { '*': 'trust' } } });
  assert.deepEqual([refused.status, refused.body.error.path], [400, 'identity.claims.*']);
  await edge.api.set('/api/settings', { identity: { claims: { [OTHER]: 'trust' } } });
  await edge.restart({ ENDCAP_SNAPSHOT_TTL_MS: '0' });
  const health = (await edge.api.get('/api/health')).body;
  assert.deepEqual([health.status, health.findings.map((/** @type {Json} */ { code }) => code)], ['attention', ['claims_trusted']]);

  await vendor('track', { userId: 'fay', event: 'Paid', properties: {} });
  await customer('gina');
  const claims = new Visitor(edge);
  const claim = (/** @type {string} */ user) => claims.post(claims.batch([claims.identify(user)], { source: OTHER }));
  assert.equal((await claim('fay')).body.warnings, undefined);
  assert.ok((await person('fay')).rest.anonymous_ids.includes(claims.anonymousId));
  const other = new Visitor(edge);
  await other.post(other.batch([other.identify('gina')], { source: OTHER }));
  const { rest, unproved } = await person('gina');
  assert.deepEqual([rest.anonymous_ids.includes(other.anonymousId), unproved.browsers], [false, 1]);

  // Taken back, it ends for those who joined by it, too.
  await edge.api.set('/api/settings', { identity: {} });
  await edge.restart({ ENDCAP_SNAPSHOT_TTL_MS: '0' });
  assert.equal((await person('fay')).rest.anonymous_ids.includes(claims.anonymousId), true, 'listed until the next write');
  await claims.post(claims.batch([claims.track('Later')], { source: OTHER }));
  await until(async () => !(await person('fay')).rest.anonymous_ids.includes(claims.anonymousId), { what: 'trust ends' });
  await edge.api.set('/api/settings', { identity: { claims: { [OTHER]: 'trust' } } });
  await edge.restart({ ENDCAP_SNAPSHOT_TTL_MS: '0' });
  await claim('fay');
  assert.ok((await person('fay')).rest.anonymous_ids.includes(claims.anonymousId), 'and begins again');

  // A proof of the same user ends what was only claimed.
  const real = new Visitor(edge);
  await real.send([real.identify('fay', {}, edge.proof('fay'))]);
  await until(async () => !(await person('fay')).rest.anonymous_ids.includes(claims.anonymousId), { what: 'the claim leaves' });
});
