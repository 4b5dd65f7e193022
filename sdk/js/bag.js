/** The properties of the event that is being captured, for the core to read (`sdk/src/props.rs`). */
let whole = {};
let items = [];

/** The properties that the core reads from now on. */
export function reads(bag) {
  whole = bag;
  items = Array.isArray(bag.products) ? bag.products.filter((item) => item && typeof item === 'object') : [];
}

const valueOf = (at, key) => (at < 0 ? whole : items[at])[key];

/** How many products there are. */
export const itemCount = () => items.length;

/** A property that is text, or a number as text; undefined for anything else. `at`: of which product; below 0: of all. */
export function textOf(at, key) {
  const value = valueOf(at, key);
  return typeof value === 'string' ? value : typeof value === 'number' ? `${value}` : undefined;
}

/** A property that is a number or numeric text; NaN for anything else. */
export function numberOf(at, key) {
  const value = valueOf(at, key);
  return typeof value === 'number' || (typeof value === 'string' && value.trim()) ? +value : NaN;
}
