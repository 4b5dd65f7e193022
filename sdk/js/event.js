/** An event as JSON: what happened, where, and whose it is. */
import { error } from './listeners.js';
import { page } from './page.js';
import { quietly } from './storage.js';

/** Longest address, title or referrer that is sent, in characters; the edge cuts at half as many bytes, and says so. */
const LONGEST = 4096;
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
  const text = (value) => value?.slice(0, LONGEST) || undefined;
  return {
    type,
    name: name || undefined,
    user_id: page.user || undefined,
    context: {
      page: {
        url: text(url ?? location.href),
        referrer: text(url ? referrer : (referrer ?? document.referrer)),
        title: url ? undefined : text(document.title),
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
