/**
 * What opens and what is filled, and when: campaigns, recommendation slots and the push prompt. A file of its own,
 * fetched with the first decision that has something to show. Whether a campaign may be shown the core says.
 */
import { popup } from './popup.js';
import { prompt, request } from './push.js';
import { clear as clearSlots, fill } from './shelf.js';
import { close } from './overlay.js';
import { due, forgo, obstacle, opened, relook } from './trigger.js';
import { take, world } from './world.js';

/** How a campaign stands, by the core's numbers (`sdk/src/decide.rs`): what keeps it back, or which trigger it waits for. */
const WHY = [
  'personalization is not consented to',
  'not on this page',
  'frequency cap reached',
  'condition does not hold',
  'its rules cannot be read',
];
const TRIGGERS = ['', 'dwell', 'scroll', 'exit'];

/** Why each campaign is not shown, as last told. */
const reasons = {};
/** The last decision. */
let latest = {};
/** A decision's campaigns as the edge sent them, in the order of their priority. */
const all = ({ campaigns }) => campaigns ?? [];

/** Starts the part with what it needs of the core's page half (`present.js`). */
export function start(world) {
  take(world);
  relook(() => look(latest));
  return { look, request, clear };
}

/** Looks at a decision, new or known: something changed. */
function look(decision) {
  // A campaign that is known already goes on waiting for its trigger.
  for (const { id, version } of all(latest))
    if (!all(decision).some((sent) => sent.id === id && sent.version === version)) forgo(id);
  latest = decision;
  if (decision.slots) fill(decision.slots);
  // One that is still being fetched has its turn before those after it.
  all(decision).some(consider);
  // Over 3 the bits hold consent to marketing.
  if (world.page.consent > 3) prompt(decision.push);
}

/** Opens the pop-up of a campaign if it may be shown, its trigger happened and nothing is in the way. */
function consider(sent) {
  const { id, file } = sent;
  if (file) return file === 1 || fetchPart(sent, file);
  const [standing, value, category] = world.judge(sent);
  const kind = TRIGGERS[standing - WHY.length];
  if (kind === undefined) forgo(id);
  const why = kind === undefined ? WHY[standing] : due(id, kind, value) ? obstacle() : 'waits for its trigger';
  if (why) return tell(id, why);
  forgo(id);
  opened.now = true;
  world.debug('shown', { campaign_id: id });
  popup(sent, category);
}

/** Fetches what of a campaign had no room in the decision. The name stands for the content, so the browser keeps it. */
function fetchPart(sent, file) {
  sent.file = 1;
  return fetch(`${world.page.base}/c/${file}`)
    .then((answer) => answer.json())
    .then((part) => Object.assign(sent, part))
    .catch(() => {})
    .then(() => look(latest, (sent.file = 0)));
}

/** Tells developers why a campaign is not shown, once for each reason. */
function tell(campaign_id, why) {
  if (reasons[campaign_id] === why) return;
  reasons[campaign_id] = why;
  world.debug('not_shown', { campaign_id, why });
}

/** Nothing of the visitor stays on the page. */
function clear() {
  for (const { id } of all(latest)) forgo(id);
  latest = {};
  opened.now = false;
  close();
  clearSlots();
}
