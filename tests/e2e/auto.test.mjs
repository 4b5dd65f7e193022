/**
 * What is captured without a line of the shop's code (`sdk/js/auto`), in each browser, on pages that do what shops' pages
 * do and on pages that are broken. A recorder plays the core's part, so that every detail can be seen; the last tests go
 * by the script tag to the edge.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { Chromium } from '../harness/chromium.mjs';
import { Edge } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { ROOT } from '../harness/paths.mjs';
import { StaticSite } from '../harness/staticSite.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {{name: string, [key: string]: any}} Told */

/** Before everything else on the page: what it told, kept over navigations, what it threw, and a clock that can be moved. */
const RECORDER = `<script>
  window.told = JSON.parse(sessionStorage.told ?? '[]');
  window.thrown = [];
  window.shopTracked = [];
  addEventListener('error', (event) => thrown.push(String(event.message)));
  addEventListener('unhandledrejection', (event) => thrown.push(String(event.reason)));
  window.tell = (one) => { told.push(JSON.parse(JSON.stringify(one))); sessionStorage.told = JSON.stringify(told); };
  window.clock = performance.now.bind(performance);
  window.ahead = 0;
  performance.now = () => clock() + ahead;
  window.core = {
    track: (name, properties, at) => tell({ name, properties, at }),
    page: (name, properties) => tell({ name: 'page', path: location.pathname + location.search + location.hash, title: document.title, ...properties }),
    consent: (state, source) => tell({ name: 'consent', state, source }),
    waits: () => {},
    error: (code, path, more) => tell({ name: 'error', code, path, ...more }),
    now: () => Date.now(),
    seen: (name, key) => shopTracked.some((one) => one[0] === name && (key === undefined || one[1] === key)),
  };
  window.leave = () => dispatchEvent(new Event('pagehide'));
</script>`;

/** Starts the modules as the core does, once the document is there. @param {string} options */
const starter = (options) => `<script type="module">
  import { start } from '/auto.js';
  window.handle = start(core, ${options});
  window.started = true;
</script>`;

/** A history as browsers without the Navigation API have it; an element may even have that name. */
const OLD = '<script>delete window.navigation;</script><nav id="navigation"></nav>';

/** @type {Record<string, [type: string, text: string]>} */
const pages = {};
let count = 0;

/** @param {{head?: string, body?: string, options?: string, query?: string, path?: string}} page Returns its path. */
function serve({ head = '', body = '', options = 'undefined', query = '', path = `/${(count += 1)}` }) {
  const html = `<!doctype html><html lang=en><meta charset=utf-8><title>Start</title><link rel=icon href="data:,">
    ${RECORDER}${head}<body>${body}${starter(options)}</body></html>`;
  pages[path + query] = ['text/html', html];
  return path + query;
}

/** @param {object} data JSON-LD. */
const linked = (data) => `<script type="application/ld+json">${JSON.stringify(data)}</script>`;

/** Pages of a shop with the script tag, by path. */
const SHOP = Object.fromEntries(
  Object.entries({
    '/product': ['data-consent="granted"', linked({ '@type': 'Product', sku: 'json-mug', category: 'home', offers: { price: 5, priceCurrency: 'EUR' } })],
    '/layer': [
      'data-consent="granted"',
      `<script>
        window.dataLayer = [
          { event: 'add_to_cart', ecommerce: { items: [{ item_id: 'both' }] } },
          { event: 'add_to_cart', ecommerce: { items: [{ item_id: 'layer-only' }] } },
        ];
        endcap.push(['track', ['Product Added', { product_id: 'both' }]]);
      </script>`,
    ],
    '/off': ['data-consent="granted" data-auto="off"', '<script>window.dataLayer = [{ event: "login" }];</script>'],
    '/pending': ['', '<script>window.dataLayer = []; function gtag() { dataLayer.push(arguments); } gtag("consent", "default", { analytics_storage: "denied" });</script>'],
  }).map(([path, [attributes, body]]) => [
    path,
    {
      html: `<!doctype html><html lang=en><title>Shop</title><link rel=icon href="data:,"><script>window.endcap = [];</script>
        <script src="/ec/endcap.js" data-source="demo" ${attributes}></script><body>${body}</body></html>`,
    },
  ]),
);

/** @type {Edge} */
let edge;
/** @type {StaticSite} */
let site;
before(async () => {
  for (const [file, path] of [['index', '/auto.js'], ['cross', '/cross.js']]) {
    const entryPoints = [`${ROOT}sdk/js/auto/${file}.js`];
    const { outputFiles } = await build({ entryPoints, bundle: true, minify: true, format: 'esm', write: false, external: ['./cross.js'] });
    pages[path] = ['text/javascript', outputFiles[0].text];
  }
  pages['/manual.pdf'] = ['text/plain', ''];
  site = await StaticSite.start(pages);
});
before(async () => {
  edge = await Edge.start({ pages: SHOP });
});
after(() => site.close());
after(() => edge.stop());

const MUG = { item_id: 'mug', item_name: 'Mug', item_brand: 'Kiln', item_category: 'Home', item_category2: 'Kitchen', price: '12.50', quantity: 2 };
const LAMP = { item_id: 'lamp', item_name: 'Lamp', item_category: 'Home', price: 40 };

for (const Browser of [Chromium, Firefox]) {
  describe(Browser.name, { timeout: 180_000 }, () => {
    /** @type {import('../harness/browserPage.mjs').BrowserPage & {close(): Promise<void>}} */
    let browser;
    before(async () => {
      browser = await Browser.launch();
    });
    after(() => browser.close());

    /** @param {Parameters<typeof serve>[0]} page Opens it with nothing told yet, and waits until capture runs. */
    async function open(page) {
      const path = serve(page);
      await browser.open(`${site.origin}/auto.js`);
      await browser.evaluate(() => sessionStorage.clear());
      await browser.open(site.origin + path);
      await until(() => run((page) => page.started), { what: 'capture runs' });
      return path;
    }

    /**
     * Runs in the page, with its globals as first argument.
     *
     * @param {(page: any, ...args: any[]) => unknown} code
     * @param {...unknown} args
     */
    const run = (code, ...args) => browser.evaluate(new Function('...args', `return (${code})(window, ...args)`), ...args);

    /** Everything told, with what `act` made it tell; the page must have thrown nothing. @returns {Promise<Told[]>} */
    async function told(act = () => {}) {
      await run(act);
      const [all, thrown] = await run((page) => (page.leave(), [page.told, page.thrown]));
      assert.deepEqual(thrown, []);
      return all;
    }

    /** Names and IDs of what was told. @param {Told[]} all */
    const brief = (all) => all.map(({ name, properties: it = {} }) => [name, it.order_id ?? it.product_id ?? it.query].filter(Boolean).join(' '));

    /** Waits until so many page views were told. @param {number} number */
    const views = (number) =>
      until(async () => {
        const all = (await run((page) => page.told)).filter((/** @type {Told} */ one) => one.name === 'page');
        return all.length >= number && all;
      }, { what: `${number} page views` });

    for (const [kind, head] of /** @type {const} */ ([
      ['the Navigation API', ''],
      ['the History alone', OLD],
      ['a wrapper around it from before', `${OLD}<script>
        window.others = 0;
        const { pushState } = history;
        history.pushState = function (...args) { others++; return pushState.apply(this, args); };
      </script>`],
    ])) {
      test(`a single-page application: one view per address, by ${kind}`, async () => {
        const start = await open({ head, options: "'pages'" });
        assert.deepEqual(await told(), []);
        await run(() => {
          history.replaceState(1, '', location.href);
          history.replaceState(1, '', '?utm_source=a&gclid=b');
          history.replaceState(1, '', location.pathname);
          history.pushState(1, '', '#part');
          history.pushState(1, '', '/a?x=1');
          history.pushState(1, '', '/a?x=1');
          Promise.resolve().then(() => (document.title = 'A'));
        });
        const [first] = await views(1);
        assert.deepEqual(first, { name: 'page', path: '/a?x=1', title: 'A', referrer: site.origin + start });
        await run(() => {
          history.pushState(1, '', '/old');
          history.replaceState(1, '', '/b');
          requestAnimationFrame(() => (document.title = 'B'));
        });
        assert.deepEqual((await views(2))[1], { name: 'page', path: '/b', title: 'B', referrer: `${site.origin}/a?x=1` });
        await run(() => void (location.hash = '#/route'));
        await views(3);
        await run(() => history.back());
        const paths = (await views(4)).map((/** @type {Told} */ one) => one.path);
        assert.deepEqual(paths, ['/a?x=1', '/b', '/b#/route', '/b']);
        assert.equal((await told()).length, 4, 'nothing but these');
      });
    }

    test('a router that writes the same address another way makes no second view', async () => {
      await open({ options: "'pages'", path: '/shop/page', query: '?a=1' });
      const names = ['gad_source', 'gad_campaignid', 'gbraid', 'wbraid', 'gclid', 'fbclid', 'srsltid', 'igshid', 'igsh', 'epik', '_kx', '_gl', 'msclkid', 'irclickid', 'ScCid', 'rdt_cid', 'li_fat_id', 'utm_id', 'mkt_tok'];
      const clicked = names.map((name) => `/shop/page?a=1&${name}=x`);
      // One after the other, each looked at by itself.
      for (const address of [...clicked, '/shop/page/?a=1', '/shop/page/?a=1&gclid=b', '/shop/page?gbraid=1&a=1', '/shop/page?a=1'])
        await run((_, address) => new Promise((resolve) => (history.replaceState(1, '', address), setTimeout(resolve, 70))), address);
      assert.deepEqual(await told(), []);
      await run(() => dispatchEvent(new PopStateEvent('popstate')));
      await run(() => void (location.hash = '#/p?utm_source=x'));
      await views(1);
      await run(() => history.replaceState(1, '', '/shop/page?a=1#/p'));
      await run(() => history.pushState(1, '', '/shop/page?a=2#/p'));
      assert.deepEqual((await views(2)).map((/** @type {Told} */ one) => one.path), ['/shop/page?a=1#/p?utm_source=x', '/shop/page?a=2#/p']);
      assert.equal((await told()).length, 2, 'nothing but these');
    });

    test('a part that there is none of is told', async () => {
      await open({ options: "'pages, clics'" });
      assert.deepEqual(await run((page) => page.told), [{ name: 'error', code: 'invalid_field', path: 'auto', value: 'clics' }]);
    });

    test('wrappers by others, before us and after us, are still called', async () => {
      await open({
        options: "'pages'",
        head: `${OLD}<script>
          window.calls = [];
          window.wrap = (owner, name) => {
            const { pushState } = owner;
            owner.pushState = function (...args) { calls.push(name); return pushState.apply(this, args); };
          };
          wrap(History.prototype, 'before');
        </script>`,
      });
      await run((page) => {
        page.wrap(History.prototype, 'prototype');
        page.wrap(history, 'instance');
        history.pushState(1, '', '/wrapped');
      });
      await views(1);
      assert.deepEqual(await run((page) => page.calls), ['instance', 'prototype', 'before']);
    });

    test('a frozen history: pops and clicks still tell of the address', async () => {
      await open({
        options: "'pages'",
        body: '<button>Go</button>',
        head: `${OLD}<script>Object.freeze(History.prototype); Object.freeze(history);</script>`,
      });
      await run(() => document.querySelector('button')?.addEventListener('click', () => history.pushState(1, '', '/clicked')));
      await browser.click('button');
      await views(1);
      await run(() => history.back());
      await views(2);
      assert.equal((await told()).length, 2);
    });

    test('a page view of the shop itself takes the place of ours, whoever is first', async () => {
      await open({ options: "'pages'" });
      await run((page) => {
        history.pushState(1, '', '/theirs');
        page.dup = [page.handle.tracked('Page Viewed')];
      });
      assert.deepEqual(await told(), []);
      await run(() => history.pushState(1, '', '/ours'));
      await views(1);
      assert.deepEqual(await run((page) => [...page.dup, page.handle.tracked('Page Viewed')]), [false, true]);
    });

    test('what happened between the first page view and our start is told', async () => {
      await open({ options: "'pages'", head: `<script>core.from = location.href; history.pushState(1, '', '/early');</script>` });
      const [{ path, referrer }] = await views(1);
      assert.equal(path, '/early');
      assert.match(referrer, /\/\d+$/);
    });

    test('engaged time and scroll depth are told once, when the address changes', async () => {
      const start = await open({ options: "'engagement,scroll'", body: '<div style="height:4000px">' });
      await until(() => run(() => document.hasFocus()), { what: 'the page has the focus' });
      await run((page) => {
        page.ahead += 400;
        history.pushState(1, '', '/short');
        page.leave();
      });
      await run(() => scrollTo({ top: 1000, behavior: 'instant' }));
      await until(() => run(() => scrollY === 1000));
      await run(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await run((page) => {
        page.ahead += 5000;
        history.pushState(1, '', '/next');
      });
      const all = await told();
      const height = await run(() => Math.round(((1000 + innerHeight) * 100) / document.documentElement.scrollHeight));
      assert.deepEqual(all.map((one) => one.name), ['Page Engaged'], start);
      const { url, engaged_ms: time, scroll_depth: depth } = all[0].properties;
      assert.equal(url, `${site.origin}/short`);
      assert.ok(time >= 5000 && time < 15_000, String(time));
      assert.equal(depth, height);
    });

    test('engaged time stands still while the page has no focus, and is told when the page is left', async () => {
      await open({ options: "'engagement'" });
      await until(() => run(() => document.hasFocus()), { what: 'the page has the focus' });
      await run((page) => {
        page.ahead += 3000;
        Object.defineProperty(document, 'hasFocus', { configurable: true, value: () => false });
        dispatchEvent(new Event('blur'));
        page.ahead += 60_000;
        Reflect.deleteProperty(document, 'hasFocus');
        dispatchEvent(new Event('focus'));
      });
      const other = serve({ options: 'false' });
      await browser.open(site.origin + other);
      const [{ name, properties }, ...more] = await run((page) => page.told);
      assert.deepEqual([name, more], ['Page Engaged', []]);
      assert.ok(properties.engaged_ms >= 3000 && properties.engaged_ms < 30_000, properties.engaged_ms);
      assert.equal('scroll_depth' in properties, false, 'scroll is off');
    });

    test('clicks on links to other sites and to files, through shadow roots', async () => {
      const link = (/** @type {string} */ id, /** @type {string} */ href) => `<p><a id="${id}" href="${href}"><b>${id}</b></a>`;
      await open({
        options: "'clicks'",
        body: `${link('out', 'https://user:word@other.example/path?x=1#y')}${link('in', '/other')}${link('mail', 'mailto:a@b.example')}
          ${link('app', 'whatsapp://send?text=x')}${link('file', '/manual.PDF?v=2')}<div id=host></div>
          <svg width=90 height=30><a href="https://svg.example/"><text y=20>drawing</text></a></svg>`,
      });
      await run(() => {
        const root = document.querySelector('#host')?.attachShadow({ mode: 'open' });
        if (root) root.innerHTML = '<a id=deep href="https://deep.example/"><i>deep</i></a>';
        document.addEventListener('click', (event) => event.preventDefault());
      });
      for (const selector of ['#out b', '#in b', '#mail b', '#app b', '#file b', '#host >>> #deep i', 'svg text']) await browser.click(selector);
      const all = await told();
      assert.deepEqual(all.map(({ name, properties }) => [name, properties]), [
        ['Outbound Link Clicked', { url: 'https://other.example/path?x=1', domain: 'other.example' }],
        ['File Downloaded', { url: `${site.origin}/manual.PDF?v=2`, extension: 'pdf' }],
        ['Outbound Link Clicked', { url: 'https://deep.example/', domain: 'deep.example' }],
        ['Outbound Link Clicked', { url: 'https://svg.example/', domain: 'svg.example' }],
      ]);
    });

    test('a form that is sent: which one, never what is in it', async () => {
      await open({
        options: "'forms'",
        body: `<form id=newsletter name=letter action="/join?token=secret#x"><input name=id value=secret><input name=getAttribute value=secret>
          <input name=action value=secret><button>Send</button></form>`,
      });
      await run(() => document.addEventListener('submit', (event) => event.preventDefault()));
      await browser.click('button');
      const all = await told();
      assert.deepEqual(all.map(({ name, properties }) => [name, properties]), [
        ['Form Submitted', { form_id: 'newsletter', form_name: 'letter', action: `${site.origin}/join` }],
      ]);
    });

    test('on-site search, once per address', async () => {
      await open({ options: "'pages,search,dataLayer'", path: '/find', query: `?page=1&s=${'red%20mug%00'}${'x'.repeat(300)}` });
      await run((page) => page.dataLayer.push({ event: 'search', search_term: `red mug ${'x'.repeat(300)}` }));
      const [{ name, properties }, ...more] = await told();
      assert.deepEqual([name, properties.query.slice(0, 9), properties.query.length, more], ['Products Searched', 'red mug x', 200, []]);
      await run(() => history.pushState(1, '', '/find?q=lamp'));
      await views(1);
      assert.deepEqual(brief(await told()).slice(1), ['page', 'Products Searched lamp']);
    });

    test('the data layer: what was there, and what comes, by tag manager and by gtag()', async () => {
      await open({
        options: "'dataLayer'",
        head: `<script>
          window.dataLayer = [null, 7, 'text', { event: 'gtm.js' }, { ecommerce: null }];
          function gtag() { dataLayer.push(arguments); }
          dataLayer.push({ event: 'view_item', ecommerce: { currency: 'EUR', value: 12.5, items: [${JSON.stringify(MUG)}] } });
          gtag('event', 'view_item_list', { item_list_id: 'home', items: [${JSON.stringify(MUG)}, ${JSON.stringify(LAMP)}] });
        </script>`,
      });
      const all = await told();
      const mug = { product_id: 'mug', name: 'Mug', brand: 'Kiln', category: 'Home/Kitchen', price: 12.5, quantity: 2 };
      assert.deepEqual(all[0].properties, { ...mug, currency: 'EUR', value: 12.5 });
      assert.ok(all[0].at > Date.now() - 60_000);
      const lamp = { product_id: 'lamp', name: 'Lamp', category: 'Home', price: 40 };
      assert.deepEqual(all[1].properties, { list_id: 'home', products: [mug, lamp] });
      await run((page) => {
        // As a tag manager does it.
        const { push } = page.dataLayer;
        page.dataLayer.push = (/** @type {any[]} */ ...entries) => push.apply(page.dataLayer, entries);
      });
      await run((page, mug, lamp) => {
        const ecommerce = { currency: 'EUR', value: 65, items: [mug, lamp] };
        for (const event of ['select_item', 'add_to_cart', 'remove_from_cart', 'add_to_wishlist', 'view_cart', 'begin_checkout',
          'add_shipping_info', 'add_payment_info']) page.dataLayer.push({ event, ecommerce });
        page.gtag('event', 'purchase', { transaction_id: 17, tax: 3, shipping: '4.90', coupon: 'TEN', ...ecommerce });
        page.gtag('event', 'refund', { transaction_id: '17' });
        page.gtag('event', 'login', { method: 'mail' });
        page.dataLayer.push({ event: 'sign_up' }, { event: 'search', search_term: 'mugs' }, { event: 'toString' }, { event: 'constructor' });
      }, MUG, LAMP);
      const later = (await told()).slice(2);
      assert.deepEqual(brief(later), ['Product Clicked mug', 'Product Added mug', 'Product Added lamp', 'Product Removed mug',
        'Product Removed lamp', 'Product Added to Wishlist mug', 'Product Added to Wishlist lamp', 'Cart Viewed', 'Checkout Started',
        'Checkout Step Completed', 'Checkout Step Completed', 'Order Completed 17', 'Order Refunded 17', 'Signed In', 'Signed Up',
        'Products Searched mugs']);
      const order = later.find((one) => one.name === 'Order Completed')?.properties;
      assert.deepEqual({ ...order, products: order.products.length },
        { order_id: '17', total: 65, tax: 3, shipping: 4.9, coupon: 'TEN', currency: 'EUR', products: 2 });
      assert.deepEqual(later.filter((one) => one.properties.step).map((one) => one.properties.step), ['shipping', 'payment']);
    });

    test('what the shop tracks itself counts once, whoever is first', async () => {
      await open({
        options: "'dataLayer'",
        head: `<script>
          shopTracked.push(['Product Viewed', 'mug']);
          window.dataLayer = [{ event: 'view_item', ecommerce: { items: [${JSON.stringify(MUG)}] } }];
          function gtag() { dataLayer.push(arguments); }
        </script>`,
      });
      assert.deepEqual(await told(), [], 'the shop viewed it before we started');
      const push = (/** @type {string} */ event, /** @type {any} */ more = {}) => run((page, entry) => page.dataLayer.push(entry), { event, ecommerce: { items: [MUG], ...more } });
      // The shop's call comes first, then just after, each time for one more mug; then the data layer alone.
      for (const first of [true, false]) {
        if (first) await run((page) => page.handle.tracked('Product Added', { product_id: 'mug' }));
        await push('add_to_cart');
        if (!first) assert.equal(await run((page) => page.handle.tracked('Product Added', { product_id: 'mug' })), false);
        assert.deepEqual(await told(), []);
      }
      await push('add_to_cart');
      assert.deepEqual(brief(await told()), ['Product Added mug']);
      assert.equal(await run((page) => page.handle.tracked('Product Added', { product_id: 'mug' })), true, 'the shop is late');
      await run((page) => page.handle.tracked('Cart Viewed', { products: [{ product_id: 'mug' }] }));
      await push('view_cart', { items: [{ ...MUG, item_list_id: 'home' }] });
      // An order counts once, wherever and however often it is told.
      await push('purchase', { transaction_id: 'o-1' });
      assert.deepEqual(brief(await told()).slice(1), ['Order Completed o-1']);
      await run(() => history.pushState(1, '', '/thanks'));
      await push('purchase', { transaction_id: 'o-1', value: 5 });
      assert.equal((await told()).length, 2);
      assert.deepEqual(await run((page) => [1, 2].map(() => page.handle.tracked('Order Completed', { order_id: 'o-1' }))), [true, true]);
      assert.equal(await run((page) => page.handle.tracked('Order Completed', { order_id: 'o-2' })), false);
      await push('purchase', { transaction_id: 'o-2' });
      // The tag manager and gtag() told of the same.
      await run((page, lamp) => {
        page.dataLayer.push({ event: 'add_to_cart', ecommerce: { items: [lamp] } });
        page.gtag('event', 'add_to_cart', { items: [lamp] });
      }, LAMP);
      assert.deepEqual(brief(await told()).slice(2), ['Product Added lamp']);
    });

    test('the data layer as shops really push it', async () => {
      await open({ options: "'dataLayer'", head: '<script>window.dataLayer = [];</script>' });
      /** @param {any[]} entries @returns {Promise<any[]>} What is told of entries, as name and properties. */
      const push = async (...entries) => {
        const before = (await told()).length;
        await run((page, all) => all.forEach((/** @type {any} */ entry) => page.dataLayer.push(entry)), entries);
        return (await told()).slice(before).map(({ name, properties }) => [name, properties]);
      };
      const [a, b] = [{ product_id: 'a', price: 4 }, { product_id: 'b', price: 5 }];
      const items = [{ item_id: 'a', price: 4 }, { item_id: 'b', price: 5 }];
      assert.deepEqual(await push({ event: 'purchase', ecommerce: { transaction_id: 't1', value: 9, items: { 0: items[0], 1: items[1] } } }),
        [['Order Completed', { order_id: 't1', total: 9, products: [a, b] }]]);
      assert.deepEqual(await push({ event: 'purchase', ecommerce: { transaction_id: 't2', value: '1.299,00 €', items: items[0] } }),
        [['Order Completed', { order_id: 't2', total: '1.299,00 €', products: [a] }]]);
      assert.deepEqual(await push({ ecommerce: { transaction_id: 't3', value: 9, items } }, { event: 'purchase' }),
        [['Order Completed', { order_id: 't3', total: 9, products: [a, b] }]]);
      assert.deepEqual(await push({ ecommerce: null }, { event: 'purchase', transaction_id: 't4' }), [['Order Completed', { order_id: 't4' }]]);
      assert.deepEqual(await push({ event: 'purchase', ecommerce: { transaction_id: 't5', currency: 'EUR', items: [{ item_name: 'Wrap', price: 3 }, { ...items[0], quantity: 0.5, currency: 'USD' }] } }),
        [['Order Completed', { order_id: 't5', currency: 'EUR', products: [{ name: 'Wrap', price: 3 }, { ...a, quantity: 0.5, currency: 'USD' }] }]]);
      // Universal Analytics' enhanced e-commerce.
      const old = [{ id: 'a', name: 'A', category: 'x', price: '4.00', quantity: 1 }];
      const now = { product_id: 'a', name: 'A', category: 'x', price: 4, quantity: 1 };
      assert.deepEqual(await push({ event: 'transaction', ecommerce: { currencyCode: 'EUR', purchase: { actionField: { id: 't6', revenue: '4.00', tax: '1', coupon: 'TEN' }, products: old } } }),
        [['Order Completed', { order_id: 't6', total: 4, tax: 1, coupon: 'TEN', currency: 'EUR', products: [now] }]]);
      assert.deepEqual(await push({ ecommerce: { detail: { products: old } } }), [['Product Viewed', now]]);
      assert.deepEqual(await push({ event: 'addToCart', ecommerce: { currencyCode: 'EUR', add: { products: old } } }), [['Product Added', { ...now, currency: 'EUR' }]]);
    });

    test('a data layer that is put in place later, or that is none, or frozen', async () => {
      await open({ options: "'dataLayer'", body: '<button>Go</button>', head: '<script>window.dataLayer = { push: 1 };</script>' });
      assert.deepEqual(await told(), []);
      await run((page, mug) => void (page.dataLayer = [{ event: 'add_to_cart', ecommerce: { items: [mug] } }]), MUG);
      assert.deepEqual(brief(await told()), ['Product Added mug']);
      await run((page) => void (page.dataLayer = page.dataLayer.slice()));
      assert.equal((await told()).length, 1, 'read once, also from a copy');
      await open({
        options: "'dataLayer'",
        head: `<script>
          const hostile = {};
          for (const name of ['0', 'event', 'ecommerce']) Object.defineProperty(hostile, name, { enumerable: true, get() { throw new Error(name); } });
          window.dataLayer = Object.freeze([hostile, { event: 'add_to_cart', ecommerce: { items: 5 } }, { event: {} }, { event: Symbol() },
            { event: 'add_to_cart', ecommerce: { items: [null, 3, { item_id: {} }, { item_id: 'x'.repeat(129) }, { item_id: 5, price: 'free', quantity: 1.5,
              item_name: {}, item_category: 'é'.repeat(65) }], currency: 'euro' } }, ['event', 'purchase']]);
        </script>`,
      });
      const [long, added, order] = await told();
      assert.equal(long.properties.product_id.length, 129);
      // The edge says what it makes of a price that is none, and of half a product.
      assert.deepEqual(added.properties, { product_id: '5', category: 'é'.repeat(65), currency: 'euro', price: 'free', quantity: 1.5 });
      assert.deepEqual([order.name, order.properties], ['Order Completed', {}]);
    });

    const product = (/** @type {object} */ more = {}) => ({
      '@context': 'https://schema.org', '@type': 'Product', name: 'Mug', sku: 'mug', brand: { '@type': 'Brand', name: 'Kiln' }, category: 'Home',
      offers: { '@type': 'Offer', price: '12.50', priceCurrency: 'EUR' }, ...more,
    });
    const group = { '@type': 'ProductGroup', productGroupID: 'mugs', name: 'Mugs', hasVariant: [product(), product({ sku: 'm2' })] };
    const full = { product_id: 'mug', name: 'Mug', brand: 'Kiln', category: 'Home', price: 12.5, currency: 'EUR' };
    const meta = (/** @type {Record<string, string>} */ values) =>
      Object.entries(values).map(([name, value]) => `<meta property="${name}" content="${value}">`).join('');

    for (const [what, body, expected] of /** @type {[string, string, object | undefined][]} */ ([
      ['a product', linked(product()), full],
      ['a product in a graph, beside what it is not', linked({ '@graph': [{ ...product(), '@type': ['Product', 'Thing'], isRelatedTo: [product()] }, { '@type': 'BreadcrumbList' }] }), full],
      ['the main thing of a page, in an array', linked([{ '@type': 'ItemPage', mainEntity: product() }]), full],
      ['a group with its variants', linked([group, product({ isVariantOf: {} })]), { product_id: 'mugs', name: 'Mugs', price: 12.5, currency: 'EUR' }],
      ['a product known by its URL', linked(product({ sku: undefined, url: 'https://shop.example/p/mug?x=1' })), { ...full, product_id: '/p/mug' }],
      ['Open Graph', meta({ 'og:type': 'og:product', 'og:title': 'Mug', 'product:retailer_item_id': 'mug', 'product:price:amount': '12.50', 'product:price:currency': 'EUR' }), { product_id: 'mug', name: 'Mug', price: 12.5, currency: 'EUR' }],
      ['a list of products', linked(product()) + linked(product({ sku: 'm2' })), undefined],
      ['no product', linked({ '@type': 'Organization', name: 'Shop' }) + meta({ 'og:type': 'website' }), undefined],
      ['broken and hostile data', `${'<script type="application/ld+json">'}{"@type": "Product", </script>${linked({ '@type': 5, '@graph': null })}${linked([null, 1, 'x', { '@type': { a: 1 } }])}
        <script type="application/ld+json">${'['.repeat(60_000)}</script><script type="application/ld+json">${' '.repeat(100_001)}${JSON.stringify(product())}</script>`, undefined],
      ['odd members', linked(product({ name: { a: 1 }, brand: null, category: 7, offers: [{ price: -1, priceCurrency: {} }] })), { product_id: 'mug', category: '7', price: -1 }],
      ['a price within a specification', linked(product({ offers: [{ priceSpecification: [{ price: '12.50', priceCurrency: 'EUR' }] }] })), full],
      ['a price in a nested offer', linked(product({ offers: { '@type': 'AggregateOffer', offers: [{ price: 12.5, priceCurrency: 'EUR' }] } })), full],
      ['a price as a person writes it', linked(product({ offers: { price: '1.299,00', priceCurrency: 'EUR' } })), { ...full, price: '1.299,00' }],
      ['another ID where the first is empty', linked(product({ sku: '', productID: 'mug' })), full],
      ['a list of IDs', linked(product({ sku: ['mug', 'mug-blue'] })), full],
      ['one product in two blocks', linked(product()) + linked(product({ offers: undefined })), full],
      ['one product in the main entity and the graph', linked({ '@type': 'ItemPage', mainEntity: product(), '@graph': [product({ sku: undefined })] }), full],
    ])) {
      test(`structured data: ${what}`, async () => {
        await open({ body, options: "'structured'" });
        const all = await told();
        assert.deepEqual(all.map((one) => one.properties), expected ? [expected] : []);
        assert.equal((await told()).length, all.length, 'once');
      });
    }

    test('structured data speaks only where the shop and its data layer are silent, and not for an address before', async () => {
      const item = { event: 'view_item', ecommerce: { items: [{ ...MUG, item_id: 'SKU-1' }] } };
      await open({ body: linked(product()), options: "'structured,dataLayer'", head: `<script>window.dataLayer = [${JSON.stringify(item)}];</script>` });
      assert.deepEqual(brief(await told()), ['Product Viewed SKU-1']);
      await open({ body: linked(product()), options: "'structured,pages'", head: '<script>shopTracked.push(["Product Viewed", "SKU-1"]);</script>' });
      assert.deepEqual(await told(), []);
      await open({ body: linked(product()), options: "'structured,pages'" });
      await until(() => run((page) => page.told.length === 1), { what: 'a view after a moment, while the page is there' });
      await run(() => history.pushState(1, '', '/variant'));
      await views(1);
      assert.deepEqual(brief(await told()), ['Product Viewed mug', 'page']);
      await run((page, json) => {
        history.pushState(1, '', '/p/lamp');
        const script = document.querySelector('[type$=json]');
        if (script) script.textContent = json;
      }, JSON.stringify(product({ sku: 'lamp' })));
      assert.deepEqual(brief(await told()).slice(2), ['page', 'Product Viewed lamp']);
    });

    const gtag = (/** @type {string} */ calls) => `<script>window.dataLayer = []; function gtag() { dataLayer.push(arguments); } ${calls}</script>`;
    const DENIED = "gtag('consent', 'default', { ad_storage: 'denied', ad_user_data: 'denied', ad_personalization: 'denied', analytics_storage: 'denied' });";

    test('Google Consent Mode: a default asks nobody, an update decides', async () => {
      await open({ options: "'consent'", head: gtag(DENIED) });
      assert.deepEqual(await told(), []);
      await run((page) => page.gtag('consent', 'update', { analytics_storage: 'granted' }));
      await run((page) => page.gtag('consent', 'update', { ad_storage: 'granted', ad_user_data: 'granted' }));
      await run((page) => page.gtag('consent', 'update', { analytics_storage: 'denied', personalization_storage: 'denied' }));
      const state = (/** @type {boolean[]} */ ...[analytics, personalization, marketing]) => ({ analytics, personalization, marketing });
      const all = await told();
      assert.deepEqual(all.map((one) => one.source), ['gcm', 'gcm', 'gcm']);
      assert.deepEqual(all.map((one) => one.state), [state(true, true, false), state(true, true, true), state(false, false, true)]);
    });

    test('Google Consent Mode: what was there before us counts as it ended; defaults of regions are no grant', async () => {
      const grant = "gtag('consent', 'default', { analytics_storage: 'granted', ad_storage: 'granted' });";
      await open({ options: "'consent'", head: gtag(`${grant} gtag('consent', 'update', { analytics_storage: 'denied' });`) });
      assert.ok((await told()).every((one) => one.state.analytics === false));
      await open({ options: "'consent'", head: gtag(`gtag('consent', 'default', { analytics_storage: 'denied', region: ['DE'] }); ${grant}`) });
      assert.deepEqual(await told(), []);
      await open({ options: "'consent'", head: gtag(grant) });
      assert.deepEqual((await told()).map((one) => one.state), [{ analytics: true, personalization: true, marketing: true }]);
    });

    test('IAB TCF: decides by purposes once the visitor has, together with the consent mode', async () => {
      const head = `<script>window.__tcfapi = (command, version, callback) => {
        window.cmp = (consents, eventStatus = 'useractioncomplete', gdprApplies = true) => callback({ gdprApplies, eventStatus, purpose: { consents } }, true);
        if (command === 'addEventListener' && version === 2) cmp({}, 'cmpuishown');
      };</script>`;
      const all = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => [n, true]));
      await open({ options: "'consent'", head: head + gtag("gtag('consent', 'update', { analytics_storage: 'granted', ad_storage: 'granted' });") });
      assert.deepEqual(await told(), [], 'one of two tools has not spoken');
      await run((page, consents) => page.cmp(consents), all);
      await run((page, consents) => page.cmp({ ...consents, 9: false }), all);
      await run((page, consents) => page.cmp({ ...consents, 3: false, 4: false }), all);
      await run((page, consents) => page.cmp({ ...consents, 1: false }), all);
      await run((page) => page.cmp({}, 'tcloaded', false));
      const states = (await told()).map((one) => [one.source, one.state.analytics, one.state.personalization, one.state.marketing]);
      assert.deepEqual(states, [['tcf', true, true, true], ['tcf', false, true, true], ['tcf', true, false, false], ['tcf', false, false, false], ['tcf', true, true, true]]);
      await open({ options: "'consent'", head: `<script>Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });</script>${head}` });
      await run((page, consents) => page.cmp(consents), all);
      assert.deepEqual((await told()).map((one) => one.state), [{ analytics: true, personalization: true, marketing: false }], 'the browser objects');
    });

    test('each part can be turned off, and all of them', async () => {
      const shop = {
        body: `${linked(product())}<a href="https://other.example/">Out</a><form><button>Send</button></form>`,
        head: `${OLD}${gtag("gtag('event', 'login'); gtag('consent', 'update', { analytics_storage: 'granted' });")}
          <script>
            document.addEventListener('submit', (event) => event.preventDefault());
            document.addEventListener('click', (event) => event.target.matches('a') && event.preventDefault());
          </script>`,
        query: '?q=mug',
      };
      const names = { pages: 'page', engagement: 'Page Engaged', clicks: 'Outbound Link Clicked', forms: 'Form Submitted', search: 'Products Searched', dataLayer: 'Signed In', structured: 'Product Viewed', consent: 'consent' };
      const visit = async (/** @type {string} */ options) => {
        await open({ ...shop, options });
        await browser.click('a');
        await browser.click('button');
        await told();
        await run((page) => {
          page.ahead += 2000;
          history.pushState(1, '', '/next');
        });
        return [...new Set((await told()).map((one) => one.name))].sort();
      };
      assert.deepEqual(await visit('undefined'), Object.values(names).sort());
      assert.deepEqual(await visit(JSON.stringify({ pages: false, clicks: false, dataLayer: false, consent: false })),
        [names.engagement, names.forms, names.search, names.structured].sort());
      assert.deepEqual(await visit("'pages,consent'"), [names.pages, names.consent].sort());
      assert.deepEqual(await visit('false'), []);
      assert.equal(await run((page) => /native/.test(String(history.pushState)) && /native/.test(String(page.dataLayer.push))), true, 'the page is untouched');
    });

    test('nothing throws into a page that froze, stubbed or lacks what is needed', async () => {
      for (const head of [
        '<script>for (const one of [Object, Array, Function, History, Map, Promise, EventTarget]) Object.freeze(one.prototype);</script>',
        '<script>window.addEventListener = undefined; delete EventTarget.prototype.addEventListener;</script>',
        "<script>for (const name of ['navigation', 'dataLayer', '__tcfapi']) Object.defineProperty(window, name, { get() { throw new Error(name); } });</script>",
        "<script>window.__tcfapi = 5; window.navigation = { currentEntry: 1 }; delete performance.now; performance.now = undefined; document.hasFocus = undefined;</script>",
        '<script>window.URLSearchParams = window.Blob = window.queueMicrotask = History.prototype.pushState = undefined;</script>',
        '<script>for (const name of Object.keys(core)) core[name] = () => { throw new Error(name); };</script>',
        '<script>Array.prototype.extra = Object.prototype.extra = 1; Array.prototype.toJSON = () => "prototype";</script>',
        '<script>window.dataLayer = new Proxy([], { get() { throw new Error("proxy"); } });</script>',
      ]) {
        const path = serve({ head, query: '?q=x', body: `${linked(product())}<a href="https://other.example/">Out</a>` });
        await browser.open(site.origin + path);
        await until(() => run((page) => page.started), { what: head });
        await run(() => document.querySelector('a')?.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, cancelable: true, button: 1 })));
        await run((page) => {
          try {
            history.pushState(1, '', '/next');
          } catch {
            // Where the page took it away.
          }
          page.handle.tracked('Product Viewed');
          page.handle.tracked('Order Completed', null);
          page.leave();
        });
        assert.deepEqual(await run((page) => page.thrown), [], head);
      }
    });

    /** Opens a page of the shop as a new visitor, and waits until all of Endcap is there. @param {string} path */
    async function shop(path) {
      await browser.close();
      browser = await Browser.launch();
      await browser.open(edge.origin + path);
      await until(() => run((page) => page.endcap.flush().then(() => true)), { what: 'the core is there' });
    }

    /** The names of the visitor's events at the edge, with their products, once there is one called `last`. @param {string} last */
    const events = (last) =>
      until(async () => {
        await run((page) => page.endcap.flush());
        const id = await run((page) => page.endcap.anonymousId());
        const { events: all } = await edge.api.profile({ anonymous_id: id });
        const names = all.map((/** @type {Told} */ one) => one.name);
        return names.includes(last) && names.sort();
      }, { what: `${last} at the edge` });

    test('by the script tag: the page says what product it is about', async () => {
      await shop('/product');
      assert.deepEqual(await events('Product Viewed'), ['Page Viewed', 'Product Viewed']);
      const profile = await edge.api.profile({ anonymous_id: await run((page) => page.endcap.anonymousId()) });
      assert.deepEqual(profile.products_viewed, ['json-mug']);
    });

    test('by the script tag: the data layer, the shop itself and a new address, each counted once', async () => {
      await shop('/layer');
      await events('Product Added');
      await run((page) => {
        page.dataLayer.push({ event: 'begin_checkout' });
        history.pushState(1, '', '/layer?step=2');
      });
      await until(async () => (await events('Page Viewed')).filter((/** @type {string} */ name) => name === 'Page Viewed').length === 2);
      await run((page) => {
        history.pushState(1, '', '/layer?step=3');
        page.endcap.page('Thanks');
        page.endcap.track('Order Completed', { order_id: 'o-9', revenue: 5 });
        page.dataLayer.push({ event: 'purchase', ecommerce: { transaction_id: 'o-9', value: 5 } }, { event: 'login' });
      });
      assert.deepEqual(await events('Signed In'), [
        'Checkout Started', 'Order Completed', 'Page Viewed', 'Page Viewed', 'Page Viewed', 'Product Added', 'Product Added', 'Signed In',
      ]);
      const { cart } = await edge.api.profile({ anonymous_id: await run((page) => page.endcap.anonymousId()) });
      assert.equal(cart.units, 0, 'the order emptied the cart');
    });

    test('by the script tag: turned off, nothing is captured but the page view and what the shop tracks', async () => {
      await shop('/off');
      await run((page) => {
        history.pushState(1, '', '/off?a=1');
        page.dataLayer.push({ event: 'search', search_term: 'x' });
        page.endcap.track('Last');
      });
      assert.deepEqual(await events('Last'), ['Last', 'Page Viewed']);
    });

    test('by the script tag: a consent tool decides for a visitor who was asked nothing by the shop', async () => {
      await shop('/pending');
      assert.equal(await run(() => document.cookie), '');
      await run((page) => page.gtag('consent', 'update', { analytics_storage: 'granted' }));
      await until(() => run((page) => page.endcap.anonymousId()), { what: 'the visitor is known' });
      assert.deepEqual(await events('Page Viewed'), ['Page Viewed']);
    });
  });
}
