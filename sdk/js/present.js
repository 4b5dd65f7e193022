/**
 * What the edge decided, handed to the part that shows it (`show.js`): a file of its own, which a page fetches with its
 * first decision that has something to show here.
 */
import * as core from 'endcap-core';
import { impression } from './capture.js';
import { debug, emit, error } from './listeners.js';
import { page } from './page.js';
import { filled, limitOf, nameOf, slots } from './slots.js';
import { quietly, store, stored } from './storage.js';
import { later, turn } from './turn.js';

/** The last decision. */
let decision = {};
/** The part, once it is there; what fetches it. */
let part, fetched;
/** What the core last said of a campaign: how it stands, the value of its trigger, and the category that it found. */
let standing;

/** The core's answer to `core.judge`. */
export const stands = (...told) => void (standing = told);

/** The bytes of base64url text (RFC 4648 section 5); none where it is damaged. */
const bytes = (text) =>
  quietly(() => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0))) ?? new Uint8Array();

/** What the part needs of this one. */
const world = {
  page,
  impression: (name, detail) => later(() => impression(name, detail))(),
  emit,
  debug,
  error,
  judge: ({ id, program }) => (core.judge(id, bytes(program), location.pathname), standing),
  filled,
  limitOf,
  nameOf,
  slots,
  store,
  stored,
  subscribed: later(core.subscribed),
  later,
};

/** The part, fetched once. */
function shows() {
  return (fetched ??= import('./show.js').then(
    (module) => (part = module.start(world)),
    (problem) => {
      fetched = undefined;
      throw problem;
    },
  ));
}

/** Takes a decision: `done` names the events that it has taken into account. */
export function decided(taken, done) {
  emit('decision', taken);
  debug('decision', { decision: taken });
  decision = taken;
  core.decided(bytes(taken.behaviour ?? ''), done);
  look();
}

/** Looks at the last decision again, once the core has done what it is doing: what it knows of the visitor changed. */
export const look = () => turn(consider);

function consider() {
  const { campaigns, push } = decision;
  if (part) part.look(decision);
  else if (campaigns?.length || (decision.slots && slots().length) || (push && page.consent > 3)) shows().then(later(consider), () => undefined);
}

/** Asks for notifications. Null while the edge has offered nothing; the loader then sends first. */
export function requestPush() {
  const { push } = decision;
  return push ? shows().then((part) => part.request(push)) : null;
}

/** Nothing of the visitor stays on the page. */
export function forget() {
  decision = {};
  part?.clear();
}
