/** An event as JSON: what happened, where, and whose it is. */
import { error } from './listeners.js';
import { page } from './page.js';
import { quietly } from './storage.js';

/** Longest address or referrer that is sent, in characters: one more than the edge keeps, which says that it cut. */
const LONGEST = 2049;
/** Longest name or title, in characters. */
const NAME = 256;
/** Largest event, in bytes; the edge refuses what is over. */
const EVENT = 32 * 1024;
/** Most of it that properties take. */
const BAG = 24 * 1024;

/**
 * An event before it belongs to anybody. Properties are copied now, because pages reuse the objects that they pass.
 * `origin` is the address and referrer of the earlier page that it happened on. What JSON cannot hold is left out.
 */
export function draft(type, name, properties, { url, referrer } = {}, proof) {
  const left = [];
  const bag = quietly(() => JSON.parse(page.json(properties ?? {}, left, BAG))) ?? {};
  if (left[0]) error('member_dropped', left.join(), { event: name });
  const text = (value, most = LONGEST) => value?.slice(0, most) || undefined;
  return {
    type,
    name: text(name, NAME),
    user_id: text(page.user),
    context: {
      page: {
        url: text(url ?? location.href),
        referrer: text(url ? referrer : (referrer ?? document.referrer)),
        title: url ? undefined : text(document.title, NAME),
      },
      locale: navigator.language,
      zone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
      library: { name: 'endcap', version: VERSION },
    },
    [type === 'identify' ? 'traits' : 'properties']: bag,
    proof: proof || undefined,
  };
}

/** The event as text; undefined where it is too large. The message ID comes first, so that texts sort by time. */
export function text(event, message_id, session_id, timestamp) {
  const json = page.json({ message_id, anonymous_id: page.anonymous, session_id, timestamp, ...event });
  return new Blob([json]).size > EVENT ? undefined : json;
}
