// What the shop keeps in the browser: the cart, the account, the orders, the decision about consent.
// Storage may be full, forbidden or hold somebody else's text: then the shop works without it.

import type { Item } from './item';

/** One line of the cart: an article in one colour and size. `amount` is the price of one in minor units. */
export interface Line extends Item {
  key: string;
  variant: string;
  quantity: number;
  amount: number;
  picture: string;
}

export interface Account {
  userId: string;
  email: string;
  name: string;
}

export interface Order {
  id: string;
  at: number;
  lines: Line[];
  delivery: number;
  total: number;
  email: string;
  name: string;
  /** Whether analytics has been told, so that a reload of the thanks page does not count twice. */
  told: boolean;
}

export interface Consent {
  analytics: boolean;
  personalization: boolean;
  marketing: boolean;
}

function read<T>(key: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(`skerry.${key}`) ?? 'null') as T | null;
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(`skerry.${key}`);
    else localStorage.setItem(`skerry.${key}`, JSON.stringify(value));
  } catch {
    // Private windows may refuse; the page goes on with what it has.
  }
}

export const MOST_OF_ONE = 20;

export const cart = {
  lines: (): Line[] => read<Line[]>('cart') ?? [],
  units: (): number => cart.lines().reduce((sum, line) => sum + line.quantity, 0),
  goods: (): number => cart.lines().reduce((sum, line) => sum + line.amount * line.quantity, 0),
  save(lines: Line[]): void {
    write('cart', lines);
    document.dispatchEvent(new CustomEvent('cart'));
  },
  /** Adds to the line of the same article, or starts one. */
  add(line: Line): void {
    const lines = cart.lines();
    const same = lines.find(({ key }) => key === line.key);
    if (same) same.quantity = Math.min(MOST_OF_ONE, same.quantity + line.quantity);
    else lines.push(line);
    cart.save(lines);
  },
  /** Sets a line's quantity; 0 takes it out. */
  set(key: string, quantity: number): void {
    cart.save(cart.lines().flatMap((line) => (line.key !== key ? [line] : quantity > 0 ? [{ ...line, quantity }] : [])));
  },
};

export const account = {
  get: (): Account | null => read<Account>('account'),
  set: (value: Account | null): void => write('account', value),
};

export const orders = {
  all: (): Order[] => read<Order[]>('orders') ?? [],
  latest: (): Order | undefined => orders.all()[0],
  put(order: Order): void {
    write('orders', [order, ...orders.all().filter(({ id }) => id !== order.id)].slice(0, 20));
  },
};

export const consents = {
  get: (): Consent | null => read<Consent>('consent'),
  set: (value: Consent): void => write('consent', value),
};
