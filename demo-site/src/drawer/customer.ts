// The drawer's view of what Endcap makes of a customer: scores, and the segments with why somebody is in them or not.

import { el, euros } from '../dom';
import { chip, data, facts, list, nothing, section, text, time, type Data } from './parts';

const percent = (share: unknown): string => `${Math.round(Number(share) * 100)} %`;
/** One to five stars, said in words too. */
const stars = (count: number): HTMLElement => el('span', { role: 'img', 'aria-label': `${count} of 5 stars` }, '★'.repeat(count) + '☆'.repeat(5 - count));

export function scores(profile: Data): HTMLElement {
  const found = data(profile.scores);
  if (!Object.keys(found).length) return section('Scores', nothing('They begin with the first order.'));
  const { rfm, purchase, churn, expected_orders: orders, lifetime_value_minor: value, alive } = found;
  const group = text(data(rfm).group).replaceAll('_', ' ');
  return section('Scores', facts([
    ...Object.entries(data(profile.groups)).map(([model, group]): [string, unknown] => [model.toUpperCase(), chip(text(group))]),
    ['RFM', group ? chip(group, 'amber') : 'from the first fit on'],
    ['Buys soon', purchase ? stars(Number(data(purchase).stars)) : 'no stars: the score declines to speak'],
    ['Value', value === null ? 'unknown before there are repeat orders' : `${euros(Number(value))} within a year`],
    ['Orders', `${Number(orders).toFixed(1)} expected within a year`],
    ['Customer still', percent(alive)],
    ['Leaves', `${percent(data(churn).risk)} within ${text(data(churn).days)} days`],
  ]));
}

/** What a part of a condition saw: moments are told as such. */
function saw(part: Data): string {
  const value = part.saw;
  if (value === undefined) return '';
  return typeof value === 'number' && value > 1e11 ? time(value) : text(value);
}

function part(it: Data): HTMLElement {
  const holds = it.holds === true;
  return el('li', {},
    el('span', { class: holds ? 'ec-yes' : 'ec-no', 'aria-label': holds ? 'holds' : 'does not hold' }, holds ? '✓' : '✗'),
    el('code', {}, text(it.text)), saw(it) ? el('span', { class: 'ec-saw' }, saw(it)) : null,
    list(it.parts).length ? el('ul', { class: 'ec-parts' }, ...list(it.parts).map(data).map(part)) : null);
}

export function segments(profile: Data): HTMLElement {
  const all = list(profile.explained).map(data);
  const held = new Map(list(profile.segments).map(data).map((it) => [text(it.id), it]));
  if (!all.length) return section('Segments', nothing('The shop has none.'));
  const cards = all.map((it) => {
    const membership = held.get(text(it.id));
    return el('details', { class: 'ec-segment' },
      el('summary', {}, el('b', {}, text(it.name)), membership ? chip(`in since ${time(membership.since)}`, 'green') : chip('not in it')),
      el('ul', { class: 'ec-parts' }, part(data(it.condition))));
  });
  return section('Segments', ...cards);
}
