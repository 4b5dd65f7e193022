/** Starts what is captured without a line of the shop's code: a part of its own (`sdk/js/auto`), fetched on its own. */
import { capture } from './capture.js';
import { mayTrack, page } from './page.js';
import { start, told } from './told.js';
import { later } from './turn.js';

/** Starts it; `consent` takes what consent tools say, `domains` are the shop's own. */
export function automate(options, consent, domains) {
  if (options === false && !domains) return;
  const api = {
    track: (name, properties, at) => later(() => capture('track', name, properties, { at }))(),
    // The referrer of a view without a document is the address before it.
    page: (name = '', { referrer, ...bag } = {}) => later(() => capture('page', name, bag, { referrer }))(),
    consent,
    domains,
    // The address of the cross-domain route, only for visitors who consented to analytics.
    cross: (to) => mayTrack() && `${page.base}/x?${new URLSearchParams({ to, s: page.source })}`,
    // What changes the address before the part is there is then found.
    from: location.href,
    seen: (name, key) => told.some(([one, bag]) => one === name && (key === undefined || Object.values(bag ?? {}).some((value) => value == key))),
  };
  import('./auto.js').then((module) => start(module.start(api, options)), () => undefined);
}
