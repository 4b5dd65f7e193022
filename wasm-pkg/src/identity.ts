/**
 * Who this browser is, as far as the loader needs to know: enough to send held calls when the page ends before the
 * Rust core ran. The format is that of `protocol::cookie`; the core does the same and more once it runs.
 */

/** Name of the script-readable identity cookie. */
const COOKIE = 'ec_id';
/** The same text in storage. */
const STORED = 'ec.id';
/** How keys of the queue begin; `ec.q.<tab>.<message ID>` sorts by time. */
export const QUEUE = 'ec.q.';
/** Where its token is stored (`sdk/js/net.js`). */
const TOKEN = 'ec.t';
/** 400 days, the longest that browsers keep a cookie (RFC 6265bis section 5.5). */
const MAX_AGE_SECONDS = 34560000;

/** A browser's identity: device ID and anonymous ID. */
export interface Identity {
  device: string;
  anonymous: string;
}

/** A number with so many hexadecimal digits. */
export const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');

/** Counts message IDs, so that those of one moment keep their order. */
let count = 0;

/** A UUIDv7 of the time `at` in milliseconds, with a counter after it (RFC 9562 sections 5.7 and 6.2, method 1). */
export function messageId(at: number): string {
  const random = crypto.getRandomValues(new Uint8Array(8));
  // The variant's two bits are 10.
  random[0] = ((random[0] as number) & 63) | 128;
  const digits = random.reduce((text, byte) => text + hex(byte, 2), hex(at, 12) + '7' + hex(count++ & 4095, 3));
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The virtual bucket that a request for this browser goes to; equals `protocol::bucket_of`. */
export function bucketOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & 1023;
}

/** Does something that a browser may refuse: sandboxed frames have no cookies, others no storage. */
export function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Unix time in milliseconds, also where the page put something else in the place of `Date`. */
export function now(): number {
  const time = quietly(() => Date.now());
  return (time as number) > 1e12 ? (time as number) : Math.round(performance.timeOrigin + performance.now());
}

/** What was drawn where nothing can be kept: it holds for as long as the page lives. */
let drawn: Identity | undefined;

/** Reads the identity: of the cookie and the stored copy, the one with the newer reset epoch. */
export function readIdentity(): Identity | undefined {
  const copies = [
    quietly(() => localStorage.getItem(STORED)),
    quietly(() => document.cookie.split('; ').find((pair) => pair.startsWith(COOKIE + '='))?.slice(COOKIE.length + 1)),
  ];
  let best: string[] | undefined;
  for (const copy of copies) {
    const parts = copy?.split('.');
    if (parts?.length === 4 && parts[0] === '1' && (!best || Number(parts[3]) > Number(best[3]))) best = parts;
  }
  return best && { device: best[1] as string, anonymous: best[2] as string };
}

/** The token of the anonymous ID, where the edge is on another site, to which no cookie travels. */
export function readToken(): string | undefined {
  return quietly(() => localStorage.getItem(TOKEN)) ?? undefined;
}

/** Keeps the token that an answer brings. */
export function keepToken(token: string | undefined): void {
  if (token) quietly(() => localStorage.setItem(TOKEN, token));
}

/** Reads the identity, or draws one and keeps it. Only to be called once consent is given. */
export function ensureIdentity(): Identity {
  const known = readIdentity() ?? drawn;
  if (known) return known;
  const draw = () => crypto.randomUUID?.() ?? messageId(now());
  drawn = { device: draw(), anonymous: draw() };
  const text = `1.${drawn.device}.${drawn.anonymous}.0`;
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  quietly(() => (document.cookie = `${COOKIE}=${text}; Path=/; Max-Age=${MAX_AGE_SECONDS}; SameSite=Lax${secure}`));
  quietly(() => localStorage.setItem(STORED, text));
  return drawn;
}
