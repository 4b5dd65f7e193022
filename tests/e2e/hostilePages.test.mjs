/**
 * Pages that replace what browsers have, and hand over what JSON cannot hold: the event arrives, and what was left out is said.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inShop } from '../harness/inShop.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

/** What pages do to a browser, each before the script is there. @type {Record<string, string>} */
const PATCHES = {
  // Prototype.js 1.6 and 1.7.
  'lists, text and dates have a toJSON of their own': `
    for (const one of [Array, String, Number]) one.prototype.toJSON = function () { return 'patched'; };
    Date.prototype.toJSON = function () { return '"' + this.toISOString() + '"'; };
    Array.from = (list) => { const all = []; for (let at = 0; at < list.length; at++) all.push(list[at]); return all; };
    Array.prototype.unknown = Object.prototype.unknown = function () {};`,
  'JSON.stringify throws': `JSON.stringify = () => { throw new Error('patched'); };`,
  'JSON.stringify says something else': `JSON.stringify = () => '"patched"';`,
  'Date has no now': `window.Date = class extends Date {}; Date.now = undefined;`,
  'Date says nonsense': `Date.now = () => NaN;`,
  'Date throws': `Date.now = () => { throw new Error('patched'); };`,
  'Promise is a broken one': `window.Promise = function () { throw new Error('patched'); };`,
  'Object.keys sees nothing': `Object.keys = () => [];`,
  'Object.keys throws': `Object.keys = Object.entries = () => { throw new Error('patched'); };`,
};

const paths = new Map(Object.keys(PATCHES).map((name, at) => [name, `/patched-${at}`]));
/** Told before the core can be there, and once it is. What the page said is kept for the next one. */
const EARLY = `<script>
  const told = (name) => ['track', [name, { products: [{ product_id: 'a' }, { product_id: 'b' }] }], 0, 0];
  window.endcap = [told('Told Early'), ['on', ['sent', () => window.endcap.track && !window.again && ((again = true), endcap.track(...told('Told Late')[1]))], 0, 0]];
  addEventListener('pagehide', () => localStorage.setItem('test.said', said.map(String).concat(thrown).join()));
</script>`;
/** Odd data, made by the page: before the core is there and after. */
const ODD = `<script>
  window.odd = () => {
    const cycle = { name: 'round' };
    cycle.self = cycle;
    const fiber = { tag: 5 };
    for (let at = 0, here = fiber; at < 5000; at++) here = here.child = { return: here, at, memoizedProps: { children: [1, 2, 3] } };
    return {
      kept: 'yes', price: 12.5, big: 12345678901234567890n, when: new Date(1e12), not: NaN, half: 'a\\ud800b', gone: undefined, act() {},
      element: document.documentElement, page: window, fiber, cycle, map: new Map([[1, 2]]), problem: new TypeError('no'), own: { toJSON: () => 'own' },
      get thrower() { throw new Error('a getter throws'); }, products: [{ product_id: 'p-1', cycle }, undefined, { product_id: 'p-2' }],
    };
  };
  window.endcap = [
    ['on', ['error', (problem) => (window.problems ??= []).push(problem)]],
    ['track', ['Odd Early', odd()], 0, 0],
    ['identify', [{ email: 'early@shop.example', company: { name: 'Odda', plan: { seats: 3 } } }], 0, 0],
    ['track', [undefined, {}], 0, 0],
  ];
</script>`;
/** Everything that a call takes, made odd: before the core is there and after. */
const HOSTILE = `<script>
  const thrower = (name) => Object.defineProperty({}, name, { enumerable: true, get() { throw new Error('a getter throws'); } });
  const unreadable = () => new Proxy({}, Object.fromEntries(['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor'].map((trap) => [trap, () => { throw new Error('a proxy throws'); }])));
  window.hostile = () => [
    undefined, null, NaN, -0, 7, 12345678901234567890n, true, '', 'x'.repeat(100_000), 'a\\ud800b', Symbol('s'), () => {}, [], {}, [[[]]],
    new Date(NaN), new Map([[1, 2]]), document.body, window, Object.create(null), class Shop {}, Promise.resolve(1),
    thrower('analytics'), thrower('email'), thrower('proof'), thrower('toJSON'), thrower('toString'), unreadable(), [unreadable()], { inner: unreadable() },
  ];
  // Consent comes last: it is about what may be told at all.
  window.attack = (call, forms) => {
    for (const method of ['track', 'page', 'identify', 'on', 'init', 'nothing', 'consent'])
      for (const odd of hostile())
        for (const args of forms(odd, method)) call(method, args);
    for (const odd of hostile()) call('identify', ['ann', {}, odd]);
    call('consent', ['granted']);
  };
  window.endcap = [];
  // A loader holds 500 calls, a batch is about few people, and 200 events are listed at once.
  attack(
    (method, args) => method !== 'init' && endcap.push([method, args, 0, 0]),
    (odd, method) => (method === 'identify' ? [['ann', odd]] : [[odd], ['Named', odd]]),
  );
  endcap.push(['track', ['Marked Early', { kept: 1 }], 0, 0]);
</script>`;
const PAGES = {
  ...Object.fromEntries(
    Object.entries(PATCHES).map(([name, patch]) => [/** @type {string} */ (paths.get(name)), shopPage({ head: `<script>${patch}</script>${EARLY}` })]),
  ),
  '/odd': shopPage({ head: ODD }),
  '/hostile': shopPage({ head: HOSTILE }),
  '/plain': shopPage(),
};

/** What of the odd data arrives. @param {any} properties */
function seeOdd(properties) {
  const { kept, price, big, when, own, element, products, cycle, half } = properties;
  assert.deepEqual({ kept, price, big, when, own }, { kept: 'yes', price: 12.5, big: '12345678901234567890', when: '2001-09-09T01:46:40.000Z', own: 'own' });
  assert.match(element, /HTMLHtmlElement/);
  assert.match(half, /^a.b$/u);
  assert.deepEqual(products.map((/** @type {any} */ one) => one?.product_id), ['p-1', 'p-2']);
  assert.deepEqual(cycle, { name: 'round' });
  for (const name of ['thrower', 'fiber', 'act', 'not', 'gone']) assert.equal(name in properties, false, name);
}

inShop(PAGES, (page, shop) => {
  for (const [name, path] of paths) {
    test(`events arrive although ${name}`, async () => {
      // The driver itself needs what the page breaks, so the page does everything by itself: its second event follows an answer to
      // its first, so only a running core brings it to the edge. The next page is asked.
      await page.open(path);
      const id = await until(() => shop.browser.evaluate(() => /ec_id=1\.[^.]*\.([^.]*)/.exec(document.cookie)?.[1]), { what: 'the visitor has a name' });
      const late = async () => (await shop.edge.api.profile({ anonymous_id: id })).events.some((/** @type {any} */ one) => one.name === 'Told Late');
      await until(late, { what: 'the event after the first answer arrives' });
      await shop.browser.open(`${shop.edge.origin}/plain`);
      assert.doesNotMatch(String(await page.run((page) => page.localStorage.getItem('test.said'))), /endcap|patched/);
      for (const name of ['Told Early', 'Told Late']) {
        const { properties } = await page.event(name);
        assert.deepEqual(properties.products.map((/** @type {any} */ one) => one.product_id), ['a', 'b']);
      }
      const views = (await page.events()).filter((event) => event.name === 'Page Viewed');
      assert.equal(views.length, 2, 'both pages were viewed by one visitor');
      assert.ok(views.every(({ timestamp }) => Math.abs(timestamp - Date.now()) < 120_000), 'at about the time it happened');
    });
  }

  test('odd data costs its member only, before the core is there and after', async () => {
    await page.open('/odd');
    seeOdd((await page.event('Odd Early')).properties);
    const { traits, user_ids: users } = await shop.edge.api.profile({ anonymous_id: await page.run((page) => page.endcap.anonymousId()) });
    assert.deepEqual([traits, users], [{ email: 'early@shop.example', 'company.name': 'Odda', 'company.plan': '{"seats":3}' }, []]);
    await page.run((page) => page.endcap.track('Odd Late', page.odd()));
    seeOdd((await page.event('Odd Late')).properties);
    assert.deepEqual(await page.run((page) => page.thrown), []);
  });

  test('no argument of any call costs another, stops the core or throws into the page', async () => {
    await page.open('/hostile');
    assert.deepEqual((await page.event('Marked Early')).properties, { kept: 1 });
    const tracked = await page.run((page) => page.hostile().map((/** @type {any} */ odd) => page.endcap.track('Odd', odd)).length);
    const odd = async () => (await page.events()).filter(({ name }) => name === 'Odd').length === tracked;
    await until(odd, { what: 'an event with each of them arrives' });
    await page.run((page) => {
      page.attack(
        (/** @type {string} */ method, /** @type {any[]} */ args) => page.endcap[method]?.(...args),
        (/** @type {any} */ odd) => [[odd], ['Named', odd], ['Named', odd, odd], [odd, { kept: 1 }, odd], [odd, odd, odd, odd]],
      );
      page.endcap.track('Marked Late', { kept: 2 });
    });
    assert.deepEqual((await page.event('Marked Late')).properties, { kept: 2 });
    assert.deepEqual(await page.run((page) => page.thrown), []);
    assert.deepEqual(await page.said(/does not run|^endcap error/), [], 'the core runs on, and there are words for everything');
  });

  test('a refusal counts, however odd the object that says it', async () => {
    for (const say of ["({ analytics: false, get note() { throw new Error('a getter throws'); } })", 'Object.create({ analytics: false })']) {
      await page.open('/plain');
      await page.event('Page Viewed');
      await page.run((page, say) => page.endcap.consent(new Function(`return ${say}`)()), say);
      await until(() => page.run((page) => page.endcap.anonymousId() === null && !/ec_id/.test(page.document.cookie)), { what: 'nothing is kept' });
    }
  });

  test('a name or a proof of any length costs no event', async () => {
    await page.open('/plain');
    await page.event('Page Viewed');
    await page.run((page) => {
      page.endcap.track('x'.repeat(100_000), { kept: 1 });
      page.endcap.page('y'.repeat(100_000), { kept: 2 });
      page.endcap.identify('ann', { city: 'Graz' }, { proof: 'z'.repeat(100_000) });
      page.endcap.track('Full', { kept: 3, much: 'm'.repeat(24_000) });
      return page.endcap.flush();
    });
    await page.event('Full');
    const events = await page.events();
    const kept = events.filter(({ properties }) => properties?.kept).map(({ properties }) => properties.kept);
    assert.deepEqual(kept.sort(), [1, 2, 3]);
    assert.ok(events.some(({ traits }) => traits?.city === 'Graz'));
    assert.deepEqual(await page.said(/too_large/), []);
  });

  test('names and IDs that can be none cost no event, and are told', async () => {
    await page.open('/plain');
    await page.event('Page Viewed');
    await page.run((page) => {
      page.endcap.identify('eve');
      page.endcap.identify('x'.repeat(300), { city: 'Graz' });
      page.endcap.page(null, { kept: 'null' });
      page.endcap.page(404, { kept: 'number' });
      page.endcap.identify({ email: 'ann@shop.example' });
      return page.endcap.flush();
    });
    await page.saidOnce(/user ID of 1 to 256 characters/);
    const events = await until(async () => {
      const events = await page.events();
      return events.filter(({ type }) => type === 'identify').length === 3 && events;
    }, { what: 'all identifies arrive' });
    assert.equal((await shop.edge.api.profile({ user_id: 'eve' })).traits?.city, undefined, 'traits of somebody else do not become theirs');
    // They may have happened within one millisecond.
    const users = events.filter(({ type }) => type === 'identify').map(({ user_id: user, traits }) => [user.length === 300 ? 'long' : user, Object.keys(traits).join()]);
    assert.deepEqual(users.sort(), [['eve', ''], ['eve', 'email'], ['long', 'city']], 'who was logged in stays so');
    const views = events.filter(({ type, properties }) => type === 'page' && properties.kept);
    assert.deepEqual(views.map(({ properties }) => properties.kept).sort(), ['null', 'number']);
  });

  test('what was left out, and calls that cannot be used, are told, early ones like late ones', async () => {
    await page.open('/odd');
    await page.event('Odd Early');
    const told = () => page.run((page) => page.problems);
    const problems = await until(async () => (await told())?.length >= 2 && told(), { what: 'listeners hear of both' });
    const [left] = problems.filter((/** @type {any} */ one) => one.code === 'member_dropped');
    assert.equal(left.event, 'Odd Early');
    assert.deepEqual(left.path.split(',').filter((/** @type {string} */ name) => ['thrower', 'fiber', 'cycle'].includes(name)).sort(), ['cycle', 'fiber', 'thrower']);
    assert.ok(problems.some((/** @type {any} */ one) => one.code === 'invalid_field' && one.path === 'name'));
    await page.saidOnce(/left out of the event/);
    await page.saidOnce(/takes the name of an event/);
  });

  test('an event that is too large loses what is large', async () => {
    await page.open('/plain');
    await page.event('Page Viewed');
    await page.run((page) => {
      const lines = Array.from({ length: 900 }, (_, at) => ({ product_id: `p-${at}`, name: 'A product with a name', price: 10, quantity: 1 }));
      page.endcap.track('Order Completed', { order_id: 'o-1', revenue: 9000, currency: 'EUR', note: 'x'.repeat(40_000), products: lines, coupon: 'C' });
    });
    const { properties } = await page.event('Order Completed');
    assert.deepEqual([properties.order_id, properties.revenue, properties.coupon, properties.note], ['o-1', 9000, 'C', undefined]);
    assert.ok(properties.products.length >= 90);
    await page.saidOnce(/no room/);
  });
});
