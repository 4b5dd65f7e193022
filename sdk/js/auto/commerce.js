/** GA4's e-commerce events as ours (Segment's e-commerce specification v2). */
import { offer } from './counted.js';
import { amount, text } from './plain.js';

const NAMES = {
  __proto__: null,
  view_item: 'Product Viewed',
  view_item_list: 'Product List Viewed',
  select_item: 'Product Clicked',
  add_to_cart: 'Product Added',
  add_to_wishlist: 'Product Added to Wishlist',
  remove_from_cart: 'Product Removed',
  view_cart: 'Cart Viewed',
  begin_checkout: 'Checkout Started',
  add_shipping_info: 'Checkout Step Completed',
  add_payment_info: 'Checkout Step Completed',
  purchase: 'Order Completed',
  refund: 'Order Refunded',
  search: 'Products Searched',
  login: 'Signed In',
  sign_up: 'Signed Up',
  // Actions of Universal Analytics' enhanced e-commerce, which many shops still push.
  ua_detail: 'Product Viewed',
  ua_click: 'Product Clicked',
  ua_add: 'Product Added',
  ua_remove: 'Product Removed',
  ua_checkout: 'Checkout Started',
  ua_purchase: 'Order Completed',
};

/** An item as a product of ours. */
function product(item) {
  const of = (key) => text(item['item_' + key]) ?? text(item[key]);
  const levels = ['', 2, 3, 4, 5].map((level) => text(item['item_category' + level]));
  return {
    product_id: of('id'),
    name: of('name'),
    brand: of('brand'),
    category: text(levels.filter(Boolean).join('/')) ?? of('category'),
    variant: of('variant'),
    coupon: of('coupon'),
    currency: of('currency'),
    price: amount(item.price),
    quantity: amount(item.quantity),
  };
}

/** What is in a list; one item alone is a list of it, and so are the members of an object without a product's. */
const list = (items) =>
  items?.item_id || items?.id || items?.price ? [items] : Object.values(Object(items)).filter(Boolean);

/** E-commerce data that was pushed by itself: it is about the events that come after it. */
let model;

/** Offers what an entry of the data layer tells: an object with `event`, or the arguments of `gtag('event', …)`. */
export function readCommerce(entry) {
  const called = entry[0] === 'event';
  const { ecommerce } = entry;
  const event = called ? entry[1] : entry.event;
  const name = NAMES[event];
  if (ecommerce !== undefined && !event) model = ecommerce;
  for (const action in ecommerce) {
    const { actionField, products } = ecommerce[action] ?? {};
    if (products && NAMES['ua_' + action])
      return readCommerce({ ...ecommerce, ...actionField, event: 'ua_' + action, transaction_id: actionField?.id, items: products });
  }
  if (!name) return;
  const it = called ? (entry[2] ?? {}) : { ...(entry.items ? {} : model), ...entry, ...ecommerce };
  const items = list(it.items);
  const products = items.map(product).filter((one) => one.product_id || one.price || one.name);
  const named = products.filter((one) => one.product_id);
  const [first] = named;
  const all = {
    currency: text(it.currency ?? it.currencyCode),
    order_id: text(it.transaction_id),
    [name[0] === 'O' ? 'total' : 'value']: amount(it.value ?? it.revenue),
    tax: amount(it.tax),
    shipping: amount(it.shipping),
    coupon: text(it.coupon),
    query: text(it.search_term),
    step: /add_(.+)_info/.exec(event)?.[1],
  };
  if (/_list$/.test(event)) {
    all.list_id = text(it.item_list_id ?? items[0]?.item_list_id);
    if (named.every((one) => one.category === first.category)) all.category = first?.category;
  }
  if (event === 'search' && !all.query) return;
  // A page shows one product; several at once are put into a cart.
  const several = /^Product [AR]/.test(name) ? named : [{ products: products[0] && products }];
  const each = /^Product [VC]/.test(name) ? named.slice(0, 1) : several;
  for (const { currency = all.currency, ...one } of each) offer(name, { ...all, currency, ...one });
}
