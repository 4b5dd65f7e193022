/** What one browser of a person gets names no other browser of theirs, because a name of a browser is worth something. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { PushService } from '../harness/pushService.mjs';
import { Receiver } from '../harness/receiver.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const HALF_AN_HOUR = 1800_000;

/** @type {Edge} */
let edge;
/** @type {PushService} */
let service;
before(async () => {
  [edge, service] = await Promise.all([Edge.start(), PushService.start()]);
  await edge.api.set('/api/products', { products: PRODUCTS });
});
after(async () => {
  await edge.stop();
  await service.close();
});

/** Every text within a text that is base64url of something, decoded too. @param {string} text */
const withDecoded = (text) => [text, ...text.split(/[^\w-]+/).map((part) => Buffer.from(part, 'base64url').toString('latin1'))].join(' ');

test("the second device's decisions and notifications do not say what the first is called", async () => {
  const [first, second] = [new Visitor(edge), new Visitor(edge)];
  await first.send([first.order('a-1', [{ product_id: 'trousers-1' }]), first.identify('ada', {}, edge.proof('ada'))]);
  await second.send([second.identify('ada', {}, edge.proof('ada'))]);
  const { profile_id: person } = await edge.api.profile({ user_id: 'ada' });
  assert.equal(person, first.anonymousId, 'a profile is named after its first browser');

  const receiver = new Receiver(service, edge.pushKey);
  assert.equal((await second.subscribe(receiver.subscription)).status, 200);
  await second.send([second.product('Added', 'shoes-2', { category: 'shoes', price: 20 })]);
  const decisions = [await first.decision(), await second.decision()];
  assert.equal(decisions[0].profile_id, decisions[1].profile_id, 'pages of one person know them by one name');
  assert.equal(decisions[0].profile_id, edge.opaque(person), 'the HMAC of the profile ID');
  await edge.passTime(Date.now() + HALF_AN_HOUR + 1000);
  const [message] = await until(() => receiver.messages.length && receiver.messages, { what: 'the message' });
  for (const told of [decisions[1], message.payload]) {
    assert.ok(!withDecoded(JSON.stringify(told)).includes(first.anonymousId));
  }

  // What the browser reports reaches the person all the same, also after the browser went to somebody else's profile.
  const { token } = message.payload.notification.data;
  const clicked = async () => (await edge.api.profile({ anonymous_id: second.anonymousId })).pushes.at(-1).clicked_at;
  assert.equal((await second.postTo('/ec/n', { token, outcome: 'shown' })).status, 204);
  const dropped = await edge.api.post('/api/profiles/unmerge', { anonymous_id: second.anonymousId, reason: 'not hers' });
  assert.equal(dropped.status, 200);
  assert.equal(await clicked(), null);
  assert.equal((await second.postTo('/ec/n', { token, outcome: 'clicked' })).status, 204);
  await until(clicked, { what: 'the click is noted where the browser is now' });
});
