/**
 * What becomes of every event of a batch: accepted, duplicate or rejected with a code and a path, and exactly one of
 * them.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { uuid, uuidv7 } from '../harness/ids.mjs';
import { Visitor } from '../harness/visitor.mjs';

const DAY = 86_400_000;

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start();
});
after(() => edge.stop());

/** How many views of a product the profile's recent events hold. @param {Visitor} visitor @param {string} product */
async function viewsOf(visitor, product) {
  const { events } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  return events.filter((/** @type {any} */ { name, about }) => name === 'Product Viewed' && about === product).length;
}

/** @param {Visitor} visitor Fails the test if anything of this visitor was kept. */
async function assertUnknown(visitor) {
  assert.equal((await edge.api.get(`/api/profiles?anonymous_id=${visitor.anonymousId}`)).status, 404);
}

test('an everyday batch is accepted and the profile shows it', async () => {
  const visitor = new Visitor(edge);
  const events = [visitor.page('https://shop.example/'), visitor.product('Viewed', 'shoes-1', { category: 'shoes' })];
  const { status, body } = await visitor.post(visitor.batch(events));
  assert.equal(status, 200);
  assert.deepEqual(body.accepted, events.map((event) => event.message_id));
  assert.deepEqual([body.duplicate, body.rejected], [[], []]);
  assert.equal(await viewsOf(visitor, 'shoes-1'), 1);
});

test('sending a batch again changes nothing', async () => {
  const visitor = new Visitor(edge);
  const events = [visitor.product('Viewed', 'a'), visitor.product('Added', 'a'), visitor.order('o-1', [{ product_id: 'b' }])];
  const text = JSON.stringify(visitor.batch(events));
  await visitor.post(text);
  const once = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  const { status, body } = await visitor.post(text);
  assert.equal(status, 200);
  assert.deepEqual(body.accepted, []);
  assert.deepEqual(body.duplicate, events.map((event) => event.message_id));
  assert.deepEqual(await edge.api.profile({ anonymous_id: visitor.anonymousId }), once);
});

test('the same batch sent ten times at once counts once', async () => {
  const visitor = new Visitor(edge);
  const text = JSON.stringify(visitor.batch([visitor.product('Viewed', 'a'), visitor.product('Viewed', 'a')]));
  const answers = await Promise.all(Array.from({ length: 10 }, () => visitor.post(text)));
  const accepted = answers.flatMap(({ body }) => body.accepted);
  const duplicate = answers.flatMap(({ body }) => body.duplicate);
  assert.deepEqual([accepted.length, duplicate.length], [2, 18]);
  assert.equal(await viewsOf(visitor, 'a'), 2);
});

test('a message that stands twice in one batch counts once', async () => {
  const visitor = new Visitor(edge);
  const event = visitor.product('Viewed', 'a');
  const { body } = await visitor.post(visitor.batch([event, event]));
  assert.deepEqual([body.accepted, body.duplicate], [[event.message_id], [event.message_id]]);
  assert.equal(await viewsOf(visitor, 'a'), 1);
});

test('good events of a bad batch are kept and each bad one is answered with its code and path', async () => {
  const visitor = new Visitor(edge);
  const now = Date.now();
  /** @type {[object, string, string][]} */
  const bad = [
    [visitor.event('shout'), 'invalid_field', 'type'],
    [visitor.track(''), 'invalid_field', 'name'],
    [visitor.track('Order Completed', { currency: 'EUR' }), 'invalid_field', 'properties.order_id'],
    [visitor.event('impression', { name: 'Campaign Shown', properties: {} }), 'invalid_field', 'properties.campaign_id'],
    [visitor.track('X', {}, { timestamp: now - 8 * DAY }), 'too_late', 'timestamp'],
    [visitor.track('X', {}, { timestamp: now + DAY }), 'in_future', 'timestamp'],
    [{ ...visitor.track('X'), anonymous_id: uuid() }, 'wrong_visitor', 'anonymous_id'],
    [visitor.track('X', { note: 'n'.repeat(33_000) }), 'too_large', ''],
    [/** @type {any} */ (null), 'invalid_event', ''],
    [/** @type {any} */ ('track'), 'invalid_event', ''],
  ];
  const good = () => visitor.product('Viewed', 'kept');
  const events = bad.flatMap(([event]) => [good(), event]);
  const { status, body } = await visitor.post(visitor.batch(events));
  assert.equal(status, 200);
  assert.equal(body.accepted.length, bad.length);
  const expected = bad.map(([, code, path], n) => {
    const index = 2 * n + 1;
    return [index, code, path ? `events[${index}].${path}` : `events[${index}]`];
  });
  assert.deepEqual(body.rejected.map((/** @type {any} */ r) => [r.index, r.code, r.path]), expected);
  for (const { message } of body.rejected) assert.match(message, /\w+/);
  assert.equal(await viewsOf(visitor, 'kept'), bad.length);
});

test('a batch without one good event is answered with 400 and the same list', async () => {
  const visitor = new Visitor(edge);
  const { status, body } = await visitor.post(visitor.batch([visitor.event('shout'), visitor.track('')]));
  assert.equal(status, 400);
  assert.deepEqual(body.rejected.map((/** @type {any} */ r) => r.path), ['events[0].type', 'events[1].name']);
  await assertUnknown(visitor);
});

test('a batch over the bound of bytes keeps nothing', async () => {
  const visitor = new Visitor(edge);
  const filler = Array.from({ length: 20 }, () => visitor.track('X', { note: 'n'.repeat(30_000) }));
  const { status, body } = await visitor.post(visitor.batch([visitor.product('Viewed', 'a'), ...filler]));
  assert.deepEqual([status, body.error.code], [413, 'too_large']);
  await assertUnknown(visitor);
});

test('a batch over the bound of events keeps nothing', async () => {
  const visitor = new Visitor(edge);
  const events = Array.from({ length: 501 }, () => visitor.track('X'));
  const { status, body } = await visitor.post(visitor.batch(events));
  assert.deepEqual([status, body.error.path], [400, 'events']);
  assert.equal((await visitor.post(visitor.batch(events.slice(1)))).body.accepted.length, 500);
});

test('other content types are answered with 415', async () => {
  const visitor = new Visitor(edge);
  for (const type of ['text/html', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'image/png']) {
    const { status, body } = await visitor.post(visitor.batch([visitor.track('X')]), { 'Content-Type': type });
    assert.deepEqual([status, body.error.code], [415, 'unsupported_media_type'], type);
  }
  const json = { 'Content-Type': 'application/json; charset=utf-8' };
  assert.equal((await visitor.post(visitor.batch([visitor.track('X')]), json)).status, 200);
});

test('an unknown source or a foreign origin keeps nothing', async () => {
  const visitor = new Visitor(edge);
  const batch = visitor.batch([visitor.track('X')]);
  const unknown = await visitor.post({ ...batch, source: 'elsewhere' });
  assert.ok([400, 403].includes(unknown.status), `unknown source: ${unknown.status}`);
  for (const origin of ['https://evil.example', 'https://shop.example.evil.example', 'http://shop.example', 'null']) {
    const { status, body } = await visitor.post(batch, { Origin: origin });
    assert.deepEqual([status, body.error.code], [403, 'forbidden_origin'], origin);
  }
  await assertUnknown(visitor);
});

test('a clock that is wrong by hours is corrected by when the batch was sent', async () => {
  const visitor = new Visitor(edge);
  const slow = Date.now() - 5 * 3_600_000;
  const event = visitor.product('Viewed', 'a', {}, { timestamp: slow });
  await visitor.send([event], { sent_at: slow });
  const profile = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  const [newest] = profile.events;
  assert.ok(Math.abs(newest.at - Date.now()) < 60_000, `recorded at ${newest.at}`);
});

test('what the visitor did not agree to is not kept', async () => {
  const visitor = new Visitor(edge);
  visitor.consent = { analytics: false, personalization: false, marketing: false };
  const { status, body } = await visitor.post(visitor.batch([visitor.product('Viewed', 'a')]));
  assert.equal(status, 400);
  assert.equal(body.rejected[0].code, 'no_consent');
  await assertUnknown(visitor);
});

test('calls that the loader held are the events that they stand for', async () => {
  const visitor = new Visitor(edge);
  const raw = [
    { message_id: uuidv7(), timestamp: Date.now(), call: ['page'], url: 'https://shop.example/?utm_source=mail' },
    { message_id: uuidv7(), timestamp: Date.now(), call: ['track', 'Product Viewed', { product_id: 'raw-1' }] },
    { message_id: uuidv7(), timestamp: Date.now(), call: ['explode'] },
  ];
  const { status, body } = await visitor.post(visitor.batch([], { raw }));
  assert.equal(status, 200);
  assert.deepEqual(body.accepted, [raw[0].message_id, raw[1].message_id]);
  assert.equal(body.rejected[0].message_id, raw[2].message_id);
  assert.equal(await viewsOf(visitor, 'raw-1'), 1);
});
