/**
 * The table of cases in which each fact of conditions holds, does not, and lies at the boundary, asked of real pages: what the page can
 * know it judges by itself, with no request in between.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SOURCE } from '../harness/edge.mjs';
import { bucketOf, uuidv7 } from '../harness/ids.mjs';
import { inShop } from '../harness/inShop.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

/**
 * @typedef {{holds: string[], fails: string[], boundary: [string, string][]}} Case
 * @type {{path: string, events: any[], cases: Record<string, Case>}}
 */
const table = JSON.parse(readFileSync(new URL('../cases/conditions.json', import.meta.url), 'utf8'));

/** Facts that a page knows, as the book lists them. */
const KNOWN = [
  'products_viewed', 'units_bought', 'units_added', 'cart_units', 'cart_value', 'orders', 'sessions', 'page_views', 'days_since_last_order',
  'days_since_first_seen', 'consent_marketing', 'push_subscribed', 'stage', 'url_path', 'some_category',
];
const CASES = KNOWN.flatMap((fact) => {
  const { holds, fails, boundary } = table.cases[fact];
  return [
    ...holds.map((condition) => ({ condition, holds: true })),
    ...fails.map((condition) => ({ condition, holds: false })),
    ...boundary.flatMap(([yes, no]) => [{ condition: yes, holds: true }, { condition: no, holds: false }]),
  ];
  // A number of orders within a span only the edge knows.
}).filter(({ condition }) => !/\bin \d+ /.test(condition));
/** The last session of the table, which goes on in the page. */
const LAST = table.events.at(-1).session_id;
/** The campaign of a case. */
const id = (/** @type {number} */ at) => `case-${at}`;

const HEAD = `<script>
  window.told = {};
  window.endcap = [
    ['on', ['debug', ({ kind, detail }) => { if (/shown$/.test(kind)) told[detail.campaign_id] = detail.why ?? kind; }], 0, 0],
    ['on', ['sent', (one) => (window.sent ??= []).push(one)], 0, 0],
  ];
</script>`;
const PAGES = {
  [table.path]: shopPage({ head: HEAD, tag: '<script async src="/ec/endcap.js" data-source="demo" data-consent="granted" data-page="off" data-debug></script>' }),
};

/** @param {import('../harness/edge.mjs').Edge} edge */
async function prepare(edge) {
  await edge.api.set('/api/settings', { push_prompt: { enabled: false } });
  for (const [at, { condition }] of CASES.entries()) {
    await edge.api.set(`/api/campaigns/${id(at)}`, {
      name: condition, type: 'popup', condition, trigger: { dwell_seconds: 3600 }, content: { title: 'A case' },
    });
  }
}

inShop(PAGES, (page, shop) => {
  /** Sends what the table says happened, from the page, which is the visitor's. @param {string} session The one of the page. */
  async function live(session) {
    const anonymousId = await page.run((page) => page.endcap.anonymousId());
    const now = Date.now();
    for (const { ago, ...event } of table.events) {
      const timestamp = now - ago * 60_000;
      // The person of another browser is another one.
      const user_id = `${event.user_id}-${anonymousId}`;
      const said = event.type === 'identify' ? { user_id, proof: shop.edge.proof(user_id) } : {};
      const made = { message_id: uuidv7(timestamp), timestamp, ...event, session_id: event.session_id === LAST ? session : event.session_id, ...said };
      const consent = { analytics: true, personalization: true, marketing: true };
      const batch = { source: SOURCE, sent_at: now, anonymous_id: anonymousId, consent, events: [made] };
      const answer = await page.run(
        (_, path, body) => fetch(path, { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'text/plain' }, body }).then((answer) => answer.json()),
        `/ec/e?b=${bucketOf(anonymousId)}`, JSON.stringify(batch),
      );
      assert.equal(answer.accepted?.length, 1, JSON.stringify(answer));
    }
  }

  test('each condition of the table that a page can judge holds there as it says', async () => {
    await page.open(table.path);
    await page.run((page) => page.endcap.track('Case Opened'));
    const { session_id: session } = await page.event('Case Opened');
    await live(session);
    await shop.browser.open(shop.edge.origin + table.path);
    await page.run((page) => page.endcap.track('Case Opened'));
    const told = await until(async () => {
      const told = await page.run((page) => page.told);
      // What cannot come to hold on the page any more is not sent to it.
      const missing = CASES.filter(({ holds }, at) => holds && !told[id(at)]).map(({ condition }) => condition);
      if (missing.length) throw new Error(`${missing.length} of ${CASES.length}: ${missing.slice(0, 5).join('; ')}`);
      return told;
    }, { what: 'the page judged every case', within: 30_000 });
    const wrong = CASES.map(({ condition, holds }, at) => ({ condition, holds, why: told[id(at)] })).filter(
      ({ holds, why }) => (holds ? why !== 'waits for its trigger' : why !== undefined && why !== 'condition does not hold'),
    );
    assert.deepEqual(wrong, []);
  });
}, { prepare });
