/** The server API: who may call it, what it takes, and how it says what is wrong. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { NUDGE, PRODUCTS } from '../harness/shopData.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

const ROUTES = ['/api/profiles?user_id=u', '/api/products', '/api/campaigns', '/api/campaigns/c', '/api/settings'];

test('every route but the description wants the secret key', async () => {
  for (const route of ROUTES) {
    for (const key of [undefined, '', 'wrong', 'x'.repeat(5000)]) {
      const { status, body } = await edge.api.with(key).get(route);
      assert.deepEqual([status, body.error?.code], [401, 'unauthorized'], `${route} with ${key?.slice(0, 9)}`);
    }
  }
  assert.equal((await edge.api.with().get('/api/openapi.json')).status, 200);
  assert.equal((await edge.api.with().get('/healthz')).status, 200);
});

test('a profile is asked for by exactly one identifier', async () => {
  for (const query of ['', '?anonymous_id=', '?user_id=a&email=b%40c.de', '?shoe_size=43']) {
    const { status, body } = await edge.api.get(`/api/profiles${query}`);
    assert.deepEqual([status, body.error?.code], [400, 'invalid_field'], query);
    assert.ok(body.error.path !== undefined && body.error.message);
  }
  for (const query of ['anonymous_id=nobody', 'user_id=nobody', 'email=nobody%40shop.example']) {
    const { status, body } = await edge.api.get(`/api/profiles?${query}`);
    assert.deepEqual([status, body.error?.code], [404, 'not_found'], query);
  }
});

test('one profile shows traits, counters, touchpoints and recent events', async () => {
  const visitor = new Visitor(edge);
  const landing = 'https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=may&gclid=g1';
  const events = [
    visitor.page(landing),
    visitor.product('Viewed', 'shoes-1', { category: 'shoes' }),
    visitor.product('Added', 'shoes-1', { category: 'shoes', quantity: 2, price: 12.5 }),
    visitor.identify('person-1', { email: 'Ada@Shop.example', name: 'Ada' }, edge.proof('person-1')),
  ];
  await visitor.send(events);
  const identifiers = [
    { anonymous_id: visitor.anonymousId },
    { user_id: 'person-1' },
    { email: 'ada@shop.example' },
  ];
  for (const identifier of identifiers) {
    const profile = await edge.api.profile(identifier);
    assert.equal(profile.traits.name, 'Ada', JSON.stringify(identifier));
    assert.deepEqual(profile.user_ids, ['person-1']);
    assert.ok(profile.device_ids.includes(visitor.deviceId));
    assert.equal(profile.products_viewed[0], 'shoes-1');
    assert.deepEqual([profile.cart.units, profile.cart.value_minor], [2, 2500]);
    assert.deepEqual(profile.touchpoints.first.utm, { source: 'news', medium: 'email', name: 'may' });
    assert.equal(profile.touchpoints.last.click_ids.gclid, 'g1');
    assert.equal(profile.counters.events, events.length);
    assert.equal(profile.events.length, events.length);
    assert.equal(profile.stage.current, 'prospect');
  }
});

test('a product is taken out of the catalogue, once', async () => {
  await edge.api.set('/api/products', { products: [{ ...PRODUCTS[0], id: 'for a week/only' }] });
  const path = `/api/products/${encodeURIComponent('for a week/only')}`;
  assert.equal((await edge.api.delete(path)).status, 204);
  const { status, body } = await edge.api.delete(path);
  assert.deepEqual([status, body.error.code], [404, 'not_found']);
  const ids = (await edge.api.get('/api/products')).body.products.map((/** @type {any} */ { id }) => id);
  assert.ok(!ids.includes('for a week/only'));
  assert.equal((await edge.api.with().delete(path)).status, 401);
});

test('products are put and listed', async () => {
  await edge.api.set('/api/products', { products: PRODUCTS });
  const { status, body } = await edge.api.get('/api/products');
  assert.equal(status, 200);
  const byId = new Map(body.products.map((/** @type {any} */ product) => [product.id, product]));
  for (const product of PRODUCTS) assert.deepEqual(byId.get(product.id), product);
});

test('putting a product again replaces it', async () => {
  const [first] = PRODUCTS;
  await edge.api.set('/api/products', { products: [{ ...first, title: 'Renamed' }] });
  const { body } = await edge.api.get('/api/products');
  const found = body.products.filter((/** @type {any} */ product) => product.id === first.id);
  assert.deepEqual(found.map((/** @type {any} */ product) => product.title), ['Renamed']);
});

test('a wrong product is refused with its path and nothing of the request is kept', async () => {
  const [good] = PRODUCTS;
  /** @type {[unknown, string][]} */
  const cases = [
    [{ products: [good, { ...good, id: '' }] }, 'products[1].id'],
    [{ products: [{ ...good, id: 'unkept' }, { ...good, price: { amount: 1.5, currency: 'EUR' } }] }, 'products[1].price.amount'],
    [{ products: [{ ...good, price: { amount: -1, currency: 'EUR' } }] }, 'products[0].price.amount'],
    [{ products: [{ ...good, price: { amount: 1, currency: 'EURO' } }] }, 'products[0].price.currency'],
    [{ products: [{ ...good, title: '' }] }, 'products[0].title'],
    [{ products: [{ ...good, url: 'javascript:alert(1)' }] }, 'products[0].url'],
    [{ products: {} }, 'products'],
  ];
  for (const [value, path] of cases) {
    const { status, body } = await edge.api.put('/api/products', value);
    assert.deepEqual([status, body.error?.path], [400, path], JSON.stringify(body));
  }
  const { body } = await edge.api.get('/api/products');
  assert.ok(!body.products.some((/** @type {any} */ product) => product.id === 'unkept'));
});

test('campaigns are put, read, listed and deleted', async () => {
  await edge.api.set('/api/campaigns/nudge', NUDGE);
  const { body: read } = await edge.api.get('/api/campaigns/nudge');
  assert.equal(read.id, 'nudge');
  assert.deepEqual(read.condition, NUDGE.condition);
  assert.equal(read.version, 1);
  await edge.api.set('/api/campaigns/nudge', { ...NUDGE, name: 'Second' });
  assert.equal((await edge.api.get('/api/campaigns/nudge')).body.version, 2);
  const { body: list } = await edge.api.get('/api/campaigns');
  assert.deepEqual(list.campaigns.map((/** @type {any} */ one) => [one.id, one.name]), [['nudge', 'Second']]);
  assert.ok([200, 204].includes((await edge.api.delete('/api/campaigns/nudge')).status));
  assert.equal((await edge.api.get('/api/campaigns/nudge')).status, 404);
});

test('a wrong campaign is refused with its path', async () => {
  /** @type {[object, string][]} */
  const cases = [
    [{ condition: { fact: 'shoe_size', op: '>', value: 1 } }, 'condition'],
    [{ condition: { all: [{ fact: 'orders', op: '~', value: 1 }] } }, 'condition.all[0]'],
    [{ condition: { all: [{ fact: 'orders', op: '>', value: 'many' }] } }, 'condition.all[0]'],
    [{ trigger: { dwell_seconds: -1 } }, 'trigger'],
    [{ trigger: { scroll_percent: 101 } }, 'trigger'],
    [{ content: { ...NUDGE.content, cta: { label: 'Go', url: 'javascript:alert(1)' } } }, 'content.cta.url'],
    [{ content: undefined }, ''],
    [{ type: 'carrier-pigeon' }, 'type'],
  ];
  for (const [change, path] of cases) {
    const { status, body } = await edge.api.put('/api/campaigns/bad', { ...NUDGE, ...change });
    assert.equal(status, 400, `${path}: ${JSON.stringify(body)}`);
    assert.ok(body.error.path.startsWith(path), `${body.error.path} is not below ${path}`);
  }
  for (const text of ['', '{', 'null', '[]', '['.repeat(100_000)]) {
    const { status, body } = await edge.api.put('/api/campaigns/bad', text);
    assert.equal(status, 400, text.slice(0, 9));
    assert.match(body.error.code, /^invalid_/);
  }
  assert.equal((await edge.api.get('/api/campaigns/bad')).status, 404);
});

test('a condition nested without end is refused, not run', async () => {
  let condition = /** @type {any} */ ({ fact: 'orders', op: '>', value: 1 });
  for (let depth = 0; depth < 100; depth += 1) condition = { not: condition };
  const { status, body } = await edge.api.put('/api/campaigns/deep', { ...NUDGE, condition });
  assert.equal(status, 400);
  assert.match(body.error.path, /^condition/);
});

test('settings have defaults, are changed in part, and are checked', async () => {
  const { body: defaults } = await edge.api.get('/api/settings');
  assert.equal(defaults.cart_push.after_seconds, 1800);
  await edge.api.set('/api/settings', { time_zone: 'Asia/Taipei', cart_push: { after_seconds: 5 } });
  const { body: changed } = await edge.api.get('/api/settings');
  assert.deepEqual([changed.time_zone, changed.cart_push.after_seconds], ['Asia/Taipei', 5]);
  assert.deepEqual(changed.cart_push.stages, defaults.cart_push.stages);
  for (const [value, path] of /** @type {[object, string][]} */ ([
    [{ currency: 'money' }, 'currency'],
    [{ cart_push: { after_seconds: -5 } }, 'cart_push.after_seconds'],
    [{ cart_push: { stages: ['asleep?'] } }, 'cart_push.stages'],
    [{ cart_push: { url: 'javascript:alert(1)' } }, 'cart_push.url'],
  ])) {
    const { status, body } = await edge.api.put('/api/settings', value);
    assert.equal(status, 400, path);
    assert.ok(body.error.path.startsWith(path), `${body.error.path} is not ${path}`);
  }
});

test('a path that the edge does not know is answered in JSON', async () => {
  const { status, body } = await edge.api.get('/api/nothing');
  assert.deepEqual([status, body.error.code], [404, 'not_found']);
  const wrong = await edge.api.delete('/api/products');
  assert.deepEqual([wrong.status, wrong.body.error.code], [405, 'method_not_allowed']);
});

test('names in paths are percent-decoded, once', async () => {
  const saved = async () => {
    const { campaigns } = (await edge.api.get('/api/campaigns')).body;
    return campaigns.map((/** @type {any} */ { id }) => id);
  };
  const before = await saved();
  const names = { 's%20x': 's x', 's%2520x': 's%20x', 'a%2Fb': 'a/b', 'caf%C3%A9': 'café', 'a+b': 'a+b' };
  for (const [path, name] of Object.entries(names)) {
    assert.equal((await edge.api.set(`/api/campaigns/${path}`, NUDGE)).id, name);
    assert.equal((await edge.api.get(`/api/campaigns/${path}`)).body.id, name);
  }
  assert.deepEqual((await saved()).sort(), [...before, ...Object.values(names)].sort());
  for (const path of Object.keys(names)) assert.equal((await edge.api.delete(`/api/campaigns/${path}`)).status, 204);
  assert.deepEqual(await saved(), before);
  const hook = await edge.api.put('/api/webhooks/my%20till', { preset: 'shopify' });
  assert.deepEqual([hook.status, hook.body.source], [200, 'my till']);
  assert.equal((await edge.api.delete('/api/webhooks/my%20till')).status, 204);
});

test('a path that spells no name is refused by the field', async () => {
  for (const path of ['%', '%zz', '%ff', '%c3', 'a/b', '%00']) {
    const { status, body } = await edge.api.put(`/api/campaigns/${path}`, NUDGE);
    assert.deepEqual([status, body.error.path], [400, 'campaign_id'], path);
    assert.equal((await edge.api.put(`/api/webhooks/${path}`, { preset: 'shopify' })).status, 400, path);
    assert.equal((await edge.fetch(`/v1/webhooks/${path}`, { method: 'POST', body: '{}' })).status, 400, path);
  }
});
