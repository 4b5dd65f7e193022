// The search page: every word must occur in a product's text; hits in the title come first.

import { searched } from '../analytics';
import { el, euros, find } from '../dom';

interface Entry {
  id: string;
  title: string;
  brand: string;
  price: number;
  image: string;
  blurb: string;
  available: boolean;
  colours: number;
  text: string;
}

/** Entries that hold all the words, the best first; a plural finds its singular. */
export function lookUp(entries: Entry[], query: string): Entry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => (word.length > 3 ? word.replace(/s$/, '') : word));
  if (!words.length) return [];
  const score = (entry: Entry): number => words.filter((word) => entry.title.toLowerCase().includes(word)).length;
  return entries.filter((entry) => words.every((word) => entry.text.includes(word))).sort((a, b) => score(b) - score(a));
}

const card = (entry: Entry): HTMLElement =>
  el('li', { class: 'card', 'data-testid': 'product-card', 'data-id': entry.id },
    el('a', { href: `/p/${entry.id}` },
      el('span', { class: 'card-picture' }, el('img', { src: entry.image, alt: '', width: 600, height: 750, loading: 'lazy' }), !entry.available && el('span', { class: 'flag' }, 'Sold out')),
      el('span', { class: 'card-brand' }, entry.brand),
      el('span', { class: 'card-title' }, entry.title),
      el('span', { class: 'card-foot' }, el('span', { class: 'price' }, euros(entry.price)), el('span', { class: 'muted' }, `${entry.colours} colour${entry.colours === 1 ? '' : 's'}`))));

export function searchPage(): void {
  const query = (new URLSearchParams(location.search).get('q') ?? '').trim();
  const input = find<HTMLInputElement>('#q');
  if (input) input.value = query;
  const title = find('[data-search-title]');
  if (title && query) title.textContent = `“${query}”`;
  void run(query);
}

async function run(query: string): Promise<void> {
  const reply = await fetch('/data/products.json');
  const entries = (await reply.json()) as Entry[];
  const found = query ? lookUp(entries, query) : entries.slice(0, 12);
  const note = find('[data-search-note]');
  if (note) note.textContent = query ? `${found.length} product${found.length === 1 ? '' : 's'}` : 'What people look for most.';
  find('[data-results]')?.replaceChildren(...found.map(card));
  const none = find('[data-none]');
  if (none) none.hidden = found.length > 0;
  if (query) searched(query, found.length);
}
