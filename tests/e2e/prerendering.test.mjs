/**
 * Pages that Chromium itself prepares by speculation rules: one that is opened counts from then on, and one that never is leaves no
 * trace. Firefox prepares none.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openAlone } from '../harness/chromium.mjs';
import { Edge } from '../harness/edge.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

const ANONYMOUS = randomUUID();
/** The visitor has been here before, so that the edge can be asked about them. */
const KNOWN = `<script>
  document.cookie = 'ec_id=1.${randomUUID()}.${ANONYMOUS}.0; Path=/';
  localStorage.setItem('ec.id', document.cookie.slice(6));
</script>`;
const RULES = { prerender: [{ urls: ['/opened', '/never'], eagerness: 'immediate' }] };
/** Says that the page is prepared, and what it was while its script ran. */
const PREPARED = `<script>
  localStorage.setItem('test' + location.pathname, String(document.prerendering));
  window.endcap = [['track', ['Called', { path: location.pathname, prerendering: document.prerendering }], 0, Date.now()]];
  document.addEventListener('prerenderingchange', () => {
    const args = ['Opened', { left: Number(localStorage.getItem('test.left')) }];
    // The script may not be there yet.
    endcap.track ? endcap.track(...args) : endcap.push(['track', args, 0, Date.now()]);
  });
</script>`;
/** Goes once both are prepared. */
const GO = `<script>
  const timer = setInterval(() => {
    if (!localStorage.getItem('test/opened') || !localStorage.getItem('test/never')) return;
    clearInterval(timer);
    localStorage.setItem('test.left', Date.now());
    location.href = '/opened';
  }, 50);
</script>`;
const PAGES = {
  '/': shopPage({ head: `${KNOWN}<script type="speculationrules">${JSON.stringify(RULES)}</script>`, body: GO }),
  '/opened': shopPage({ head: PREPARED }),
  '/never': shopPage({ head: PREPARED }),
};

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ pages: PAGES });
});
after(() => edge.stop());

test('what a prepared page tells counts when it is opened, and only then', { timeout: 60_000 }, async () => {
  const browser = openAlone(`${edge.origin}/`);
  try {
    const events = await until(
      async () => {
        const events = await edge.api.events({ anonymous_id: ANONYMOUS });
        return ['Opened', 'Called'].every((name) => events.some((/** @type {any} */ one) => one.name === name)) && events;
      },
      { what: 'the opened page tells', within: 40_000 },
    );
    const of = (/** @type {string} */ path) => events.filter((/** @type {any} */ one) => new URL(one.context.page.url).pathname === path);
    assert.deepEqual(of('/never'), []);
    const views = of('/opened').filter((/** @type {any} */ one) => one.type === 'page');
    const [called] = events.filter((/** @type {any} */ one) => one.name === 'Called');
    const [opened] = events.filter((/** @type {any} */ one) => one.name === 'Opened');
    assert.deepEqual(called.properties, { path: '/opened', prerendering: true }, 'the browser did prepare it');
    assert.equal(views.length, 1);
    assert.ok(views[0].timestamp >= opened.properties.left, 'its view counts from when it was opened');
  } finally {
    await browser.close();
  }
});
