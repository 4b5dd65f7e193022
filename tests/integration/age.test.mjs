/** Profiles end by their age: of visitors whom nobody knows and who ordered nothing, with all that belongs to them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { Visitor } from '../harness/visitor.mjs';

const DAY = 86_400_000;

test('who is unknown and ordered nothing is gone after so many days, and nobody else', async (t) => {
  const variables = { ENDCAP_SHARDS: '1', ENDCAP_PROFILE_DAYS: '30', ENDCAP_LOG_DAYS: '20' };
  const [edge, service] = await Promise.all([Edge.start({ variables }), PushService.start()]);
  t.after(() => Promise.all([edge.stop(), service.close()]));
  const strangers = Array.from({ length: 230 }, () => new Visitor(edge));
  for (const visitor of strangers) await visitor.send([visitor.product('Added', 'shoes-1', { category: 'shoes' })]);
  await strangers[0].subscribe(new Receiver(service, edge.pushKey).subscription);
  const [buyer, customer, claimer] = [new Visitor(edge), new Visitor(edge), new Visitor(edge)];
  await buyer.send([buyer.order('o-1', [{ product_id: 'shoes-1' }])]);
  await customer.send([customer.identify('ann', {}, edge.proof('ann'))]);
  await claimer.send([claimer.identify('bob')]);

  await edge.passTime(Date.now() + 29 * DAY);
  const health = async () => (await edge.api.get('/api/health')).body.shards[0];
  assert.equal((await health()).profiles_ended, 0);
  await edge.passTime(Date.now() + 31 * DAY);
  assert.equal((await health()).profiles_ended, strangers.length);
  for (const visitor of strangers.slice(0, 3)) assert.equal((await edge.api.get(`/api/profiles?anonymous_id=${visitor.anonymousId}`)).status, 404);
  for (const visitor of [buyer, customer, claimer]) assert.equal((await edge.api.profile({ anonymous_id: visitor.anonymousId })).events.length, 1);
  // Nothing that is stored names them: no timer, stage, subscription or row of the log.
  const [shard] = await (await edge.fetch('/ec/dev/tables')).json();
  for (const [table, rows] of Object.entries(shard)) {
    const left = /** @type {string[][]} */ (rows).filter((row) => strangers.some(({ anonymousId: id }) => row.join().includes(id)));
    if (table !== 'event_log') assert.deepEqual(left, [], table);
  }
  // One of them comes again, as somebody new.
  const [again] = strangers;
  await again.send([again.track('Back')]);
  assert.equal((await edge.api.profile({ anonymous_id: again.anonymousId })).events.length, 1);
});
