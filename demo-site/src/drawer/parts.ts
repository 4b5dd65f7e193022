// What the drawer's views are made of. Everything shown comes from outside, so it only ever becomes text nodes.

import { el } from '../dom';

export type Data = Record<string, unknown>;

export const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value);
export const data = (value: unknown): Data => (isData(value) ? value : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));

/** A number of things, for example "1 event". */
export const count = (number: unknown, name: string): string => `${text(number)} ${name}${number === 1 ? '' : 's'}`;

/** A time of day with milliseconds, or the date too where it was not today. */
export function time(at: unknown, precise = false): string {
  const when = new Date(Number(at));
  if (Number.isNaN(when.getTime()) || !at) return '';
  const clock = when.toTimeString().slice(0, 8) + (precise ? `.${String(when.getMilliseconds()).padStart(3, '0')}` : '');
  return when.toDateString() === new Date().toDateString() ? clock : `${when.toISOString().slice(0, 10)} ${clock.slice(0, 5)}`;
}

/** A short coloured label. */
export const chip = (label: string, tone = ''): HTMLElement => el('span', { class: `ec-chip ${tone}` }, label);

/** A titled block. */
export const section = (title: string, ...children: (Node | null | false)[]): HTMLElement => el('section', { class: 'ec-section' }, el('h3', {}, title), ...children);

/** Names with their values; empty ones are left out. */
export function facts(pairs: [string, unknown][]): HTMLElement {
  const rows = pairs.filter(([, value]) => text(value) !== '').flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value instanceof Node ? value : text(value))]);
  return el('dl', { class: 'ec-facts' }, ...rows);
}

export const nothing = (words: string): HTMLElement => el('p', { class: 'ec-nothing' }, words);

/** A value as an indented tree that folds, as consoles show it. */
export function tree(value: unknown, name = ''): HTMLElement {
  const label = name ? el('span', { class: 'ec-key' }, `${name}: `) : null;
  if (typeof value !== 'object' || value === null) return el('div', { class: 'ec-leaf' }, label, el('span', { class: `ec-${value === null ? 'null' : typeof value}` }, typeof value === 'string' ? `"${value}"` : text(value)));
  const members = Array.isArray(value) ? value.map((it, i): [string, unknown] => [String(i), it]) : Object.entries(value);
  const size = Array.isArray(value) ? `[${members.length}]` : `{${members.length}}`;
  const node = el('details', { class: 'ec-tree' }, el('summary', {}, label, el('span', { class: 'ec-size' }, size)));
  // Filled at the first opening: profiles can be large.
  node.addEventListener('toggle', () => node.append(...members.map(([key, it]) => tree(it, key))), { once: true });
  return node;
}
