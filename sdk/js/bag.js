/** The properties of the event that is being captured, for the core to read (`sdk/src/props.rs`). */
let whole = {};
let items = [];

/** The properties that the core reads from now on. A product alone is a list of it; so is an object of products. */
export function reads(bag) {
  whole = bag;
  const { products } = bag;
  items = typeof products !== 'object' ? [] : (products?.product_id ?? products?.sku) ? [products] : Object.values(products ?? {});
}

/** An empty product ID is none. */
const valueOf = (at, key, it = at < 0 ? whole : items[at]) => it?.[key] || (key === 'product_id' ? it?.sku : it?.[key]);

/** How many products there are. */
export const itemCount = () => items.length;

/** A property that is text, or a number as text; undefined for anything else. `at`: of which product; below 0: of all. */
export function textOf(at, key) {
  const value = valueOf(at, key);
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? `${value}` : undefined;
}

/** A property that is a number or numeric text; NaN for anything else. A part of a unit counts as one. */
export function numberOf(at, key) {
  const number = +(textOf(at, key) || NaN);
  return key === 'quantity' ? Math.ceil(number) : number;
}
