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
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { shopPage } from '../harness/shopPage.mjs';
import { until } from '../harness/until.mjs';

/**
 * @typedef {{holds: string[], fails: string[], boundary: [string, string][]}} Case
 * @type {{path: string, events: any[], cases: Record<string, Case>, subscribed_cases: Record<string, Case>}}
 */
const table = JSON.parse(readFileSync(new URL('../cases/conditions.json', import.meta.url), 'utf8'));

/** Facts that a page knows, as the book lists them. */
const KNOWN = [
  'products_viewed', 'units_bought', 'units_added', 'cart_units', 'cart_value', 'orders', 'sessions', 'page_views', 'days_since_last_order',
  'days_since_first_seen', 'consent_marketing', 'push_subscribed', 'stage', 'url_path', 'some_category',
];
/** The cases of a table that a page can judge. @param {Record<string, Case>} cases */
const judged = (cases) => KNOWN.flatMap((fact) => {
  const { holds, fails, boundary } = cases[fact] ?? { holds: [], fails: [], boundary: [] };
  return [
    ...holds.map((condition) => ({ condition, holds: true })),
    ...fails.map((condition) => ({ condition, holds: false })),
    ...boundary.flatMap(([yes, no]) => [{ condition: yes, holds: true }, { condition: no, holds: false }]),
  ];
  // A number of orders within a span only the edge knows.
}).filter(({ condition }) => !/\bin \d+ /.test(condition));
const CASES = judged(table.cases);
/** Those of a browser that is subscribed to web push. */
const SUBSCRIBED = judged(table.subscribed_cases);
/** The last session of the table, which goes on in the page. */
const LAST = table.events.at(-1).session_id;
/** The campaign of a case. */
const id = (/** @type {string} */ condition) => `case-${[...CASES, ...SUBSCRIBED].findIndex((one) => one.condition === condition)}`;

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
  for (const { condition } of [...CASES, ...SUBSCRIBED]) {
    await edge.api.set(`/api/campaigns/${id(condition)}`, {
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

  /** Opens the page anew, which judges these cases as they say. @param {{condition: string, holds: boolean}[]} cases */
  async function opened(cases) {
    await shop.browser.open(shop.edge.origin + table.path);
    await page.run((page) => page.endcap.track('Case Opened'));
    const told = await until(async () => {
      const told = await page.run((page) => page.told);
      // What cannot come to hold on the page any more is not sent to it.
      const missing = cases.filter(({ condition, holds }) => holds && !told[id(condition)]).map(({ condition }) => condition);
      if (missing.length) throw new Error(`${missing.length} of ${cases.length}: ${missing.slice(0, 5).join('; ')}`);
      return told;
    }, { what: 'the page judged every case', within: 30_000 });
    const wrong = cases.map(({ condition, holds }) => ({ condition, holds, why: told[id(condition)] })).filter(
      ({ holds, why }) => (holds ? why !== 'waits for its trigger' : why !== undefined && why !== 'condition does not hold'),
    );
    assert.deepEqual(wrong, []);
  }

  test('each condition of the table that a page can judge holds there as it says', async () => {
    await page.open(table.path);
    await page.run((page) => page.endcap.track('Case Opened'));
    const { session_id: session } = await page.event('Case Opened');
    await live(session);
    await opened(CASES);
    const service = await PushService.start();
    try {
      const { subscription } = new Receiver(service, shop.edge.pushKey);
      const anonymousId = await page.run((page) => page.endcap.anonymousId());
      const body = JSON.stringify({ anonymous_id: anonymousId, source: SOURCE, subscription, key_id: 'k1', zone: 'UTC' });
      const answer = await page.run(
        (_, body) => fetch('/ec/push', { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'text/plain' }, body }).then((answer) => answer.json()),
        body,
      );
      assert.equal(answer.subscribed, true, JSON.stringify(answer));
      await opened(SUBSCRIBED);
    } finally {
      await service.close();
    }
  });
}, { prepare });
