/** The public API's calls (`sdk/src/types.rs`), as the loader passes them on. */
import * as core from 'endcap-core';
import { automate } from './automatic.js';
import { USER, forget as forgetHeld, release, replay } from './capture.js';
import { error, listen, shout } from './listeners.js';
import { flush, leave, letGo, withdraw } from './net.js';
import { mayTrack, page } from './page.js';
import { forget as forgetShown, look, requestPush } from './present.js';
import { waits } from './slots.js';
import { quietly, store, stored, storedKeys } from './storage.js';
import { later, turn } from './turn.js';
import { CONSENTS, PURPOSES } from './words.js';

/** Does one call and returns what it returns. `id` and `at` are those of a call that the loader held; empty and 0 else. */
export function call(method, args, id, at) {
  if (method === 'on') return listen(args[0], args[1]);
  if (method === 'anonymousId') return page.anonymous || null;
  // The edge says with its answers what to subscribe to.
  if (method === 'requestPush') return requestPush() ?? flush().then(() => requestPush() ?? 'unsupported');
  if (method === 'flush') return flush();
  turn(() => {
    if (method === 'init') page.source ? error('already_initialized', method) : init(args[0] ?? {});
    else if (method === 'report') error(...args);
    else if (page.source === undefined) error('not_initialized', method);
    else if (method === 'consent') consent(args[0]);
    else if (method === 'slots') appeared();
    else replay(method, args, { id, at });
  });
  return undefined;
}

function init({ source, endpoint = '', prefix = '/ec', nonce = '', debug, consent: state = 'pending', auto, domains, consentWait, json }) {
  if (typeof source !== 'string' || !/^[\w-]{1,64}$/.test(source)) return error('invalid_field', 'source', { value: source });
  Object.assign(page, { source, base: endpoint + prefix, nonce });
  // Loaders of earlier versions hand none over.
  page.json = json ?? page.json;
  shout(debug);
  addEventListener('pagehide', () => (go(), letGo()));
  addEventListener('online', later(core.online));
  document.addEventListener('visibilitychange', () => (document.hidden ? go() : later(core.online)()));
  consent(state);
  automate(auto, (state, source) => explicit || later(() => consent(state, source))(), domains, consentWait && +consentWait);
}

/**
 * Sends by beacon what is left when the page is hidden or goes. It is no turn: when Firefox closes a tab, it stops a
 * running script without its `finally`, and after a stopped turn no other can begin. The next such event sends the
 * rest.
 */
const go = () => quietly(leave);

/** Whether the shop's own code has set consent: then consent tools no longer count. */
let explicit;

/**
 * Takes the visitor's decision: a word, or an object of purposes. What an object does not name is not granted. What is no word
 * or purpose changes nothing. `source`: who tells it.
 */
function consent(state, source = 'api') {
  const isObject = Object(state) === state;
  let said = isObject ? undefined : CONSENTS[state];
  let isTold = said !== undefined;
  quietly(() => {
    for (const name in isObject && state) {
      // A page may give every object a member.
      if (name in {}) continue;
      const at = PURPOSES.indexOf(name);
      const granted = quietly(() => state[name]);
      isTold = true;
      if (at < 0 || typeof granted !== 'boolean') error('invalid_field', 'consent.' + name, { value: granted });
      else said |= granted << at;
    }
  });
  if (!isTold) error('invalid_field', 'consent', { value: state });
  if (said === undefined) return;
  // Global Privacy Control refuses messages after the visit, whatever the page says; the edge reads the same header.
  const bits = said > 0 && navigator.globalPrivacyControl ? said & 3 : said;
  const tracked = mayTrack();
  const isOwn = source === 'api';
  explicit ||= isOwn && bits >= 0;
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
    // What a consent tool says while a page loads is often what it assumes until the visitor has answered.
    if (isOwn || tracked) {
      forgetHeld();
      page.user = '';
    }
    forgetShown();
    for (const key of storedKeys('ec.')) store(key, '');
  }
}

/** A slot element entered the page. */
function appeared() {
  look();
  if (waits()) core.wanted();
}
