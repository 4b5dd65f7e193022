/**
 * The calls that arrive before the Rust core runs. Each keeps its message ID and time, so that delivering it twice (by
 * beacon when the page ends, again by the next page from storage) counts once at the edge.
 */
import { bucketOf, ensureIdentity, messageId, now, QUEUE, quietly, readIdentity, readToken } from './identity';
import { json, MOST, sizeOf } from './json';
import type { Consent, ConsentState, InitOptions } from './types';

/** Browsers refuse keepalive bodies over 64 KiB in total; this leaves room for the envelope. In bytes of UTF-8. */
const MAX_BODY = 60 * 1024;
/** Most calls held. */
const MAX_CALLS = 500;
/** Longest text of an argument, in characters: longer than any name or ID may be. */
const LONGEST = 999;
/** What a call of each of these names carries is about the visitor, so it needs consent. */
export const ABOUT_VISITOR = ['page', 'track', 'identify', 'reset'];

/** One call waiting for the core. */
export interface Held {
  method: string;
  args: unknown[];
  id: string;
  at: number;
  /** The call as the edge takes it; empty for calls that are not about the visitor. */
  text: string;
  /** Key of the stored copy, once there is one. */
  key?: string;
  /** A beacon took it. */
  sent?: boolean;
  /** Takes what the core returned. */
  done?: ((result: unknown) => void) | undefined;
}

const tab = Math.random().toString(36).slice(2, 8);
/** The calls held, in order. */
export let list: Held[] = [];
/** What `init` said. */
export let options: InitOptions | undefined;
/** What is granted so far; undefined while the visitor has not decided. */
let consent: Consent | undefined;
/** Calls that found no room. */
let dropped = 0;

/** Takes what `init` says. */
export function begin(given: InitOptions): void {
  // Absolute, because imports start from the script's address and fetches from the prefix, which may be elsewhere.
  options = { ...given, endpoint: given.endpoint || location.origin };
  decide(options.consent);
}

/** Where the edge answers. */
export const base = () => options?.endpoint + (options?.prefix ?? '/ec');

/** Takes a call in. Data is copied now, because pages reuse and change the objects that they pass. */
export function add(method: string, args: unknown[], id?: string, at = now(), done?: Held['done']): void {
  const call: Held = { method, args, id: id || messageId(at), at, text: '', done };
  const left: string[] = [];
  if (ABOUT_VISITOR.includes(method)) {
    if (list.length >= MAX_CALLS) {
      dropped++;
      return;
    }
    call.args = args.map((one) => (Object(one) === one ? JSON.parse(json(one, left, MOST)) : ((one as string)?.slice?.(0, LONGEST) ?? one ?? null)));
    call.text = json({
      call: [method, ...call.args],
      message_id: call.id,
      timestamp: at,
      url: location.href,
      referrer: document.referrer,
    });
  }
  list.push(call);
  // Told by the core, as it tells what it leaves out itself.
  if (left[0]) add('report', ['member_dropped', left.join(), { event: args[0] }]);
  keep();
}

/** Takes the visitor's decision: granted keeps what is held, denied forgets it. What says nothing of any purpose changes nothing. */
export function decide(state: ConsentState | undefined): void {
  let says = state === 'denied';
  const of = (purpose: keyof Consent) => {
    const said = state === 'granted' || quietly(() => (state as Consent)[purpose]);
    says ||= said === !!said;
    return said === true;
  };
  const given = { analytics: of('analytics'), personalization: of('personalization'), marketing: of('marketing') };
  if (state === 'pending') consent = undefined;
  if (!says) return;
  consent = given;
  if (!given.analytics) forget((call) => call.text);
  keep();
}

/** Stores what may be stored and is not yet. */
function keep(): void {
  if (!consent?.analytics) return;
  for (const call of list) {
    if (call.key || !call.text) continue;
    try {
      const key = QUEUE + tab + '.' + call.id;
      localStorage.setItem(key, call.text);
      call.key = key;
    } catch {
      return; // Memory has it.
    }
  }
}

/** Forgets calls and their stored copies. */
export function forget(which: (call: Held) => unknown): void {
  list = list.filter((call) => {
    if (!which(call)) return true;
    // What stays is counted once all the same.
    if (call.key) quietly(() => localStorage.removeItem(call.key as string));
    return false;
  });
}

/** The raw calls that one request carries, with address and body. */
export interface Batch {
  url: string;
  body: string;
  ready: Held[];
}

/** One request of these calls; it ends before a `reset`, which only a running core can do (the next page finds it stored). */
export function batch(calls: Held[]): Batch | undefined {
  if (!consent?.analytics) return undefined;
  let size = 0;
  const end = calls.findIndex((call) => call.method === 'reset' || (size += sizeOf(call.text) + 1) > MAX_BODY);
  const ready = end < 0 ? calls : calls.slice(0, end);
  if (!ready[0]) return undefined;
  const { device, anonymous } = ensureIdentity();
  const head = json({ source: options?.source, sent_at: now(), anonymous_id: anonymous, device_id: device, consent, dropped, possession: readToken(), events: [] });
  return { url: `${base()}/e?b=${bucketOf(anonymous)}`, body: `${head.slice(0, -1)},"raw":[${ready.map((call) => call.text)}]}`, ready };
}

/** The edge answered for these calls, and for those that were dropped before. */
export function answered(ready: Held[]): void {
  dropped = 0;
  forget((call) => ready.includes(call));
}

/** The page goes: what no beacon took yet goes by beacon. It stays stored, since a beacon has no answer. */
export function leave(): void {
  const request = batch(list.filter((call) => call.text && !call.sent));
  if (!request || !navigator.sendBeacon(request.url, request.body)) return;
  for (const call of request.ready) call.sent = true;
  // Where nothing can be kept, the core would know the visitor by another name and deliver the calls as somebody else's.
  if (!readIdentity()) answered(request.ready);
}
