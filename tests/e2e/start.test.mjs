/**
 * The script starts, however a page comes to run it, or says in one line why not.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inShop } from '../harness/inShop.mjs';
import { TARGET } from '../harness/paths.mjs';
import { shopPage, TAG } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

const SCRIPT = readFileSync(`${TARGET}/edge-assets/ec/endcap.js`, 'utf8');
const JOINED = { html: `window.first = 1;\n${SCRIPT}\nwindow.last = 1;`, headers: { 'Content-Type': 'text/javascript' } };
const EVALUATE = "<script>fetch('/ec/endcap.js').then((reply) => reply.text()).then((code) => (0, eval)(code))</script>";
const ATTRIBUTES = 'data-source="demo" data-consent="granted"';
const CONFIGURED = "<script>window.endcap = { source: 'demo', consent: 'granted' };</script>";

/** Ways in which the page's view has to arrive. @type {Record<string, Parameters<typeof shopPage>[0]>} */
const STARTS = {
  'a tag': {},
  'a tag manager took the attributes away, but not the address': { tag: '<script async src="/ec/endcap.js?source=demo&amp;consent=granted"></script>' },
  'a tag manager inserts it without attributes': {
    tag: `<script>
      const script = document.createElement('script');
      script.src = '/ec/endcap.js?source=demo&consent=granted';
      document.head.append(script);
    </script>`,
  },
  'a module': { tag: `<script type="module" src="/ec/endcap.js" ${ATTRIBUTES}></script>` },
  'a page optimiser evaluates it later': { tag: `<script type="text/lazy" src="/ec/endcap.js" ${ATTRIBUTES}></script>${EVALUATE}` },
  'a page optimiser evaluates it, and the tag is empty': { tag: `<script type="text/lazy" ${ATTRIBUTES}></script>${EVALUATE}` },
  'joined to other code, with attributes': { tag: `<script src="/joined.js" ${ATTRIBUTES}></script>` },
  'joined to other code, as a module': { tag: `<script type="module" src="/joined.js" ${ATTRIBUTES}></script>` },
  'joined to other code, configured': { head: CONFIGURED, tag: '<script src="/joined.js"></script>' },
  'configured beside a tag without attributes': { head: CONFIGURED, tag: '<script async src="/ec/endcap.js"></script>' },
  'an element has its name': { head: '<div id="endcap"></div>' },
  'a form has its name': { head: '<form id="endcap"><input name="source"><input name="consent"></form>' },
  'a frame has its name': { head: '<iframe name="endcap" src="/empty"></iframe>' },
  'something else has its name': { head: "<script>window.endcap = 'something';</script>" },
  'a function has its name': { head: '<script>function endcap() {}</script>' },
  'another vendor names a source too': { head: '<script data-source="theirs" src="/other.js"></script>' },
};

/** Says that the browser only prepares the page, until it is opened. */
const PREPARED = `<script>
  Object.defineProperty(document, 'prerendering', { value: true, configurable: true });
  window.activate = () => {
    delete document.prerendering;
    document.dispatchEvent(new Event('prerenderingchange'));
  };
  window.endcap = [];
  endcap.push(['track', ['Called Before', {}], 0, Date.now()]);
</script>`;

const paths = new Map(Object.keys(STARTS).map((name, at) => [name, `/start-${at}`]));
const PAGES = {
  '/joined.js': JOINED,
  '/other.js': { html: '', headers: { 'Content-Type': 'text/javascript' } },
  ...Object.fromEntries(Object.entries(STARTS).map(([name, page]) => [/** @type {string} */ (paths.get(name)), shopPage(page)])),
  '/nameless': shopPage({ tag: '<script async src="/ec/endcap.js"></script>' }),
  '/by-call': shopPage({
    tag: `<script>window.endcap = [['init', [{ source: 'demo', consent: 'granted' }], 0, 0], ['page', [], 0, Date.now()]];</script>
      <script async src="/ec/endcap.js"></script>`,
  }),
  '/twice': shopPage({ body: TAG }),
  '/prepared': shopPage({ head: PREPARED }),
};

inShop(PAGES, (page) => {
  for (const [name, path] of paths) {
    test(`it starts: ${name}`, async () => {
      await page.open(path);
      await page.event('Page Viewed');
      assert.deepEqual(await page.run((page) => page.thrown), []);
      assert.deepEqual(await page.said(/endcap/), []);
    });
  }

  test('it starts by a call of the page', async () => {
    await page.open('/by-call');
    await page.event('Page Viewed');
  });

  test('without a source it says so in one line, and sends nothing', async () => {
    await page.open('/nameless');
    const [level, text] = await page.saidOnce(/endcap/);
    assert.equal(level, 'warn');
    assert.match(text, /not started: no data-source/);
    assert.deepEqual(await page.run((page) => [page.thrown, Object.keys(page.localStorage)]), [[], []]);
  });

  test('two tags are one', async () => {
    await page.open('/twice');
    await page.event('Page Viewed');
    await page.run((page) => page.endcap.track('Told Once'));
    await page.event('Told Once');
    const names = (await page.events()).map((event) => event.name);
    assert.deepEqual(names.sort(), ['Page Viewed', 'Told Once']);
  });

  test('a page that is only prepared sends and stores nothing; once it is opened its view counts, from then on', async () => {
    await page.open('/prepared');
    await until(() => page.run((page) => typeof page.endcap.track === 'function'), { what: 'the script is there' });
    await page.run((page) => page.endcap.track('Called Meanwhile', { at: 'prepared' }));
    const state = await page.run((page) => [
      page.document.cookie,
      Object.keys(page.localStorage),
      page.performance.getEntriesByType('resource').filter((/** @type {any} */ one) => /core|\/e\?/.test(one.name)).length,
    ]);
    assert.deepEqual(state, ['', [], 0]);
    const opened = await page.run((page) => (page.activate(), Date.now()));
    const view = await page.event('Page Viewed');
    await page.event('Called Meanwhile');
    assert.ok(view.timestamp >= Number(opened) - 5, `${view.timestamp} is not before it was opened at ${opened}`);
    const names = (await page.events()).map((event) => event.name);
    assert.deepEqual(names.sort(), ['Called Before', 'Called Meanwhile', 'Page Viewed']);
  });
});
