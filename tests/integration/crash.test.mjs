/**
 * Nothing that was acknowledged is lost and nothing counts twice when `dev` is killed while events are being sent.
 *
 * The senders do what the SDK does: they keep a batch until it is answered, and send it again after a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DevServer } from '../harness/devServer.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const SENDERS = 6;
const PER_BATCH = 3;

/** A visitor who sends batch after batch and remembers which of them were acknowledged. */
class Sender {
  visitor;
  /** @type {object[]} Batches that the edge answered, in the order of the answers. */
  acknowledged = [];
  /** How often a batch had to be sent again. */
  retries = 0;

  /** @param {DevServer} server */
  constructor(server) {
    this.visitor = new Visitor(server);
    this.origin = server.origin;
  }

  /** @param {() => boolean} done */
  async run(done) {
    while (!done()) {
      const events = Array.from({ length: PER_BATCH }, () => this.visitor.product('Viewed', 'a'));
      const batch = this.visitor.batch(events);
      await until(() => this.#send(batch), { what: 'the batch is answered', within: 90_000 });
      this.acknowledged.push(batch);
    }
  }

  /** @param {object} batch */
  async #send(batch) {
    try {
      const { status } = await this.visitor.post(batch, { Origin: this.origin });
      if (status === 200) return true;
    } catch {
      // The connection broke or was refused; whether the batch was kept is not known.
    }
    this.retries += 1;
    return false;
  }
}

test('no acknowledged event is lost and none counts twice over two kills', { timeout: 240_000 }, async (t) => {
  const server = await DevServer.start('--release');
  t.after(() => server.stop());
  const senders = Array.from({ length: SENDERS }, () => new Sender(server));
  let done = false;
  const running = Promise.all(senders.map((sender) => sender.run(() => done)));
  running.catch(() => {});
  const total = () => senders.reduce((sum, sender) => sum + sender.acknowledged.length, 0);
  const more = async (/** @type {number} */ count) => {
    const goal = total() + count;
    await until(() => total() >= goal, { what: `${count} more batches are acknowledged`, within: 60_000, every: 1 });
  };

  await more(60);
  await server.kill();
  await server.start();
  await more(60);
  await server.killAll();
  await server.start();
  await more(30);
  done = true;
  await running;

  const retries = senders.reduce((sum, sender) => sum + sender.retries, 0);
  assert.ok(retries >= 2, 'the kills came while events were being sent');
  for (const { visitor, acknowledged } of senders) {
    const sent = acknowledged.length * PER_BATCH;
    const identifier = { anonymous_id: visitor.anonymousId };
    assert.equal((await server.api.profile(identifier)).counters.events, sent);
    for (const batch of acknowledged) {
      const { body } = await visitor.post(batch, { Origin: server.origin });
      assert.deepEqual([body.accepted, body.duplicate.length], [[], PER_BATCH]);
    }
    assert.equal((await server.api.profile(identifier)).counters.events, sent);
  }
});
