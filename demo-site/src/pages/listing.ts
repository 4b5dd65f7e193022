// A listing's sorting and filtering, over the cards that the page was built with.

import { listViewed } from '../analytics';
import type { Item } from '../item';
import { find, findAll, pageData } from '../dom';

interface ListData {
  list: { id: string; name: string; category?: string; products: Item[] };
}

const ORDERS: Record<string, (a: HTMLElement, b: HTMLElement) => number> = {
  rank: (a, b) => Number(a.dataset.rank) - Number(b.dataset.rank),
  'price-up': (a, b) => Number(a.dataset.price) - Number(b.dataset.price),
  'price-down': (a, b) => Number(b.dataset.price) - Number(a.dataset.price),
  title: (a, b) => titleOf(a).localeCompare(titleOf(b)),
};

const titleOf = (card: HTMLElement): string => find('.card-title', card)?.textContent ?? '';

/** Whether a card passes: any of the ticked boxes of a group, and so in each group. */
function passes(card: HTMLElement, chosen: FormData): boolean {
  const price = Number(card.dataset.price);
  const within = (band: FormDataEntryValue): boolean => {
    const [from = 0, below = 0] = String(band).split('-').map(Number);
    return price >= from && price < below;
  };
  const bands = chosen.getAll('price');
  const brands = chosen.getAll('brand');
  return (bands.length === 0 || bands.some(within)) && (brands.length === 0 || brands.includes(card.dataset.brand ?? '')) && (!chosen.has('stock') || card.dataset.stock === 'true');
}

function startFilters(grid: HTMLElement): void {
  const form = find<HTMLFormElement>('[data-filters] form');
  const details = find<HTMLDetailsElement>('[data-filters]');
  const sort = find<HTMLSelectElement>('[data-sort]');
  if (!form || !details || !sort) return;
  // On a wide screen the filters stand open beside the goods; on a phone they wait behind a button.
  details.open = matchMedia('(min-width: 60rem)').matches;
  const cards = findAll('.card', grid);
  const update = (): void => {
    const chosen = new FormData(form);
    for (const card of cards) card.hidden = !passes(card, chosen);
    grid.append(...[...cards].sort(ORDERS[sort.value]));
    const shown = cards.filter(({ hidden }) => !hidden).length;
    const count = find('[data-count]');
    if (count) count.textContent = `${shown} product${shown === 1 ? '' : 's'}`;
    const none = find('[data-none]');
    if (none) none.hidden = shown > 0;
  };
  form.addEventListener('change', update);
  form.addEventListener('reset', () => setTimeout(update));
  sort.addEventListener('change', update);
  find('[data-clear]')?.addEventListener('click', () => form.reset());
}

export function listingPage(): void {
  const data = pageData<ListData>();
  // The home page's shelf is an aside, not a list that the visitor came for.
  if (data?.list.category) listViewed(data.list);
  const grid = find('[data-grid]');
  if (grid) startFilters(grid);
}
