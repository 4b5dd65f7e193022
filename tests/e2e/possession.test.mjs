/**
 * How each browser shows that its anonymous ID is its own: by a cookie on the shop's own host, by what the page keeps where the
 * edge is on another site. What lacks it is somebody new, and loses nothing.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { Edge, SOURCE } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { StaticSite } from '../harness/staticSite.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/** @param {string} edge Origin of the edge, where it is not the page's own. */
const page = (edge = '') => `<!doctype html><html lang=en><title>Shop</title><link rel=icon href="data:,">
  <script>window.endcap = [];</script>
  <script async src="${edge}/ec/endcap.js" data-source="${SOURCE}" data-consent="granted" ${edge && `data-endpoint="${edge}"`}></script>
  <h1>Shop</h1></html>`;

/** A page on which nothing but the image of a `<noscript>` counts. */
const IMAGE = `<!doctype html><html lang=en><title>Image</title><link rel=icon href="data:,">
  <img src="/ec/p.gif?s=${SOURCE}" alt="" width="1" height="1"></html>`;

/** @type {Edge} */
let edge;
/** @type {StaticSite} */
let elsewhere;
/** The shop on a site that is not the edge's. */
let site = '';
before(async () => {
  edge = await Edge.start({ pages: { '/': { html: page() }, '/next': { html: page() }, '/image': { html: IMAGE } } });
  elsewhere = await StaticSite.start({ '/': ['text/html', page(edge.origin)] });
  site = elsewhere.origin.replace('127.0.0.1', 'localhost');
  // Who lacks the token is unverified at once, so that nothing here rests on the time that a request may be under way.
  await edge.restart({ ENDCAP_SOURCES: JSON.stringify({ [SOURCE]: [edge.origin, site] }), ENDCAP_IN_FLIGHT_MS: '0' });
});
after(async () => {
  await edge.stop();
  await elsewhere.close();
});

for (const Browser of [Chromium, Firefox]) {
  describe(Browser.name, { timeout: 180_000 }, () => {
    /** @type {import('../harness/browserPage.mjs').BrowserPage & {close(): Promise<void>, clearCookies(): Promise<void>}} */
    let browser;
    before(async () => {
      browser = await Browser.launch();
    });
    after(() => browser.close());

    const flushed = () => browser.flushed();

    /** @param {string} name */
    const track = (name) => browser.evaluate((/** @type {string} */ name) => /** @type {any} */ (window).endcap.track(name), name);

    /** Names of the events that the edge has of a browser. @param {string} id @returns {Promise<string[]>} */
    async function events(id) {
      const { events } = await edge.api.profile({ anonymous_id: id });
      return events.map((/** @type {{name: string}} */ one) => one.name).sort();
    }

    /** Whether the edge takes a stranger for this browser who only knows its name. @param {string} id */
    async function isOpen(id) {
      const stranger = new Visitor(edge);
      stranger.anonymousId = id;
      const { body } = await stranger.post({ ...stranger.batch([stranger.track('Stranger')]) }, { Origin: edge.origin });
      return body.anonymous_id === undefined;
    }

    test('the token is a cookie that the page does not see, and with the second batch the ID is bound', async () => {
      await browser.open(`${edge.origin}/`);
      const id = await flushed();
      await browser.open(`${edge.origin}/next`);
      assert.equal(await flushed(), id);
      const seen = await browser.evaluate(() => [document.cookie, localStorage.getItem('ec.t')]);
      assert.ok(seen[0].includes('ec_id=') && !seen[0].includes('ec_t='), seen[0]);
      assert.equal(seen[1], null);
      assert.equal(await isOpen(id), false);
      assert.deepEqual((await events(id)).filter((name) => name === 'Page Viewed').length, 2);
    });

    test('an image on a page without our script counts for who has the cookie, and for nobody who only knows the name', async () => {
      await browser.open(`${edge.origin}/`);
      const id = await flushed();
      await browser.open(`${edge.origin}/next`);
      await flushed();
      const views = async () => (await events(id)).filter((name) => name === 'Page Viewed').length;
      const before = await views();
      await browser.open(`${edge.origin}/image`);
      await until(async () => (await views()) === before + 1, { what: 'the image counts' });
      const stranger = { Cookie: `ec_id=1.0199aaaa-0000-7000-8000-000000000000.${id}.0`, Referer: `${edge.origin}/image` };
      assert.equal((await edge.fetch(`/ec/p.gif?s=${SOURCE}`, { headers: stranger })).status, 200);
      assert.equal(await views(), before + 1);
    });

    test('who loses what scripts keep, as in Safari after seven days, stays known by what the edge set', async () => {
      await browser.open(`${edge.origin}/`);
      const id = await flushed();
      await browser.open(`${edge.origin}/next`);
      await flushed();
      const before = (await events(id)).length;
      await browser.evaluate(async () => {
        localStorage.clear();
        sessionStorage.clear();
        for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(/** @type {string} */ (name));
        for (const name of await caches.keys()) await caches.delete(name);
      });
      await browser.open(`${edge.origin}/`);
      assert.equal(await flushed(), id);
      assert.ok((await events(id)).length > before);
      assert.equal(await isOpen(id), false);
    });

    test('what a page says as it goes comes with its cookie', async () => {
      await browser.open(`${edge.origin}/`);
      const id = await flushed();
      await browser.evaluate(() => {
        /** @type {any} */ (window).endcap.track('Left');
        location.assign('/next');
      });
      await until(async () => (await events(id)).includes('Left'), { what: 'the last event of the page' });
      await until(async () => (await browser.url()).pathname === '/next', { what: 'the next page' });
      assert.equal(await flushed(), id);
      assert.equal((await events(id)).filter((name) => name === 'Left').length, 1);
    });

    test('who lost the cookies is somebody new, without losing an event', async () => {
      await browser.open(`${edge.origin}/`);
      const id = await flushed();
      await browser.open(`${edge.origin}/next`);
      await flushed();
      const before = await events(id);
      await browser.clearCookies();
      await track('After');
      await until(async () => (await browser.evaluate(() => /** @type {any} */ (window).endcap.anonymousId())) !== id, {
        what: 'the browser takes a new ID',
      });
      await track('Later');
      const fresh = await flushed();
      assert.deepEqual(await events(id), before);
      assert.deepEqual(await events(fresh), ['After', 'Later']);
      // And so it stays.
      await browser.open(`${edge.origin}/`);
      assert.equal(await flushed(), fresh);
      assert.equal(await isOpen(fresh), false);
    });

    test('events that waited for the network while somebody logged out are still those of the one before', async () => {
      await browser.open(`${edge.origin}/`);
      const id = await flushed();
      await browser.open(`${edge.origin}/next`);
      await flushed();
      await browser.setOffline(true);
      await track('Before the logout');
      const next = await browser.evaluate(() => {
        const { endcap } = /** @type {any} */ (window);
        endcap.reset();
        endcap.track('After the logout');
        return endcap.anonymousId();
      });
      await browser.setOffline(false);
      assert.equal(await flushed(), next);
      assert.ok((await events(id)).includes('Before the logout'));
      assert.ok((await events(next)).includes('After the logout'));
    });

    test('a page of another site keeps the token itself, and sends it along', async () => {
      await browser.open(`${site}/`);
      const id = await flushed();
      const token = await browser.evaluate(() => localStorage.getItem('ec.t'));
      assert.match(token, /^1\.k1\./);
      await browser.open(`${site}/`);
      assert.equal(await flushed(), id);
      assert.equal(await isOpen(id), false);
      assert.equal((await events(id)).filter((name) => name === 'Page Viewed').length, 2);
      await browser.evaluate(() => localStorage.removeItem('ec.t'));
      await track('Without');
      await until(async () => (await browser.evaluate(() => /** @type {any} */ (window).endcap.anonymousId())) !== id, {
        what: 'the browser takes a new ID',
      });
      assert.deepEqual(await events(await flushed()), ['Without']);
      // Who takes consent back is heard as who they are, though nothing of it stays in the page.
      await browser.open(`${site}/`);
      const last = await flushed();
      await browser.evaluate(() => /** @type {any} */ (window).endcap.consent('denied'));
      await until(async () => !(await edge.api.profile({ anonymous_id: last })).consent.analytics, { what: 'the edge hears it' });
      assert.equal(await browser.evaluate(() => localStorage.getItem('ec.t')), null);
    });
  });
}
