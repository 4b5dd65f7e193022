// What the shop tells: to Endcap by its public API, with the names of Segment's e-commerce spec v2, and
// to the data layer in GA4's terms, as shops have it for their tag manager.

import { init, page, track } from 'endcap';
import type { Item } from './item';
import { consents, type Line, type Order } from './store';

declare global {
  interface Window {
    dataLayer?: unknown[];
  }
}

const CURRENCY = 'EUR';
const absolute = (path: string): string => new URL(path, location.origin).href;
const major = (amount: number): number => amount / 100;

/** An item with the addresses that a receiver elsewhere can use. */
const item = ({ product_id, name, category, brand, price, currency, url, image_url }: Item) => ({
  product_id, name, category, brand, price, currency, url: absolute(url), image_url: absolute(image_url),
});

const bought = (line: Line) => ({ ...item(line), variant: line.variant, quantity: line.quantity });

/** The same in GA4's words. */
const ga = (thing: Item & Partial<Line>, index?: number) => ({
  item_id: thing.product_id, item_name: thing.name, item_brand: thing.brand, item_category: thing.category, price: thing.price,
  ...(thing.variant ? { item_variant: thing.variant } : {}), quantity: thing.quantity ?? 1, ...(index === undefined ? {} : { index }),
});

function push(event: string, more: Record<string, unknown>): void {
  const layer = (window.dataLayer ??= []);
  if ('ecommerce' in more) layer.push({ ecommerce: null });
  layer.push({ event, ...more });
}

/** Starts Endcap with what the visitor decided before, and records the page view. */
export function startAnalytics(): void {
  init({ source: 'demo', consent: consents.get() ?? 'pending', debug: true });
  page(document.body.dataset.page);
}

export function listViewed(list: { id: string; name: string; category?: string; products: Item[] }): void {
  const products = list.products.slice(0, 24);
  track('Product List Viewed', { list_id: list.id, ...(list.category ? { category: list.category } : {}), products: products.map((it, i) => ({ ...item(it), position: i + 1 })) });
  push('view_item_list', { ecommerce: { item_list_id: list.id, item_list_name: list.name, items: products.map(ga) } });
}

export function searched(query: string, found: number): void {
  track('Products Searched', { query, results: found });
  push('search', { search_term: query });
}

export function productViewed(product: Item): void {
  track('Product Viewed', item(product));
  push('view_item', { ecommerce: { currency: CURRENCY, value: product.price, items: [ga(product)] } });
}

export function productAdded(line: Line, quantity = line.quantity): void {
  track('Product Added', { ...bought(line), quantity });
  push('add_to_cart', { ecommerce: { currency: CURRENCY, value: major(line.amount * quantity), items: [ga({ ...line, quantity })] } });
}

export function productRemoved(line: Line, quantity = line.quantity): void {
  track('Product Removed', { ...bought(line), quantity });
  push('remove_from_cart', { ecommerce: { currency: CURRENCY, value: major(line.amount * quantity), items: [ga({ ...line, quantity })] } });
}

export function cartViewed(lines: Line[], goods: number): void {
  track('Cart Viewed', { currency: CURRENCY, value: major(goods), products: lines.map(bought) });
  push('view_cart', { ecommerce: { currency: CURRENCY, value: major(goods), items: lines.map(ga) } });
}

export function checkoutStarted(lines: Line[], goods: number): void {
  track('Checkout Started', { currency: CURRENCY, value: major(goods), products: lines.map(bought) });
  push('begin_checkout', { ecommerce: { currency: CURRENCY, value: major(goods), items: lines.map(ga) } });
}

export function orderCompleted(order: Order): void {
  const goods = order.total - order.delivery;
  track('Order Completed', { order_id: order.id, revenue: major(goods), shipping: major(order.delivery), total: major(order.total), currency: CURRENCY, products: order.lines.map(bought) });
  push('purchase', { ecommerce: { transaction_id: order.id, value: major(order.total), shipping: major(order.delivery), currency: CURRENCY, items: order.lines.map(ga) } });
}

export const loggedIn = (): void => push('login', { method: 'demo' });
