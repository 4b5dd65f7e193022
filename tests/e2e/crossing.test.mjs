/**
 * One visitor on two of a shop's domains, in each browser: the links between them carry the identity, and nothing of it is
 * seen, kept or useful anywhere else. Each test has domains of its own, which share no cookies.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { uuid } from '../harness/ids.mjs';
import { until } from '../harness/until.mjs';

/** How many pairs of domains there are: more than tests. */
const PAIRS = 16;

const HTML = `<!doctype html><html lang=en><title>Shop</title><link rel=icon href="data:,">
  <script>
    window.endcap = [];
    const [here, pair] = location.hostname.split('.')[0].split('-');
    const other = (here === 'fr' ? 'de' : 'fr') + '-' + pair + '.localhost:' + location.port;
    const consent = location.pathname === '/pending' ? 'pending' : 'granted';
    document.write('<script src="/ec/endcap.js" data-source="${SOURCE}" data-consent="' + consent + '" data-domains="' + other + '"><' + '/script>');
  </script>
  <body><p><a id=over>Over</a> <a id=tab target=_blank>In a tab</a> <a id=kept>Kept</a></p>
  <script>
    for (const link of document.querySelectorAll('a')) link.href = 'http://' + other + '/p?color=red&x=\`#top';
    kept.addEventListener('click', (event) => {
      event.preventDefault();
      window.keptHref = kept.getAttribute('href');
    });
  </script></body></html>`;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ pages: { '/': { html: HTML }, '/p': { html: HTML }, '/pending': { html: HTML } } });
  const { port } = new URL(edge.origin);
  const origins = Array.from({ length: PAIRS }, (_, pair) => ['fr', 'de'].map((name) => `http://${name}-${pair}.localhost:${port}`));
  await edge.restart({ ENDCAP_SOURCES: JSON.stringify({ [SOURCE]: origins.flat() }) });
});
after(() => edge.stop());

/** A token as the edge signs it. @param {object} payload */
function sign(payload) {
  const [kid, key] = edge.signingKey.split(':');
  const text = JSON.stringify(payload);
  const mac = createHmac('sha256', Buffer.from(key, 'base64url')).update(`endcap crossing\0${kid}\0${text}\0`).digest();
  return `1.${kid}.${Buffer.from(text).toString('base64url')}.${mac.subarray(0, 16).toString('base64url')}`;
}

for (const Browser of [Chromium, Firefox]) {
  describe(Browser.name, { timeout: 180_000 }, () => {
    /** @type {import('../harness/browserPage.mjs').BrowserPage & {close(): Promise<void>}} */
    let browser;
    before(async () => {
      browser = await Browser.launch();
    });
    after(() => browser.close());

    let pair = Browser === Chromium ? 0 : PAIRS / 2;
    /** The origins of two domains that nobody visited yet. */
    function shops() {
      const { port } = new URL(edge.origin);
      const [fr, de] = ['fr', 'de'].map((name) => `http://${name}-${pair}.localhost:${port}`);
      pair += 1;
      return { fr, de };
    }

    /** Waits until the visitor is known to the page, and the page's events to the edge. @returns {Promise<string>} */
    const known = () =>
      until(
        () =>
          browser.evaluate(async () => {
            const { endcap } = /** @type {any} */ (window);
            await endcap.flush();
            return endcap.anonymousId();
          }),
        { what: 'the visitor is known' },
      );

    /** @param {string} origin Waits until the page is on it. */
    const arrived = (origin) =>
      until(async () => {
        const url = await browser.url();
        return url.origin === origin && url.href;
      }, { what: `the page is on ${origin}` });

    /** The names and addresses of a visitor's events at the edge. @param {string} id */
    async function events(id) {
      const { events: all = [] } = (await edge.api.profile({ anonymous_id: id })) ?? {};
      return all.map((/** @type {any} */ one) => one.name).sort();
    }

    test('a visitor who follows a link stays the same one, and sees nothing of it', async () => {
      const { fr, de } = shops();
      await browser.open(`${fr}/`);
      const id = await known();
      await browser.click('#over');
      assert.match(await arrived(de), /\/p\?color=red&x=(%60|`)#top$/);
      assert.equal(await known(), id);
      assert.equal(await browser.evaluate(() => document.referrer), '', 'the shop is no referral of its own');
      await until(async () => (await events(id)).length >= 2, { what: 'both page views' });
      // And back, where the visitor has an identity: the same.
      await browser.click('#over');
      await arrived(fr);
      assert.equal(await known(), id);
      await until(async () => (await events(id)).filter((/** @type {string} */ name) => name === 'Page Viewed').length === 3, { what: 'three page views' });
      assert.deepEqual((await events(id)).filter((/** @type {string} */ name) => name.startsWith('Outbound')), []);
    });

    test('so does one whose link opens a tab, and the link has its own address again', async () => {
      const { fr, de } = shops();
      await browser.open(`${fr}/`);
      const id = await known();
      await browser.click('#tab');
      await until(async () => (await events(id)).filter((/** @type {string} */ name) => name === 'Page Viewed').length === 2, { what: 'the page view of the tab' });
      const href = await browser.evaluate(() => document.querySelector('#tab')?.getAttribute('href'));
      assert.ok(href.startsWith(`${de}/p`), href);
    });

    test('a click that the page takes for itself finds the address as it was', async () => {
      const { fr, de } = shops();
      await browser.open(`${fr}/`);
      await known();
      await browser.click('#kept');
      const href = await until(() => browser.evaluate(() => /** @type {any} */ (window).keptHref), { what: 'the click' });
      assert.ok(href.startsWith(`${de}/p`), href);
      assert.equal((await browser.url()).origin, fr);
    });

    test('without consent nothing is carried over', async () => {
      const { fr, de } = shops();
      await browser.open(`${fr}/pending`);
      await until(() => browser.evaluate(() => /** @type {any} */ (window).endcap.flush().then(() => true)), { what: 'the core is there' });
      await browser.click('#over');
      await arrived(de);
      const id = await known();
      await browser.open(`${fr}/pending`);
      assert.equal(await browser.evaluate(() => document.cookie), '');
      assert.deepEqual(await events(id), ['Page Viewed']);
    });

    test('who is somebody on the other domain already stays that', async () => {
      const { fr, de } = shops();
      await browser.open(`${de}/`);
      const own = await known();
      await browser.open(`${fr}/`);
      const id = await known();
      assert.notEqual(id, own);
      await browser.click('#over');
      await arrived(de);
      assert.equal(await known(), own);
    });

    test('a token that is old, or for another domain, makes nobody of a visitor', async () => {
      const { fr, de } = shops();
      const payload = { s: SOURCE, a: uuid(), d: uuid(), u: `${de}/pending`, e: Date.now() + 60_000 };
      const cookie = () => browser.evaluate(() => document.cookie);
      await browser.open(`${de}/ec/x?t=${sign({ ...payload, e: Date.now() - 1 })}`);
      assert.deepEqual([(await browser.url()).href, await cookie()], [`${de}/pending`, '']);
      await browser.open(`${fr}/ec/x?t=${sign(payload)}`);
      assert.deepEqual([(await browser.url()).origin, await cookie()], [fr, '']);
      await browser.open(`${de}/ec/x?t=${sign(payload)}`);
      assert.deepEqual([(await browser.url()).href, (await cookie()).includes(payload.a)], [`${de}/pending`, true]);
    });

    test('it is no open redirect', async () => {
      const { fr } = shops();
      await browser.open(`${fr}/`);
      await known();
      const { port } = new URL(edge.origin);
      for (const to of [`http://evil.localhost:${port}/`, `//evil.localhost:${port}/`, `${fr}@evil.localhost:${port}/`]) {
        await browser.open(`${fr}/ec/x?${new URLSearchParams({ to, s: SOURCE })}`);
        assert.equal((await browser.url()).origin, fr, to);
      }
    });
  });
}
