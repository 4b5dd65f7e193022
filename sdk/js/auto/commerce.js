/** GA4's e-commerce events as ours (Segment's e-commerce specification v2). */
import { offer } from './counted.js';
import { amount, currency, id, quantity, text } from './plain.js';

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
};

/** An item as a product of ours. */
function product(item) {
  const levels = ['', 2, 3, 4, 5].map((level) => text(item['item_category' + level]));
  return {
    product_id: id(item.item_id ?? item.id),
    name: text(item.item_name),
    brand: text(item.item_brand),
    category: id(levels.filter(Boolean).join('/')),
    variant: text(item.item_variant),
    coupon: text(item.coupon),
    price: amount(item.price),
    quantity: quantity(item.quantity),
  };
}

/** Offers what an entry of the data layer tells: an object with `event`, or the arguments of `gtag('event', …)`. */
export function readCommerce(entry) {
  const called = entry[0] === 'event';
  const event = called ? entry[1] : entry.event;
  const name = NAMES[event];
  if (!name) return;
  const it = called ? (entry[2] ?? {}) : { ...entry, ...entry.ecommerce };
  const items = (it.items ?? []).filter(Boolean).slice(0, 100);
  const products = items.map(product).filter((one) => one.product_id);
  const [first] = products;
  const all = {
    currency: currency(it.currency),
    order_id: id(it.transaction_id),
    [it.transaction_id ? 'total' : 'value']: amount(it.value),
    tax: amount(it.tax),
    shipping: amount(it.shipping),
    coupon: text(it.coupon),
    query: text(it.search_term),
    step: /add_(.+)_info/.exec(event)?.[1],
  };
  if (/_list$/.test(event)) {
    all.list_id = text(it.item_list_id ?? items[0]?.item_list_id);
    if (products.every((one) => one.category === first.category)) all.category = first?.category;
  }
  if (event === 'search' && !all.query) return;
  // A page shows one product; several at once are put into a cart.
  const several = /_to_|_from/.test(event) ? products : [{ products: first && products }];
  const each = /_item$/.test(event) ? products.slice(0, 1) : several;
  for (const one of each) offer(name, { ...all, ...one });
}
