// Checkout and thanks. The payment is a play: the card number is checked as a shop would and goes nowhere.

import { checkoutStarted, orderCompleted } from '../analytics';
import { el, euros, find, findAll } from '../dom';
import { account, cart, orders, type Line, type Order } from '../store';
import { EXPRESS, standardDelivery } from './totals';

/** The Luhn check of a card number. */
export function luhn(number: string): boolean {
  const digits = number.replace(/\D/g, '');
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const doubled = i % 2 ? Number(digit) * 2 : Number(digit);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return digits.length >= 13 && sum % 10 === 0;
}

/** Whether "MM/YY" has not passed by `now`. */
export function notExpired(text: string, now: Date): boolean {
  const [month = 0, year = 0] = text.split('/').map(Number);
  return /^\d\d\/\d\d$/.test(text) && month >= 1 && month <= 12 && (2000 + year) * 12 + month > now.getFullYear() * 12 + now.getMonth();
}

/** What is wrong with a field, in words for the person; "" if nothing. */
function complaint(input: HTMLInputElement): string {
  const value = input.value.trim();
  if (!value) return 'Please fill this in.';
  if (input.type === 'email' && !/^\S+@\S+\.\S+$/.test(value)) return 'This does not look like an e-mail address.';
  if (input.id === 'postcode' && input.validity.patternMismatch) return 'Letters, digits and spaces only.';
  if (input.id === 'card' && !luhn(value)) return 'This card number has a slip in it.';
  if (input.id === 'expiry' && !notExpired(value, new Date())) return 'Month and year, as 04/28, not in the past.';
  if (input.id === 'cvc' && !/^\d{3,4}$/.test(value)) return 'Three or four digits.';
  return '';
}

/** Shows or clears a field's complaint; returns whether the field is good. */
export function check(input: HTMLInputElement): boolean {
  const text = complaint(input);
  const note = document.getElementById(input.getAttribute('aria-describedby') ?? '');
  if (note) note.textContent = text;
  input.toggleAttribute('aria-invalid', Boolean(text));
  if (text) input.setAttribute('aria-invalid', 'true');
  return !text;
}

const line = (it: Line): HTMLElement =>
  el('li', {}, el('span', { class: 'mini' }, el('img', { src: it.picture, alt: '', width: 56, height: 70 }), el('b', {}, String(it.quantity))), el('span', {}, it.name, el('small', { class: 'muted' }, it.variant)), el('span', { class: 'price' }, euros(it.amount * it.quantity)));

const totals = (goods: number, delivery: number): HTMLElement =>
  el('dl', {}, el('div', {}, el('dt', {}, 'Goods'), el('dd', {}, euros(goods))), el('div', {}, el('dt', {}, 'Delivery'), el('dd', {}, delivery ? euros(delivery) : 'Free')), el('div', { class: 'total' }, el('dt', {}, 'Total'), el('dd', {}, euros(goods + delivery))));

const deliveryOf = (form: HTMLFormElement): number => (new FormData(form).get('delivery') === 'express' ? EXPRESS : standardDelivery(cart.goods()));

function render(form: HTMLFormElement): void {
  const standard = find('[data-standard]');
  if (standard) standard.textContent = standardDelivery(cart.goods()) ? euros(standardDelivery(cart.goods())) : 'Free';
  find('[data-summary]')?.replaceChildren(el('h2', {}, 'Your order'), el('ul', { class: 'mini-lines' }, ...cart.lines().map(line)), totals(cart.goods(), deliveryOf(form)));
}

/** An order number that two visitors will not share. */
const orderNumber = (): string => `SK-${Date.now().toString(36).toUpperCase()}${Math.floor(Math.random() * 1296).toString(36).padStart(2, '0').toUpperCase()}`;

function place(form: HTMLFormElement): void {
  const fields = findAll<HTMLInputElement>('.field input', form);
  const wrong = fields.filter((input) => !check(input));
  if (wrong[0]) return wrong[0].focus();
  const data = new FormData(form);
  const delivery = deliveryOf(form);
  const order: Order = { id: orderNumber(), at: Date.now(), lines: cart.lines(), delivery, total: cart.goods() + delivery, email: String(data.get('email')), name: String(data.get('name')), told: false };
  orders.put(order);
  cart.save([]);
  location.assign('/thanks');
}

export function checkoutPage(): void {
  const form = find<HTMLFormElement>('[data-checkout]');
  if (!form) return;
  if (!cart.units()) return location.replace('/cart');
  checkoutStarted(cart.lines(), cart.goods());
  const who = account.get();
  for (const name of ['email', 'name'] as const) {
    const input = find<HTMLInputElement>(`#${name}`, form);
    if (input && who) input.value = who[name];
  }
  render(form);
  form.addEventListener('change', (event) => {
    const input = event.target as HTMLInputElement;
    if (input.name === 'delivery') render(form);
    else if (input instanceof HTMLInputElement && input.closest('.field')) check(input);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    place(form);
  });
}

export function thanksPage(): void {
  const host = find('[data-thanks]');
  const order = orders.latest();
  if (!order) return host?.replaceChildren(el('h1', {}, 'Nothing ordered yet'), el('p', {}, el('a', { href: '/' }, 'Start here.')));
  if (!order.told) {
    orderCompleted(order);
    orders.put({ ...order, told: true });
  }
  const first = order.name.split(' ')[0] ?? '';
  host?.replaceChildren(
    el('div', { class: 'thanks', 'data-testid': 'order-confirmation' },
      el('p', { class: 'eyebrow' }, `Order ${order.id}`),
      el('h1', {}, first ? `Thank you, ${first}.` : 'Thank you.'),
      el('p', { class: 'lead' }, `It leaves the harbour tomorrow. We have written to ${order.email}.`),
      el('div', { class: 'summary' }, el('ul', { class: 'mini-lines' }, ...order.lines.map(line)), totals(order.total - order.delivery, order.delivery)),
      el('p', { class: 'hero-links' }, el('a', { class: 'button', href: '/' }, 'Back to the shop'), el('a', { class: 'button quiet', href: '/account#orders' }, 'Your orders'))));
}
