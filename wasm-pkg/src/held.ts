/**
 * The calls that arrive before the Rust core runs. Each keeps its message ID and time, so that delivering it twice (by
 * beacon when the page ends, again by the next page from storage) counts once at the edge.
 */
import { bucketOf, ensureIdentity, keepToken, messageId, readIdentity, readToken } from './identity';
import type { Consent, ConsentState, InitOptions } from './types';

/** Storage keys of the queue are `ec.q.<tab>.<message ID>`, which sorts by time; a text that starts with `{"call":` is a held call. */
const QUEUE = 'ec.q.';
const CALL = '{"call":';
/** Browsers refuse keepalive bodies over 64 KiB in total; this leaves room for the envelope. In bytes of UTF-8. */
const MAX_BODY = 60 * 1024;
/** The edge refuses larger events. In bytes of UTF-8. */
const MAX_EVENT = 32 * 1024;
/** Most calls held. */
const MAX_CALLS = 500;
/** First and longest wait after a failed request, and how long an answer is waited for, in milliseconds. */
const BACKOFF = 1000;
const BACKOFF_CAP = 60_000;
const TIMEOUT = 20_000;
/** What a call of each of these names carries is about the visitor, so it needs consent. */
const ABOUT_VISITOR = ['page', 'track', 'identify', 'reset'];

/** One call waiting for the core. */
export interface Held {
  method: string;
  args: unknown[];
  id: string;
  at: number;
  /** The call as the edge takes it; empty for calls that are not about the visitor, or too large for the edge. */
  text: string;
  /** Key of the stored copy, once there is one. */
  key?: string;
  /** A beacon took it. */
  beaconed?: boolean;
  /** Takes what the core returned. */
  done?: ((result: unknown) => void) | undefined;
}

/** Says what a consent setting grants; undefined is "not decided yet". */
export function consentOf(state: ConsentState | undefined): Consent | undefined {
  if (typeof state === 'object') return state;
  const all = state === 'granted';
  return all || state === 'denied' ? { analytics: all, personalization: all, marketing: all } : undefined;
}

const sizeOf = (text: string) => new Blob([text]).size;

/** The calls held, in order, and what may be done with them. */
export class Holding {
  list: Held[] = [];
  options: InitOptions | undefined;
  /** What is granted so far; undefined while the visitor has not decided. */
  consent: Consent | undefined;
  private readonly tab = Math.random().toString(36).slice(2, 8);
  /** Calls that found no room. */
  private dropped = 0;
  /** Failed requests in a row. */
  private failures = 0;
  /** No request before this time; never, while one is under way. */
  private notBefore = 0;

  /** Takes a call in. Data is copied now, because pages reuse and change the objects that they pass. */
  add(method: string, args: unknown[], id?: string, at = Date.now(), done?: Held['done']): void {
    const call: Held = { method, args, id: id || messageId(at), at, text: '', done };
    if (ABOUT_VISITOR.includes(method)) {
      if (this.list.length >= MAX_CALLS) {
        this.dropped++;
        return;
      }
      const text = JSON.stringify({
        call: [method, ...args],
        message_id: call.id,
        timestamp: at,
        url: location.href,
        referrer: document.referrer,
      });
      call.args = JSON.parse(text).call.slice(1);
      if (sizeOf(text) <= MAX_EVENT) call.text = text;
    }
    this.list.push(call);
    this.keep();
  }

  /** Takes the visitor's decision: granted keeps what is held, denied forgets it. */
  decide(state: ConsentState | undefined): void {
    this.consent = consentOf(state);
    if (this.consent && !this.consent.analytics) this.forget((call) => !!call.text);
    this.keep();
  }

  /** Stores what may be stored and is not yet. */
  private keep(): void {
    if (!this.consent?.analytics) return;
    for (const call of this.list) {
      if (call.key || !call.text) continue;
      try {
        const key = `${QUEUE}${this.tab}.${call.id}`;
        localStorage.setItem(key, call.text);
        call.key = key;
      } catch {
        return; // Memory has it.
      }
    }
  }

  /** Forgets a call that the core answers for now. */
  handedOver(call: Held): void {
    this.forget((one) => one === call);
  }

  /** Forgets calls and their stored copies. */
  private forget(which: (call: Held) => boolean): void {
    this.list = this.list.filter((call) => {
      if (!which(call)) return true;
      try {
        if (call.key) localStorage.removeItem(call.key);
      } catch {
        // What stays is counted once all the same.
      }
      return false;
    });
  }

  /**
   * The raw calls that one request carries, with address and body; it ends before a `reset`, which only a running core
   * can do (the next page finds it stored).
   */
  private batch(calls: Held[]): { url: string; body: string; ready: Held[] } | undefined {
    const { options, consent } = this;
    if (!options || !consent?.analytics) return undefined;
    let size = 0;
    const end = calls.findIndex((call) => call.method === 'reset' || (size += sizeOf(call.text) + 1) > MAX_BODY);
    const ready = end < 0 ? calls : calls.slice(0, end);
    if (!ready.length) return undefined;
    const { device, anonymous } = ensureIdentity();
    const head = { source: options.source, sent_at: Date.now(), anonymous_id: anonymous, device_id: device, consent, dropped: this.dropped, possession: readToken(), events: [] };
    const body = `${JSON.stringify(head).slice(0, -1)},"raw":[${ready.map((call) => call.text)}]}`;
    return { url: `${options.endpoint ?? ''}${options.prefix ?? '/ec'}/e?b=${bucketOf(anonymous)}`, body, ready };
  }

  /** The page goes: what no beacon took yet goes by beacon. It stays stored, since a beacon has no answer. */
  leave(): void {
    const batch = this.batch(this.list.filter((call) => call.text && !call.beaconed));
    if (!batch || !navigator.sendBeacon(batch.url, batch.body)) return;
    for (const call of batch.ready) call.beaconed = true;
    // Where nothing can be kept, the core would know the visitor by another name and deliver the calls as somebody else's.
    if (!readIdentity()) this.forget((call) => batch.ready.includes(call));
  }

  /** No core runs here: sends what is held, and what earlier pages left, one request at a time and with back-off. */
  async post(): Promise<void> {
    if (Date.now() < this.notBefore) return;
    this.reclaim();
    const batch = this.batch(this.list.filter((call) => call.text));
    if (!batch) return;
    this.notBefore = Infinity;
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
      this.failures = this.dropped = 0;
      this.forget((call) => batch.ready.includes(call));
    } catch {
      wait += Math.random() * Math.min(BACKOFF_CAP, BACKOFF * 2 ** this.failures++);
    }
    this.notBefore = Date.now() + wait;
  }

  /** Takes in the calls that earlier pages stored. */
  private reclaim(): void {
    try {
      for (const key of Object.keys(localStorage)) {
        const text = key.startsWith(QUEUE) && localStorage.getItem(key);
        if (!text || !text.startsWith(CALL) || this.list.some((call) => call.key === key)) continue;
        this.list.push({ method: JSON.parse(text).call[0], args: [], id: '', at: 0, text, key });
      }
    } catch {
      // Storage is switched off: nothing was left.
    }
  }
}
