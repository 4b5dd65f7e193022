/**
 * Sending without the core, for pages in which it does not run: a part of its own, which the loader fetches only then. Calls
 * go to the edge raw, and it makes the same events of them.
 */
import type { Batch, Held } from './held';
import { keepToken, now, QUEUE, quietly } from './identity';

/** How calls begin that loaders stored (`held.ts`). */
const CALL = '{"call":';
/** How often it looks, first and longest wait after a failed request, and how long an answer is waited for, in milliseconds. */
const [INTERVAL, BACKOFF, BACKOFF_CAP, TIMEOUT] = [2000, 1000, 60_000, 20_000];

/** What the loader holds, and what may be done with it (`held.ts`). */
interface Holding {
  calls(): Held[];
  batch(calls: Held[]): Batch | undefined;
  answered(ready: Held[]): void;
}

/** Sends what is held from now on, and what earlier pages left. `problem`: why the core does not run. */
export function start(holding: Holding, problem: unknown): void {
  console.warn('endcap: the core does not run in this browser, so events go without it and nothing is shown:', problem);
  const said = new Set<string>();
  /** Warns in the console, once of each kind. */
  const warn = (text: string) => said.has(text) || (said.add(text), quietly(() => console.warn(text)));
  /** Failed requests in a row. */
  let failures = 0;
  /** No request before this time; never, while one is under way. */
  let notBefore = 0;

  /** Sends one request, unless the time has not come. */
  const send = async () => {
    if (now() < notBefore) return;
    reclaim(holding);
    const batch = holding.batch(holding.calls().filter((call) => call.text));
    if (!batch) return;
    notBefore = Infinity;
    let wait = 0;
    try {
      const { url, body } = batch;
      const reply = await fetch(url, { method: 'POST', body, keepalive: true, credentials: 'include', signal: AbortSignal.timeout?.(TIMEOUT) });
      const { status, headers } = reply;
      wait = Number(headers.get('retry-after')) * 1000 || 0;
      // A network that wants a login answers 200 as well: only the edge says what it accepted.
      const answer = reply.ok && (await reply.json());
      if (answer && !answer.anonymous_id) keepToken(answer.possession);
      const answered = answer ? answer.accepted : status > 399 && status < 500 && status !== 408 && status !== 429;
      if (!answered) throw status;
      const refusal = answer ? '' : `endcap: the edge at ${url} refused a batch (status ${status}): ${await reply.text()}`;
      failures = 0;
      holding.answered(batch.ready);
      // In the edge's words.
      if (refusal) warn(refusal);
      for (const { code, path = '', message } of answer.rejected ?? []) warn(`endcap: ${message} (${code}: ${path.replace(/^raw\[\d+\]\.?/, '')})`);
    } catch {
      wait += Math.random() * Math.min(BACKOFF_CAP, BACKOFF * 2 ** failures++);
    }
    notBefore = now() + wait;
  };
  setInterval(send, INTERVAL);
}

/** Takes in the calls that earlier pages stored. */
function reclaim({ calls }: Holding): void {
  const list = calls();
  quietly(() => {
    for (let at = 0; at < localStorage.length; at++) {
      const key = localStorage.key(at) ?? '';
      const text = key.startsWith(QUEUE) && localStorage.getItem(key);
      if (!text || !text.startsWith(CALL) || list.some((call) => call.key === key)) continue;
      list.push({ method: JSON.parse(text).call[0], args: [], id: '', at: 0, text, key });
    }
  });
}
