// The drawer's view of the latest decision: which pop-ups could open and why not, what fills the slots and why.

import { el } from '../dom';
import { chip, data, list, nothing, section, text, time, type Data } from './parts';
import type { Entry } from './recorder';

/** The last thing heard about a campaign on this page, in words. */
function latestWord(entries: Entry[], id: string): Entry | undefined {
  return [...entries].reverse().find(({ kind, detail, path }) => path === location.pathname && detail.campaign_id === id && ['trigger', 'shown', 'not_shown'].includes(kind));
}

const SAID: Record<string, (entry: Entry) => string> = {
  trigger: () => 'its trigger fired',
  shown: () => 'it was shown',
  not_shown: ({ detail }) => `not shown: ${text(detail.condition ?? detail.why)}`,
};

function campaign(it: Data, entries: Entry[]): HTMLElement {
  const id = text(it.id);
  const heard = latestWord(entries, id);
  return el('article', { class: 'ec-card' },
    el('header', {}, el('b', {}, id), el('span', { class: 'ec-version' }, `v${text(it.version)}`), chip(it.eligible === true ? 'eligible' : 'not now', it.eligible === true ? 'green' : 'grey')),
    el('p', {}, text(data(it.popup).title)),
    el('p', { class: 'ec-why' }, `Edge: ${text(it.why)}`),
    heard ? el('p', { class: 'ec-why' }, `Page, ${time(heard.at)}: ${SAID[heard.kind]?.(heard) ?? ''}`) : null,
    list(it.labels).length ? el('ul', { class: 'ec-labels' }, ...list(it.labels).map((label) => el('li', {}, text(label)))) : null);
}

function slot(name: string, value: unknown): HTMLElement {
  const it = data(value);
  const pictures = list(it.items).map(data).map((item) => {
    const src = text(item.image);
    return src.startsWith('/') ? el('img', { src, alt: text(item.title), title: text(item.title), width: 44, height: 55, loading: 'lazy' }) : el('span', {}, text(item.title));
  });
  return el('article', { class: 'ec-card' }, el('header', {}, el('b', {}, name), chip(text(it.reason).replaceAll('_', ' ') || 'no reason', 'violet')), el('div', { class: 'ec-pictures' }, ...pictures));
}

function push(value: unknown): HTMLElement {
  if (!value) return nothing('No push offered here.');
  return el('article', { class: 'ec-card' }, el('header', {}, el('b', {}, 'web push'), chip(data(value).subscribed === true ? 'subscribed' : 'not subscribed', data(value).subscribed === true ? 'green' : 'grey')));
}

export function decisionView(decision: Data | null, entries: Entry[]): HTMLElement {
  if (!decision) return nothing('No decision on this page yet. It comes with the reply to the first batch, after consent.');
  const campaigns = list(decision.campaigns).map(data);
  const slots = Object.entries(data(decision.slots));
  return el('div', {},
    section('Campaigns', campaigns.length ? el('div', {}, ...campaigns.map((it) => campaign(it, entries))) : nothing('None for this page.')),
    section('Slots', slots.length ? el('div', {}, ...slots.map(([name, value]) => slot(name, value))) : nothing('None on this page.')),
    section('Push', push(decision.push)));
}
