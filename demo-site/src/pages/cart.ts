// The cart's page.

import { cartViewed, productAdded, productRemoved } from '../analytics';
import { el, euros, find } from '../dom';
import { cart, MOST_OF_ONE, type Line } from '../store';
import { FREE_FROM, standardDelivery } from './totals';

/** Changes a line's quantity and tells by how much. */
function change(line: Line, quantity: number): void {
  cart.set(line.key, quantity);
  if (quantity > line.quantity) productAdded(line, quantity - line.quantity);
  if (quantity < line.quantity) productRemoved(line, line.quantity - quantity);
}

function stepper(line: Line): HTMLElement {
  const step = (label: string, sign: string, to: number): HTMLElement =>
    el('button', { type: 'button', 'aria-label': `${label} of ${line.name}`, disabled: to < 1 || to > MOST_OF_ONE, onclick: () => change(line, to) }, sign);
  return el('div', { class: 'stepper' }, step('One fewer', '−', line.quantity - 1), el('span', { 'aria-label': 'Quantity' }, String(line.quantity)), step('One more', '+', line.quantity + 1));
}

const row = (line: Line): HTMLElement =>
  el('li', { class: 'cart-line', 'data-testid': 'cart-line' },
    el('a', { class: 'cart-picture', href: line.url, tabindex: -1, 'aria-hidden': 'true' }, el('img', { src: line.picture, alt: '', width: 120, height: 150 })),
    el('div', { class: 'cart-words' },
      el('a', { class: 'cart-title', href: line.url }, line.name),
      el('span', { class: 'muted' }, line.variant),
      el('div', { class: 'cart-tools' }, stepper(line), el('button', { type: 'button', class: 'link', 'data-testid': 'remove-line', onclick: () => change(line, 0) }, 'Remove'))),
    el('span', { class: 'price' }, euros(line.amount * line.quantity)));

function summary(goods: number): HTMLElement {
  const delivery = standardDelivery(goods);
  const missing = FREE_FROM - goods;
  const total = (label: string, amount: string, strong = false): HTMLElement => el('div', strong ? { class: 'total' } : {}, el('dt', {}, label), el('dd', {}, amount));
  return el('aside', { class: 'summary', 'aria-label': 'Summary' },
    el('h2', {}, 'Summary'),
    el('dl', {}, total('Goods', euros(goods)), total('Delivery', delivery ? euros(delivery) : 'Free'), total('Total', euros(goods + delivery), true)),
    missing > 0 && el('p', { class: 'hint' }, `${euros(missing)} more and delivery is free.`),
    el('a', { class: 'button wide', href: '/checkout', 'data-testid': 'checkout-link' }, 'Go to checkout'),
    el('p', { class: 'small muted' }, 'Prices include VAT. Sixty days to send anything back.'));
}

const empty = (): HTMLElement =>
  el('div', { class: 'empty' }, el('p', {}, 'There is nothing in it yet.'), el('a', { class: 'button', href: '/c/jackets' }, 'Look at jackets'));

function render(): void {
  const host = find('[data-cart]');
  const lines = cart.lines();
  if (!lines.length) return host?.replaceChildren(empty());
  host?.replaceChildren(el('ul', { class: 'cart-lines' }, ...lines.map(row)), summary(cart.goods()));
}

export function cartPage(): void {
  render();
  document.addEventListener('cart', render);
  cartViewed(cart.lines(), cart.goods());
}
