/** The table of cases in which each fact of conditions holds, does not, and lies at the boundary, asked of the worker. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

/**
 * @typedef {{holds: string[], fails: string[], boundary: [string, string][]}} Case
 * @type {{path: string, headers: Record<string, string>, place: Record<string, string>, listed: string[], segments: Record<string, string>, events: any[], cases: Record<string, Case>, subscribed_cases: Record<string, Case>}}
 */
const table = JSON.parse(readFileSync(new URL('../cases/conditions.json', import.meta.url), 'utf8'));

/** @type {Edge} */
let edge;
/** @type {PushService} */
let service;
before(async () => {
  [edge, service] = await Promise.all([Edge.start({ place: table.place }), PushService.start()]);
});
after(async () => {
  await edge.stop();
  await service.close();
});

test('each condition of the table holds of its person as it says, tried and saved', async () => {
  const visitor = new Visitor(edge);
  const now = Date.now();
  for (const { ago, ...event } of table.events) {
    const proof = event.type === 'identify' ? { proof: edge.proof(event.user_id) } : {};
    const made = visitor.event(event.type, { timestamp: now - ago * 60_000, context: {}, ...event, ...proof });
    const { status, body } = await visitor.post(visitor.batch([made]), table.headers);
    assert.deepEqual([status, body.accepted?.length], [200, 1], JSON.stringify(body));
  }
  for (const [id, condition] of Object.entries(table.segments)) {
    await edge.api.set(`/api/segments/${id}`, { name: id, condition });
    await until(async () => (await edge.api.get(`/api/segments/${id}`)).body.filling === null, { what: `${id} is filled` });
  }
  for (const list of table.listed) {
    const { body } = await edge.api.post(`/api/segments/${list}/list`, { add: [{ anonymous_id: visitor.anonymousId }] });
    assert.equal(body.added, 1, JSON.stringify(body));
  }
  const cases = casesOf(table.cases);
  assert.ok(cases.length > 280);
  await tried(visitor, cases);
  await saved(cases);
  const subscribed = await visitor.subscribe(new Receiver(service, edge.pushKey).subscription);
  assert.deepEqual([subscribed.status, subscribed.body.subscribed], [200, true]);
  await tried(visitor, casesOf(table.subscribed_cases));
  await saved(casesOf(table.subscribed_cases));
});

/** @param {Record<string, Case>} table */
function casesOf(table) {
  return Object.values(table).flatMap(({ holds, fails, boundary }) => [
    ...holds.map((condition) => ({ condition, holds: true })),
    ...fails.map((condition) => ({ condition, holds: false })),
    ...boundary.flatMap(([yes, no]) => [{ condition: yes, holds: true }, { condition: no, holds: false }]),
  ]);
}

/** Asks each condition of a person without saving it. @param {Visitor} visitor @param {{condition: string, holds: boolean}[]} cases */
async function tried(visitor, cases) {
  const wrong = [];
  for (const { condition, holds } of cases) {
    const { status, body } = await edge.api.post(`/api/segments/explain?anonymous_id=${visitor.anonymousId}`, { condition, path: table.path });
    if (status !== 200 || body.condition.holds !== holds) wrong.push([condition, holds, status, JSON.stringify(body)]);
  }
  assert.deepEqual(wrong, []);
}

/** Ten at a time, as segments: what is counted from the log and kept says the same. @param {{condition: string, holds: boolean}[]} cases */
async function saved(cases) {
  const saved = cases.filter(({ condition }) => !condition.includes('url_path'));
  for (let from = 0; from < saved.length; from += 10) {
    const parts = saved.slice(from, from + 10).map(({ condition, holds }) => (holds ? `(${condition})` : `not (${condition})`));
    await edge.api.set('/api/segments/ten', { name: 'ten', condition: parts.join(' and ') });
    const size = await until(async () => {
      const { body } = await edge.api.get('/api/segments/ten');
      return body.filling === null && [body.size];
    }, { what: 'the segment is filled' });
    assert.deepEqual(size, [1], parts.join(' and '));
  }
}
