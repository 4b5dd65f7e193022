/**
 * What is captured without a line of the shop's code. The core starts it once it is up, and takes what it finds; each
 * part can be turned off. Nothing here throws into the page.
 */
import { address, follow } from './address.js';
import { watchClicks } from './clicks.js';
import { readCommerce } from './commerce.js';
import { readMode, readTcf } from './consent.js';
import { countFor, flush, tracked, viewed } from './counted.js';
import { measure } from './engagement.js';
import { watchForms } from './forms.js';
import { readLayer } from './layer.js';
import { PARTS } from '../words.js';
import { listen, quietly } from './quietly.js';
import { readSearch } from './search.js';
import { readProduct } from './structured.js';

/**
 * Starts capturing.
 *
 * `api`: `track(name, properties, at)`, `page(name, properties)`, `consent({analytics, personalization, marketing}, source)`;
 * `waits(on)` says what consent waits for; `error(code, path, more)`; `now()`; `wait` are the milliseconds that a TCF tool may
 * take; `seen(name, key)` says whether the shop tracked something before this call (any of that name, without a key); `domains`
 * are host names of the shop's own, and `cross(url)` the way to one; `from` is the URL of the page view that was recorded
 * already, the present one unless given.
 *
 * `options`: false for nothing; an object in which a part is false; or the names of the parts wanted, as text.
 *
 * Returns `tracked(name, properties)`, to be called for each call of the shop itself (`Page Viewed` for `page()`); it
 * says whether the same was captured already.
 */
export function start(api, options) {
  const on = (part) => (options?.includes ? options.includes(part) : options?.[part] !== false);
  /** Runs a part that is on. */
  const run = (part, act, ...args) => (on(part) ? quietly(act)(...args) : undefined);
  /** Addresses whose page view the shop told, and we; the product shown last; what measures engagement. */
  let theirs, ours, shown, timer, left;

  const take = (entry) => {
    run('consent', readMode, entry, api.consent);
    run('dataLayer', readCommerce, entry);
  };
  const look = () => {
    if (on('consent') || on('dataLayer')) quietly(readLayer)(take);
    run('consent', readTcf, api.consent, api);
  };
  // Whenever it runs, a product counts once per address.
  const readPage = () => {
    flush();
    const entry = readProduct();
    // Markup that is still there from an earlier address is no view at this one.
    if (shown !== (shown = entry?.items[0].item_id) && !viewed()) readCommerce(entry);
  };
  const arrived = () => {
    run('search', () => readCommerce(readSearch()));
    clearTimeout(timer);
    // A second in which the shop or its data layer may tell what the page shows.
    timer = setTimeout(run, 1000, 'structured', readPage);
  };
  const changed = (referrer) => {
    left?.(referrer);
    ours = on('pages') && theirs !== address() && address();
    if (ours) api.page(undefined, { referrer });
    theirs = '';
    arrived();
  };

  quietly(() => {
    for (const name of options?.match?.(/\w+/g) ?? Object.keys(options ?? {}))
      if (!PARTS.includes(name)) api.error('invalid_field', 'auto', { value: name });
  })();
  countFor(api);
  let crosses = () => false;
  if (api.domains) import('./cross.js').then((part) => (crosses = part.crossOver(api.domains, api.cross)), () => undefined);
  if (options !== false) {
    run('clicks', watchClicks, api.track, (url) => crosses(url));
    run('forms', watchForms, api.track);
    look();
    quietly(follow)(api.from ?? location.href, changed, look);
    // After `follow`: when a page goes at once after its address changed, what was measured belongs to the earlier one.
    left = run('engagement', measure, api.track, on('scroll'));
    arrived();
    listen('pagehide visibilitychange', () => {
      run('structured', readPage);
      flush();
    });
  }

  return {
    tracked(name, properties) {
      if (name !== 'Page Viewed') return tracked(name, properties);
      theirs = address();
      return ours === theirs;
    },
  };
}
