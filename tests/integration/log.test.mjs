/** The event log: events wait in their profile's row and leave for the log together. Whoever reads them sees no difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const HOUR = 3600_000;
/** Nothing leaves for the log by itself while a test runs. */
const RESTING = { ENDCAP_LOG_REST_MS: `${HOUR}`, ENDCAP_SHARDS: '1' };

/** @param {import('node:test').TestContext} t @param {Record<string, string>} [variables] */
async function edgeOf(t, variables = {}) {
  const edge = await Edge.start({ variables: { ...RESTING, ...variables } });
  t.after(() => edge.stop());
  return edge;
}

/** Rows of the log, and which profiles have events that wait. @param {Edge} edge */
async function stored(edge) {
  const [shard] = await (await edge.fetch('/ec/dev/tables')).json();
  return { log: shard.event_log.length, profiles: shard.profile };
}

/** All events of somebody, page by page, those received last at the front. @param {Edge} edge @param {Visitor} visitor @param {number} [limit] */
async function listed(edge, visitor, limit = 200) {
  const { profile_id: id } = await edge.api.profile({ anonymous_id: visitor.anonymousId });
  const all = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await edge.api.get(`/api/profiles/${id}/events?limit=${limit}${cursor && `&cursor=${cursor}`}`);
    assert.equal(status, 200);
    all.push(...body.events);
    if (!body.cursor) return all;
    cursor = body.cursor;
  }
}

/** @param {any[]} events */
const names = (events) => events.map(({ event }) => event.name);

test('a visit of ten batches writes twelve rows, what it begins with not counted', async (t) => {
  const edge = await edgeOf(t);
  const visitors = Array.from({ length: 20 }, () => new Visitor(edge));
  const rows = async () => (await (await edge.fetch('/ec/dev/rows')).json()).rows_written;
  for (const visitor of visitors) await visitor.send([visitor.page('https://shop.example/')]);
  const begun = await rows();
  for (const visitor of visitors) {
    for (let n = 0; n < 10; n += 1) await visitor.send([visitor.page(`https://shop.example/p/${n}`), visitor.product('Viewed', `shoes-${n}`)]);
  }
  assert.equal((await rows()) - begun, 10 * visitors.length);
  assert.equal((await stored(edge)).log, 0);
  await edge.passTime(Date.now() + HOUR + 1000);
  assert.equal((await stored(edge)).log, visitors.length);
  // What the shard notes of itself with that run is no visitor's.
  const written = (await rows()) - begun;
  assert.ok(written <= 12 * visitors.length + 15, `${written} rows for ${visitors.length} visits`);
  for (const visitor of visitors) assert.equal((await listed(edge, visitor)).length, 21);
});

test('a busy visit fills the row, and its events leave together', async (t) => {
  const edge = await edgeOf(t, { ENDCAP_LOG_TAIL_BYTES: '1024' });
  const visitor = new Visitor(edge);
  for (let n = 0; n < 40; n += 1) await visitor.send([visitor.track(`Event ${n}`)]);
  const { log } = await stored(edge);
  assert.ok(log >= 2 && log <= 10, `${log} rows of the log for 40 batches`);
  const expected = Array.from({ length: 40 }, (_, n) => `Event ${39 - n}`);
  for (const limit of [1, 7, 200]) assert.deepEqual(names(await listed(edge, visitor, limit)), expected);
});

test('several browsers of a person are listed in the order of their events, on pages of any size', async (t) => {
  const edge = await edgeOf(t, { ENDCAP_LOG_TAIL_BYTES: '512' });
  const browsers = Array.from({ length: 4 }, () => new Visitor(edge));
  for (const browser of browsers) await browser.send([browser.identify('ann', {}, edge.proof('ann'))]);
  const sent = [];
  for (let n = 0; n < 60; n += 1) {
    const browser = browsers[(n * n) % browsers.length];
    sent.unshift(`Event ${n}`);
    await browser.send([browser.track(`Event ${n}`)]);
  }
  for (const limit of [3, 50]) {
    const events = await listed(edge, browsers[0], limit);
    assert.ok(events.every((one, at) => !at || one.received_at <= events[at - 1].received_at), 'the latest first');
    const tracked = names(events).filter((name) => name?.startsWith('Event'));
    assert.deepEqual(tracked, sent);
  }
});

test('what waits of one browser leaves with what another of the same person fills the log with', async (t) => {
  const edge = await edgeOf(t, { ENDCAP_LOG_TAIL_BYTES: '1024', ENDCAP_APART_BYTES: '1' });
  const [quiet, busy] = [new Visitor(edge), new Visitor(edge)];
  for (const browser of [quiet, busy]) await browser.send([browser.identify('ann', {}, edge.proof('ann'))]);
  /** Whether events of fragments wait in the rows that they have of their own. */
  const waiting = async () => (await (await edge.fetch('/ec/dev/tables')).json())[0].fragment.map((/** @type {string[]} */ [, , , , hasTail]) => hasTail);
  await quiet.send([quiet.track('Waits')]);
  assert.ok((await waiting()).includes('1'));
  // Enough to fill the log several times, and then a little that waits.
  for (let n = 0; n < 40; n += 1) await busy.send([busy.track(`Event ${n}`)]);
  await edge.passTime(Date.now() + HOUR + 1000);
  assert.deepEqual(await waiting(), ['0', '0']);
  assert.equal((await listed(edge, quiet)).length, 43);
});

test('what waits survives a crash and a start, and leaves for the log by itself', async (t) => {
  const edge = await edgeOf(t);
  const visitors = Array.from({ length: 5 }, () => new Visitor(edge));
  for (const visitor of visitors) await visitor.send([visitor.track('Before')]);
  await edge.crash();
  // Nobody comes: only the alarm looks for what waits, and the object may have started for it.
  await edge.passTime(Date.now() + HOUR + 1000);
  assert.equal((await stored(edge)).log, visitors.length);
  for (const visitor of visitors) assert.deepEqual(names(await listed(edge, visitor)), ['Before']);
});

test('events leave with their fragment, and an erased person’s are gone from row and log', async (t) => {
  const edge = await edgeOf(t);
  const [phone, laptop] = [new Visitor(edge), new Visitor(edge)];
  for (const browser of [phone, laptop]) {
    await browser.send([browser.track('Alone')]);
    await browser.send([browser.identify('ann', {}, edge.proof('ann'))]);
    await browser.send([browser.track('Together')]);
  }
  assert.equal((await listed(edge, phone)).length, 6);
  await laptop.send([laptop.track('Secret waits')]);
  const text = async () => JSON.stringify(await (await edge.fetch('/ec/dev/tables')).json());
  assert.ok((await text()).includes('Secret waits'));
  const { profile_id: id } = await edge.api.profile({ user_id: 'ann' });
  assert.equal((await edge.api.delete(`/api/profiles/${id}`)).status, 200);
  const left = await text();
  for (const mark of ['Secret waits', 'Together', 'Alone']) assert.ok(!left.includes(mark), mark);
});

test('what waits goes with its bucket to another shard', async (t) => {
  const edge = await edgeOf(t);
  const visitors = Array.from({ length: 12 }, () => new Visitor(edge));
  for (const visitor of visitors) await visitor.send([visitor.track('Before')]);
  await edge.api.set('/api/shards', { shards: 3 });
  await until(async () => (await edge.api.get('/api/shards')).body.remaining === 0, { what: 'the buckets moved', within: 60_000 });
  for (const visitor of visitors) await visitor.send([visitor.track('After')]);
  for (const visitor of visitors) assert.deepEqual(names(await listed(edge, visitor)), ['After', 'Before']);
});

test('the shop learns from what waited', async (t) => {
  const edge = await edgeOf(t, { ENDCAP_SNAPSHOT_TTL_MS: '0' });
  await edge.api.set('/api/products', { products: PRODUCTS });
  for (let n = 0; n < 3; n += 1) {
    const visitor = new Visitor(edge);
    await visitor.send([visitor.order(`o-${n}`, [{ product_id: 'trousers-1', quantity: 5 }])]);
  }
  const best = async () => {
    const { slots } = await new Visitor(edge).decision({ slots: [{ name: 'home', limit: 1 }] });
    return slots.home.reason;
  };
  assert.equal(await best(), 'catalogue');
  await edge.passTime(Date.now() + HOUR + 1000);
  await until(async () => (await best()) === 'best_sellers', { what: 'what was bought is learned' });
});

test('what came in the same moment is listed once each, on pages of any size', async (t) => {
  const edge = await edgeOf(t);
  // A server's request makes a batch of each part that says the same of consent, and all of them at one time.
  const call = (/** @type {number} */ n) => ({
    type: 'track', event: `Event ${n}`, messageId: `m-${n}`, userId: 'ann', timestamp: new Date(Date.now() - 10_000 + n).toISOString(),
    context: { consent: { categoryPreferences: { analytics: true, marketing: n % 2 === 0 } } },
  });
  assert.equal((await edge.serverCall('batch', { batch: Array.from({ length: 12 }, (_, n) => call(n)) })).status, 200);
  const { profile_id: id } = await edge.api.profile({ user_id: 'ann' });
  for (const limit of [1, 2, 5, 200]) {
    const seen = [];
    for (let cursor = ''; ; ) {
      const { body } = await edge.api.get(`/api/profiles/${id}/events?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      seen.push(...names(body.events));
      if (!body.cursor) break;
      cursor = body.cursor;
    }
    assert.deepEqual(seen.sort(), Array.from({ length: 12 }, (_, n) => `Event ${n}`).sort(), `pages of ${limit}`);
  }
});

test('with no room in the row each batch is a row of the log at once, as the version before wrote it', async (t) => {
  const edge = await edgeOf(t);
  const visitor = new Visitor(edge);
  await visitor.send([visitor.track('Waits')]);
  await edge.restart({ ENDCAP_LOG_TAIL_BYTES: '0' });
  await visitor.send([visitor.track('At once')]);
  await visitor.send([visitor.track('At once too')]);
  assert.equal((await stored(edge)).log, 3);
  assert.deepEqual(names(await listed(edge, visitor)), ['At once too', 'At once', 'Waits']);
});
