/**
 * What the benchmark compares the worker with: the least that any worker must do to keep a batch. It reads the body
 * once, in one of as many Durable Objects, and stores it as one row; it checks, resolves and decides nothing.
 */
import { DurableObject } from 'cloudflare:workers';

const SHARDS = 16;

export class Store extends DurableObject {
  #batches = 0;
  #rows = 0;

  constructor(context, env) {
    super(context, env);
    context.storage.sql.exec('CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY, at INTEGER, body TEXT)');
  }

  async fetch(request) {
    if (request.method === 'GET') return Response.json({ batches: this.#batches, rows_written: this.#rows });
    const body = await request.text();
    const written = this.ctx.storage.sql.exec('INSERT INTO batch (at, body) VALUES (?, ?)', Date.now(), body);
    this.#batches += 1;
    this.#rows += written.rowsWritten;
    return Response.json({ ok: true });
  }
}

const shard = (env, bucket) => env.STORE.get(env.STORE.idFromName(`shard-${bucket % SHARDS}`));

/** The sums of all objects. */
async function rows(env) {
  const sum = { batches: 0, rows_written: 0 };
  for (let i = 0; i < SHARDS; i += 1) {
    const part = await (await shard(env, i).fetch('http://store/')).json();
    sum.batches += part.batches;
    sum.rows_written += part.rows_written;
  }
  return Response.json(sum);
}

export default {
  fetch(request, env) {
    if (request.method === 'GET') return rows(env);
    const { searchParams } = new URL(request.url);
    return shard(env, Number(searchParams.get('b'))).fetch(request);
  },
};
