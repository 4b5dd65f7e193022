/** The public API's calls (`sdk/src/types.rs`), as the loader passes them on. */
import * as core from 'endcap-core';
import { automate } from './automatic.js';
import { USER, forget as forgetHeld, release, replay } from './capture.js';
import { error, listen, shout } from './listeners.js';
import { idle, leave, letGo, withdraw } from './net.js';
import { mayTrack, page } from './page.js';
import { forget as forgetShown, look, requestPush } from './present.js';
import { waits } from './slots.js';
import { quietly, store, stored, storedKeys } from './storage.js';
import { later, turn } from './turn.js';

/** Does one call and returns what it returns. `id` and `at` are those of a call that the loader held; empty and 0 else. */
export function call(method, args, id, at) {
  if (method === 'on') return listen(args[0], args[1]);
  if (method === 'anonymousId') return page.anonymous || null;
  if (method === 'requestPush') return requestPush();
  if (method === 'flush') {
    const done = idle();
    turn(core.flush);
    return done;
  }
  turn(() => {
    if (method === 'init') init(args[0] ?? {});
    else if (page.source === undefined) error('not_initialized', method, 'init comes first');
    else if (method === 'consent') decide(args[0]);
    else if (method === 'slots') appeared();
    else replay(method, args, { id, at });
  });
  return undefined;
}

function init({ source, endpoint = '', prefix = '/ec', nonce = '', debug, consent: state, auto, domains }) {
  if (typeof source !== 'string' || !/^[\w-]{1,64}$/.test(source)) return error('invalid_field', 'source', 'must name a source');
  if (page.source) return error('already_initialized', 'init', 'only the first call counts');
  Object.assign(page, { source, base: endpoint + prefix, nonce });
  shout(debug);
  addEventListener('pagehide', () => (go(), letGo()));
  addEventListener('online', later(core.online));
  document.addEventListener('visibilitychange', () => (document.hidden ? go() : later(core.online)()));
  decide(state);
  automate(auto, (state, source) => explicit || later(() => consent(state, source))(), domains);
}

/**
 * Sends by beacon what is left when the page is hidden or goes. It is no turn: when Firefox closes a tab, it stops a
 * running script without its `finally`, and after a stopped turn no other can begin. The next such event sends the
 * rest.
 */
const go = () => quietly(leave);

/** Whether the shop's own code has set consent: then consent tools no longer count. */
let explicit;

/** The shop's own word. */
function decide(state) {
  explicit ||= state !== undefined && state !== 'pending';
  consent(state);
}

/** Takes the visitor's decision: `granted`, `denied`, or an object of purposes; anything else is open. */
function consent(state, source = 'api') {
  const given = typeof state === 'object' && state ? state : undefined;
  const said = given ? !!given.analytics | (!!given.personalization << 1) | (!!given.marketing << 2) : { granted: 7, denied: 0 }[state] ?? -1;
  // Global Privacy Control refuses messages after the visit, whatever the page says; the edge reads the same header.
  const bits = said > 0 && navigator.globalPrivacyControl ? said & 3 : said;
  const tracked = mayTrack();
  if (tracked && bits >= 0 && !(bits & 1)) {
    page.consent = bits;
    withdraw();
  }
  Object.assign(page, { consent: bits, consentSource: source });
  core.consent(bits);
  if (mayTrack()) {
    if (!tracked) page.user ||= stored(USER);
    if (page.user) store(USER, page.user);
    if (!tracked) release();
  } else if (bits >= 0) {
    forgetHeld();
    forgetShown();
    for (const key of storedKeys('ec.')) store(key, '');
    page.user = '';
  }
}

/** A slot element entered the page. */
function appeared() {
  look();
  if (waits()) core.wanted();
}
