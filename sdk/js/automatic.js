/** Starts what is captured without a line of the shop's code: a part of its own (`sdk/js/auto`), fetched on its own. */
import { capture } from './capture.js';
import { now } from './clock.js';
import { debug, error } from './listeners.js';
import { mayTrack, page } from './page.js';
import { start, told } from './told.js';
import { later } from './turn.js';

/** Starts it; `consent` takes what consent tools say, `domains` are the shop's own, `wait` is how long a tool may take. */
export function automate(options, consent, domains, wait) {
  if (options === false && !domains) return;
  const api = {
    track: (name, properties, at) => later(() => capture('track', name, properties, { at }))(),
    // The referrer of a view without a document is the address before it.
    page: (name = '', { referrer, ...bag } = {}) => later(() => capture('page', name, bag, { referrer }))(),
    consent,
    waits: later((on) => debug('consent', { waits_for: on })),
    error,
    now,
    wait,
    domains,
    // The address of the cross-domain route, only for visitors who consented to analytics.
    cross: (to) => mayTrack() && `${page.base}/x?${new URLSearchParams({ to, s: page.source })}`,
    // What changes the address before the part is there is then found.
    from: location.href,
    seen: (name, key) => told.some(([one, bag]) => one === name && (key === undefined || Object.values(bag ?? {}).some((value) => value == key))),
  };
  import('./auto.js').then((module) => start(module.start(api, options))).catch(() => undefined);
}
