// The drawer's list of what Endcap captured, sent, decided and showed.

import { el } from '../dom';
import { chip, count, data, list, nothing, text, time, tree } from './parts';
import type { Entry } from './recorder';

const TONES: Record<string, string> = { captured: 'blue', sent: 'green', decision: 'violet', trigger: 'amber', shown: 'green', not_shown: 'grey', consent: 'teal', push: 'teal', not_captured: 'grey', not_sent: 'red', error: 'red' };
const PURPOSES = ['analytics', 'personalization', 'marketing'];

/** What a batch's answer says, for example "3 events: 3 accepted". */
function answer(detail: Entry['detail']): string {
  const reply = data(detail.answer);
  const parts = ['accepted', 'duplicate', 'rejected'].map((key) => [key, list(reply[key]).length] as const).filter(([, n]) => n > 0);
  return `${count(detail.events, 'event')}: ${parts.map(([key, n]) => `${n} ${key}`).join(', ') || 'nothing to keep'}`;
}

function decided(detail: Entry['detail']): string {
  const decision = data(detail.decision);
  const campaigns = list(decision.campaigns).map(data);
  const slots = Object.entries(data(decision.slots)).map(([name, slot]) => `${name} from ${text(data(slot).reason).replaceAll('_', ' ')}`);
  const open = campaigns.filter(({ eligible }) => eligible === true).length;
  return [`stage ${text(decision.stage) || 'unknown'}`, `${open} of ${campaigns.length} campaigns eligible`, ...slots].join(' · ');
}

const WORDS: Record<string, (detail: Entry['detail']) => string> = {
  captured: ({ name, type, held }) => [text(name) || text(type), held ? `held: ${text(held)}` : ''].filter(Boolean).join(' · '),
  not_captured: ({ name, why }) => `${text(name)} · ${text(why)}`,
  sent: answer,
  not_sent: ({ why, again_in_ms }) => `${text(why)} · again in ${Math.round(Number(again_in_ms) / 100) / 10} s`,
  decision: decided,
  // The push prompt waits under a name that no campaign can have.
  trigger: ({ campaign_id }) => `${text(campaign_id).replace('\u0001prompt', 'push prompt')} fired`,
  shown: ({ campaign_id, slot, reason }) => text(campaign_id) || [`slot ${text(slot)}`, text(reason).replaceAll('_', ' ')].filter(Boolean).join(' · '),
  not_shown: ({ campaign_id, slot, why, condition }) => `${text(campaign_id ?? slot)} · ${condition ? `not yet: ${text(condition)}` : text(why)}`,
  consent: ({ decided: done, bits }) => (done ? PURPOSES.filter((_, i) => Number(bits) & (1 << i)).join(', ') || 'nothing allowed' : 'not decided yet'),
  push: ({ state }) => text(state),
  error: ({ code, path, message }) => [code, path, message].map(text).filter(Boolean).join(' · '),
};

const words = (entry: Entry): string => WORDS[entry.kind]?.(entry.detail) ?? text(entry.detail);

const row = (entry: Entry): HTMLElement =>
  el('details', { class: 'ec-entry' },
    el('summary', {}, el('time', {}, time(entry.at, true)), chip(entry.kind.replaceAll('_', ' '), TONES[entry.kind]), el('span', { class: 'ec-words' }, words(entry))),
    tree(entry.detail));

/** The list, the latest first, with a line wherever the page changed. */
export function liveView(entries: Entry[]): HTMLElement {
  if (!entries.length) return nothing('Nothing yet. Look around the shop; what Endcap notices appears here.');
  const rows: HTMLElement[] = [];
  let path = '';
  for (const entry of [...entries].reverse()) {
    if (entry.path !== path) rows.push(el('p', { class: 'ec-page' }, entry.path));
    path = entry.path;
    rows.push(row(entry));
  }
  return el('div', { class: 'ec-live' }, ...rows);
}
