// Small helpers for making and finding elements. Text goes in as text nodes, never as HTML.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | EventListener | undefined>;

/** Makes an element: `on…` attributes are listeners, `true` and `false` set and leave out, the rest is text. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child): child is Node | string => Boolean(child)));
  return node;
}

/** The first match, or null. */
export const find = <T extends HTMLElement = HTMLElement>(selector: string, root: ParentNode = document): T | null => root.querySelector<T>(selector);

/** All matches. */
export const findAll = <T extends HTMLElement = HTMLElement>(selector: string, root: ParentNode = document): T[] => [...root.querySelectorAll<T>(selector)];

/** The data that the page was built with; null on pages without any. */
export function pageData<T>(): T | null {
  const text = document.getElementById('page-data')?.textContent;
  return text ? (JSON.parse(text) as T) : null;
}

/** Minor units as a price, for example "€89.00". */
export const euros = (amount: number): string => `€${(amount / 100).toFixed(2)}`;

/** Shows a short message that goes by itself. */
export function toast(...children: Child[]): void {
  const host = find('.toasts');
  const note = el('div', { class: 'toast' }, ...children);
  host?.replaceChildren(note);
  setTimeout(() => note.remove(), 5000);
}
