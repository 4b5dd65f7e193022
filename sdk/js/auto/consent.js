/**
 * What the page's consent tools say: Google Consent Mode v2 in the data layer, and the IAB's TCF v2.2. Every tool that
 * is there must have spoken, and each purpose must be granted by all of them. A default denies nothing: the visitor has
 * not been asked yet.
 */
import { quietly } from './quietly.js';

const ANALYTICS = 'analytics_storage';
/** How long a TCF tool may take to say something, in milliseconds, unless the shop sets another time. */
const PATIENCE = 3000;

/** By source, whether analytics, personalization and marketing are granted; null while it has not decided. */
const said = {};
let mode;
let regional;
/** Whether Consent Mode told of an answer, and not only what holds until there is one. */
let updated;
/** Whether the TCF tool took too long: an answer by another way then counts without it. */
let late;

function say(decide, source, granted) {
  said[source] = granted;
  // Entries that were there before us are read in one go; only what they end at counts. This throws, so does nothing,
  // while a source has not decided.
  queueMicrotask(
    quietly(() => {
      const heard = Object.values(said).filter((one) => one || !late || !updated);
      const may = (purpose) => heard.every((one) => one[purpose]);
      const marketing = may(2) && !navigator.globalPrivacyControl;
      decide({ analytics: may(0), personalization: may(1), marketing }, source);
    }),
  );
}

/**
 * Looks for a TCF tool, which may come late, and hands what it says to `decide`, with the name of the source. `api`: see `index.js`.
 */
export function readTcf(decide, { wait = PATIENCE, waits }) {
  if ('tcf' in said || !window.__tcfapi) return;
  let timer;
  const told = quietly(({ gdprApplies, eventStatus, purpose }) => {
    // One that asks the visitor has answered.
    clearTimeout(timer);
    // Purpose 1 is storing anything on the device.
    const may = (...purposes) => gdprApplies === false || [1, ...purposes].every((n) => purpose.consents[n] === true);
    if (eventStatus !== 'cmpuishown') say(decide, 'tcf', [may(7, 8, 9, 10), may(3, 4, 5, 6), may(2, 4, 7)]);
  });
  __tcfapi('addEventListener', 2, told);
  said.tcf ??= null;
  if (!said.tcf) waits('__tcfapi');
  timer = setTimeout(() => {
    late = true;
    if (!said.tcf) waits('consent() or an update');
    if (said.gcm) say(decide, 'gcm', said.gcm);
  }, wait);
}

/** Reads an entry of the data layer and hands what it says to `decide`, in the same way. */
export function readMode({ 0: command, 1: kind, 2: terms }, decide) {
  if (command !== 'consent') return;
  // A default for some regions only: which holds here is not for us to know, so none is taken for a grant.
  if (terms.region) regional = true;
  else mode = { ...mode, ...terms };
  const may = (name, like) => (mode[name] ?? mode[like]) === 'granted';
  updated ||= kind === 'update' && terms[ANALYTICS];
  if (kind === 'update' ? mode[ANALYTICS] : may(ANALYTICS) && !regional) {
    const marketing = may('ad_storage') && may('ad_user_data', 'ad_storage');
    say(decide, 'gcm', [may(ANALYTICS), may('personalization_storage', ANALYTICS), marketing]);
  }
}
