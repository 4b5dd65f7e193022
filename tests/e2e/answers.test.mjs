/**
 * What a developer is told: the edge's own words where it refuses, one warning for each mistake in the shop's code, and nothing
 * that reads like a fault of the browser.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inShop } from '../harness/inShop.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { StaticSite } from '../harness/staticSite.mjs';
import { until } from '../harness/until.mjs';

const LISTEN = `<script>
  window.problems = [];
  window.sent = [];
  window.endcap = [
    ['on', ['error', (one) => problems.push(one)], 0, 0],
    ['on', ['sent', (one) => sent.push(one)], 0, 0],
  ];
</script>`;
/** @param {string} attributes @param {string} [more] */
const page = (attributes, more = '') => shopPage({ head: LISTEN + more, tag: `<script async src="/ec/endcap.js" ${attributes}></script>` });
const GRANTED = 'data-source="demo" data-consent="granted"';

const PAGES = {
  '/plain': page(GRANTED),
  '/debug': page(`${GRANTED} data-debug`),
  '/source': page('data-source="shpo" data-consent="granted"'),
  '/spelled': page('data-source="my shop" data-consent="granted"'),
  '/prefix': page(`${GRANTED} data-prefix="/nothing"`),
  '/consent': page('data-source="demo" data-consent="grantd"'),
  '/consent-yes': page('data-source="demo" data-consent="yes"'),
  '/consent-early': page(GRANTED, `<script>endcap.push(['consent', [{ analytic: true }], 0, 0]);</script>`),
  '/consent-part': page(`${GRANTED} onload="kept = Object.keys(localStorage)"`, `<script>endcap.push(['consent', [{ personalization: true }], 0, 0]);</script>`),
  '/instead': page(GRANTED, `<script>{
    const { fetch } = window;
    window.instead = undefined;
    window.fetch = (...args) => (window.instead && /\\/ec\\/(e|diagnosis)\\?/.test(args[0]) ? instead() : fetch(...args));
  }</script>`),
  '/auto': page(`${GRANTED} data-auto="pages,clics"`),
};

/** Counts what is asked for, and with which credentials. */
const COUNTED = `<script>{
  const { fetch } = window;
  window.asked = [];
  window.fetch = (url, init) => (asked.push([String(url), init?.credentials]), fetch(url, init));
}</script>`;

/** A shop on an origin that the edge's source does not list. @type {StaticSite} */
let stranger;
/** @type {Record<string, [type: string, text: string]>} */
const strange = {};
/** @param {import('../harness/edge.mjs').Edge} edge */
async function prepare(edge) {
  stranger = await StaticSite.start(strange);
  strange['/'] = ['text/html', page(GRANTED, COUNTED).html.replace('/ec/endcap.js', `${edge.origin}/ec/endcap.js`)];
}
after(() => stranger.close());

inShop(PAGES, (page, shop) => {
  const problems = () => /** @type {Promise<any[]>} */ (page.run((page) => page.problems));
  /** Waits until listeners hear of an error. @param {string} code @param {string} [path] */
  const problem = (code, path) =>
    until(async () => {
      const all = await problems();
      const found = all.filter((one) => one.code === code && (path === undefined || one.path === path));
      if (!found.length) throw new Error(`told: ${JSON.stringify(all)}; said: ${JSON.stringify(await page.run((page) => page.said))}`);
      return found;
    }, { what: `an error ${code}` });
  /** Sends, as often as it takes for a second batch to be refused. */
  const again = () =>
    page.run(async (page) => {
      for (let n = 0; n < 3; n += 1) {
        page.endcap.track('Once More');
        await page.endcap.flush();
      }
    });

  test('a source that there is none of: once, in the words of the edge', async () => {
    await page.open('/source');
    const [told] = await problem('invalid_field', 'source');
    assert.match(told.message, /no source of this deployment.*ENDCAP_SOURCES/);
    await again();
    assert.equal((await problems()).length, 1);
    assert.equal((await page.saidOnce(/no source of this deployment/))[0], 'warn');
    assert.deepEqual(await page.run((page) => page.sent), [], 'a refused batch is not sent');
  });

  test('a name that no source can have', async () => {
    await page.open('/spelled');
    await problem('invalid_field', 'source');
    await page.saidOnce(/source has to be.*"my shop"/);
  });

  test('a page on an origin that the source does not list hears it, with what to add', async () => {
    await shop.browser.open(`${stranger.origin}/`);
    const [told] = await problem('forbidden_origin');
    assert.match(told.message, new RegExp(`${stranger.origin}.*ENDCAP_SOURCES.*cargo xtask dev --source NAME=${stranger.origin}`));
    await again();
    assert.equal((await problems()).length, 1);
    assert.equal((await page.saidOnce(/ENDCAP_SOURCES/))[0], 'warn');
    const asked = (await page.run((page) => page.asked)).filter((/** @type {string[]} */ [url]) => url.includes('/diagnosis'));
    assert.deepEqual(asked, [[`${shop.edge.origin}/ec/diagnosis?source=demo`, 'omit']], 'asked once, as nobody');
  });

  test('where no edge answers, that is what it says', async () => {
    await page.open('/prefix');
    await page.saidOnce(/nothing loads from .*\/nothing/);
  });

  for (const [what, code, text, instead] of /** @type {const} */ ([
    ['nothing answers', 'unreachable', /no answer came from the edge.*sent later/, "Promise.reject(new TypeError('no network'))"],
    ['something else than an edge answers', 'no_edge', /not an answer of an Endcap edge.*prefix/, "new Response('<html>', { status: 404 })"],
    ['something else than an edge says that all is well', 'no_edge', /not an answer of an Endcap edge.*prefix/, "new Response('<html>', { status: 200 })"],
  ])) {
    test(`where ${what}, listeners and the console hear it once`, async () => {
      await page.open('/instead');
      await page.event('Page Viewed');
      await page.run((page, answer) => (page.instead = new Function(`return (async () => ${answer})()`)), instead);
      await page.run((page) => (page.endcap.track('Waits'), page.endcap.flush()));
      assert.match((await problem(code))[0].message, text);
      await again();
      assert.equal((await problems()).length, 1);
      assert.equal((await page.saidOnce(text))[0], 'warn');
      await page.run((page) => (page.instead = undefined));
      await page.event('Waits');
    });
  }

  test('an event that the edge refuses: its name and message ID, and its own path', async () => {
    await page.open('/plain');
    await page.event('Page Viewed');
    await page.run((page) => (page.endcap.track('Fine'), page.endcap.track('Order Completed', { coupon: 'X' }), page.endcap.flush()));
    const [told] = await problem('invalid_field');
    assert.equal(told.event, 'Order Completed');
    assert.match(told.path, /^properties/);
    assert.match(told.message_id, /^[0-9a-f-]{36}$/);
    await page.saidOnce(new RegExp(`Order Completed.*${told.message_id}`));
    await page.run((page) => (page.endcap.track('Order Completed', { coupon: 'Y' }), page.endcap.flush()));
    await until(async () => (await problems()).length === 2, { what: 'listeners hear of the second one' });
    await page.saidOnce(/Order Completed/);
  });

  test('words that mean nothing are warned of, with the one that was meant, and change nothing', async () => {
    await page.open('/consent');
    assert.equal((await page.saidOnce(/"grantd".*Did you mean `granted`/))[0], 'warn');
    assert.equal(await page.run((page) => page.endcap.anonymousId()), null);
    await page.open('/consent-yes');
    assert.equal((await page.saidOnce(/`granted`, `denied`, `pending`.*not "yes"/))[0], 'warn');
    assert.equal(await page.run((page) => page.endcap.anonymousId()), null);
    await page.open('/consent-early');
    assert.equal((await page.saidOnce(/"analytic".*Did you mean `analytics`/))[0], 'warn');
    await page.event('Page Viewed');
    await page.open('/auto');
    assert.equal((await page.saidOnce(/"clics".*Did you mean `clicks`/))[0], 'warn');
    await page.open('/plain');
    await page.event('Page Viewed');
    const id = await page.run((page) => page.endcap.anonymousId());
    for (const state of [{ analytic: true }, 'yes', null, undefined, 5, { analytics: 'denied' }]) await page.run((page, state) => page.endcap.consent(state), state);
    await page.saidOnce(/"analytic".*Did you mean `analytics`/);
    await page.saidOnce(/not "yes"/);
    await page.saidOnce(/true or false, not "denied"/);
    assert.equal(await page.run((page) => page.endcap.anonymousId()), id, 'consent is as it was');
    await page.run((page) => page.endcap.consent({ analytics: true, personalization: true, marketting: true }));
    await page.saidOnce(/"marketting".*Did you mean `marketing`/);
    assert.equal(await page.run((page) => page.endcap.anonymousId()), id, 'the purposes that it knows count');
  });

  test('one purpose alone grants no other, before the core is there and after', async () => {
    await page.open('/consent-part');
    await until(() => page.run((page) => page.kept), { what: 'the script ran' });
    assert.deepEqual(await page.run((page) => page.kept), [], 'the loader keeps nothing that is about the visitor');
    await page.run((page) => page.endcap.flush());
    assert.equal(await page.run((page) => page.endcap.anonymousId()), null);
    assert.deepEqual(await page.run((page) => page.sent), []);
  });

  test("a listener of the shop's that throws is reported, and the others still hear", async () => {
    await page.open('/plain');
    await page.event('Page Viewed');
    await page.run((page) => {
      page.heard = 0;
      page.endcap.on('sent', () => { throw new Error('of the shop'); });
      page.endcap.on('sent', () => (page.heard += 1));
      page.endcap.track('Told');
      return page.endcap.flush();
    });
    const [level, text] = await page.saidOnce(/listener of "sent" threw/);
    assert.equal(level, 'error');
    assert.match(text, /of the shop/);
    assert.equal(await page.run((page) => page.heard), 1);
    assert.deepEqual(await page.run((page) => page.thrown), []);
  });

  test('debug mode writes as information, and asks about names that are a letter off', async () => {
    await page.open('/debug');
    await page.event('Page Viewed');
    await page.run((page) => (page.endcap.track('Product Viewd', { product_id: 'p-1' }), page.endcap.track('Wishlist Shared')));
    assert.equal((await page.saidOnce(/"Product Viewd".*"Product Viewed"/))[0], 'warn');
    assert.deepEqual(await page.said(/Wishlist Shared.*mean/), []);
    const lines = await page.said(/^endcap captured/);
    assert.ok(lines.length >= 3 && lines.every(([level]) => level === 'info'));
    await page.open('/plain');
    await page.event('Page Viewed');
    await page.run((page) => page.endcap.track('Product Viewd', { product_id: 'p-1' }));
    await page.event('Product Viewd');
    assert.deepEqual(await page.run((page) => page.said), [], 'without debug mode nothing is said of it');
  });

  test('what was put right is in the answer, and in debug mode in words', async () => {
    await page.open('/debug');
    await page.event('Page Viewed');
    await page.run((page) => (page.endcap.track('Order Completed', { order_id: 'o', revenue: 5, currency: '€' }), page.endcap.flush()));
    const [level, text] = await page.saidOnce(/currency_read/);
    assert.equal(level, 'info');
    assert.match(text, /"€".*EUR.*event "Order Completed", properties.currency, message ID [0-9a-f-]{36}/);
    const [warning] = (await page.run((page) => page.sent)).flatMap((/** @type {any} */ one) => one.warnings ?? []);
    assert.equal(warning.code, 'currency_read');
  });
}, { prepare });
