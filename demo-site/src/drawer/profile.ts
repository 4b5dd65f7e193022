// The drawer's view of the profile that the edge keeps, by the route that exists in local development only.

import { anonymousId } from 'endcap';
import { el, euros } from '../dom';
import { scores, segments } from './customer';
import { daysLater } from './later';
import { chip, count, data, facts, list, nothing, section, text, time, tree, type Data } from './parts';

/** The profile, or in words why there is none. */
export async function fetchProfile(): Promise<Data | string> {
  const id = anonymousId();
  if (!id) return 'No anonymous ID yet: nothing is kept before consent is given.';
  try {
    const reply = await fetch(`/ec/dev/profile?anonymous_id=${encodeURIComponent(id)}&days=${daysLater()}`, { headers: { accept: 'application/json' } });
    if (reply.status === 404) return 'The edge knows nobody by this anonymous ID yet.';
    if (!reply.ok) return `The edge answered ${reply.status}; this route exists in local development only.`;
    const body = data(await reply.json());
    return data('profile' in body ? body.profile : body);
  } catch {
    return 'The edge cannot be reached.';
  }
}

/** Every stage so far with its beginning, the present one last. */
function stage(profile: Data): HTMLElement {
  const now = data(profile.stage);
  const history = list(now.history).map(data);
  const steps = history.map((step, i) => el('li', i === history.length - 1 ? { 'aria-current': 'true' } : {}, el('b', {}, text(step.stage)), el('time', {}, time(step.since))));
  return section('Stage', el('ol', { class: 'ec-stages' }, ...(steps.length ? steps : [el('li', { 'aria-current': 'true' }, el('b', {}, text(now.current)))])));
}

function identity(profile: Data): HTMLElement {
  const consent = data(profile.consent);
  const allowed = ['analytics', 'personalization', 'marketing'].filter((purpose) => consent[purpose] === true);
  const device = data(profile.device);
  const came = ['device', 'browser', 'operating_system', 'locale', 'city', 'country'].map((name) => text(device[name])).filter(Boolean);
  return section('Identity', facts([
    ['Profile', profile.profile_id], ['Anonymous', list(profile.anonymous_ids).join('\n')], ['Device', list(profile.device_ids).join('\n')],
    ['User', list(profile.user_ids).join('\n')], ['Claimed', list(profile.claimed_user_ids).join('\n')], ['Consent', allowed.join(', ') || 'none'],
    ['Came by', came.join(', ')],
    ...Object.entries(data(profile.traits)).map(([name, value]): [string, unknown] => [name, value]),
  ]));
}

/** Who only claims to be this person: nothing of it counts here. */
function claims(profile: Data): HTMLElement | null {
  const { claims, browsers, last_seen } = data(profile.unproved);
  const rows = list(claims).map(data).map((it) => el('li', {},
    el('time', {}, time(it.claimed_at)), el('span', {}, `${count(it.events, 'event')}, ${count(it.orders, 'order')}`), chip(text(it.identifier).replaceAll('_', ' '))));
  return rows.length ? section('Claims without proof', el('ul', { class: 'ec-rows' }, ...rows), facts([['Browsers', browsers], ['Last seen', time(last_seen)]])) : null;
}

function cart(profile: Data): HTMLElement {
  const now = data(profile.cart);
  const lines = list(now.lines).map(data);
  if (!lines.length) return section('Cart', nothing('Empty.'));
  const rows = lines.map((line) => el('li', {}, el('span', {}, `${text(line.quantity)} × ${text(line.product_id)}`), chip(text(line.category)), el('span', { class: 'ec-number' }, euros(Number(line.price_minor)))));
  return section('Cart', el('ul', { class: 'ec-rows' }, ...rows), facts([['Value', euros(Number(now.value_minor))], ['Changed', time(now.changed_at)]]));
}

function touchpoints(profile: Data): HTMLElement {
  const touches = data(profile.touchpoints);
  const show = (name: string, value: unknown): [string, unknown] => {
    const touch = data(value);
    const marks = [...Object.entries(data(touch.utm)), ...Object.entries(data(touch.click_ids))].map(([key, it]) => `${key}=${text(it)}`);
    return [name, [time(touch.at), text(touch.referrer) || (touch.at ? 'direct' : ''), marks.join(' ')].filter(Boolean).join('\n')];
  };
  return section('Touchpoints', facts([show('First', touches.first), show('Last', touches.last)]), list(touches.all).length > 2 && tree(touches.all, 'all'));
}

function interests(profile: Data): HTMLElement {
  const rows = Object.entries(data(profile.categories)).map(([name, value]) => {
    const it = data(value);
    return el('tr', {}, el('th', { scope: 'row' }, name), ...[list(it.products_viewed).length, it.units_added, it.units_bought].map((n) => el('td', {}, text(n))));
  });
  if (!rows.length) return section('Interests', nothing('Nothing looked at yet.'));
  const head = el('tr', {}, ...['Category', 'Viewed', 'Added', 'Bought'].map((name) => el('th', { scope: 'col' }, name)));
  return section('Interests', el('table', { class: 'ec-table' }, el('thead', {}, head), el('tbody', {}, ...rows)));
}

function reactions(profile: Data): HTMLElement | null {
  const shown = list(profile.impressions).map(data).slice(-8).reverse();
  const pushed = list(profile.pushes).map(data).slice(-5).reverse();
  if (!shown.length && !pushed.length) return null;
  const line = (at: unknown, name: string, outcome: string): HTMLElement => el('li', {}, el('time', {}, time(at)), el('span', {}, name), chip(outcome));
  return section('Shown and sent', el('ul', { class: 'ec-rows' },
    ...shown.map((it) => line(it.at, text(it.campaign_id) || `slot ${text(it.slot)}`, text(it.reaction))),
    ...pushed.map((it) => line(it.at, `push ${text(it.campaign)}`, it.clicked_at ? 'clicked' : it.shown_at ? 'shown' : text(it.outcome)))));
}

function numbers(profile: Data): HTMLElement {
  const { events, sessions, page_views, orders } = data(profile.counters);
  const tile = (name: string, value: unknown): HTMLElement => el('div', {}, el('b', {}, text(value ?? 0)), el('span', {}, name));
  return el('div', { class: 'ec-numbers' }, tile('events', events), tile('sessions', sessions), tile('pages now', page_views), tile('orders', orders));
}

export function profileView(profile: Data | string | null): HTMLElement {
  if (profile === null) return nothing('Asking the edge…');
  if (typeof profile === 'string') return nothing(profile);
  return el('div', {}, numbers(profile), stage(profile), scores(profile), segments(profile), identity(profile), claims(profile), cart(profile), interests(profile), touchpoints(profile), reactions(profile), section('Everything', tree(profile, 'profile')));
}
