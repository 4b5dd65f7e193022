/**
 * Functions that run inside the page under test. They travel as text, so they may name each other and nothing else.
 */

/**
 * All elements that match, in the document and in every open shadow root, in document order. ` >>> ` in a selector
 * means: anywhere within, shadow roots included.
 *
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {Element[]}
 */
export function findAll(selector, root = document) {
  const [outer, ...inner] = selector.split(' >>> ');
  const found = [];
  for (const element of root.querySelectorAll('*')) {
    if (element.matches(outer)) found.push(element);
    if (element.shadowRoot) found.push(...findAll(outer, element.shadowRoot));
  }
  if (!inner.length) return found;
  const roots = found.flatMap((element) => [element.shadowRoot, element].filter((node) => node !== null));
  return roots.flatMap((node) => findAll(inner.join(' >>> '), node));
}

/**
 * The elements that match and are drawn.
 *
 * @param {string} selector
 * @returns {Element[]}
 */
export function drawn(selector) {
  return findAll(selector).filter((element) => {
    const box = element.getBoundingClientRect();
    const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    return shown && box.width > 0 && box.height > 0;
  });
}

/**
 * The text of an element, its shadow root's included, without what is not displayed.
 *
 * @param {Node} node
 * @returns {string}
 */
export function textOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.nodeValue ?? '';
  if (node instanceof Element && getComputedStyle(node).display === 'none') return '';
  const children = [...(node instanceof Element && node.shadowRoot ? [node.shadowRoot] : []), ...node.childNodes];
  return children.map(textOf).join(' ').replace(/\s+/g, ' ').trim();
}

/** The texts of all drawn elements that match. @param {string} selector */
export function texts(selector) {
  return drawn(selector).map(textOf);
}

/**
 * Where to click an element, after scrolling it into view; null while it is not there or something covers it.
 *
 * @param {string} selector
 * @param {number} index Which of the drawn elements that match.
 * @returns {{x: number, y: number} | null}
 */
export function place(selector, index) {
  const element = drawn(selector)[index];
  if (!element) return null;
  element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  const box = element.getBoundingClientRect();
  const [x, y] = [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)];
  let top = document.elementFromPoint(x, y);
  while (top?.shadowRoot) {
    const deeper = top.shadowRoot.elementFromPoint(x, y);
    if (!deeper || deeper === top) break;
    top = deeper;
  }
  /** @type {Node | null | undefined} */
  let node = top;
  while (node && node !== element) node = node.parentNode ?? /** @type {ShadowRoot} */ (node).host;
  return node ? { x, y } : null;
}

/** Resolves once everything that moves has come to rest and every picture in view is there. */
export async function settled() {
  const roots = [document, ...findAll('*').flatMap(({ shadowRoot }) => shadowRoot ?? [])];
  const all = roots.flatMap((root) => root.getAnimations());
  const moving = all.filter((one) => one.effect?.getComputedTiming().iterations !== Infinity);
  await Promise.all(moving.map((one) => one.finished.catch(() => {})));
  const pictures = /** @type {HTMLImageElement[]} */ (drawn('img')).filter((image) => {
    const box = image.getBoundingClientRect();
    return box.top < innerHeight && box.bottom > 0;
  });
  await Promise.all(pictures.map((image) => image.decode().catch(() => {})));
  await document.fonts.ready;
}

/**
 * Whether the focused element is the first one that matches or lies within it, across shadow roots.
 *
 * @param {string} selector
 */
export function inside(selector) {
  const [element] = drawn(selector);
  /** @type {Element | null | undefined} */
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  /** @type {Node | null | undefined} */
  let node = focused;
  while (node && node !== element) node = node.parentNode ?? /** @type {ShadowRoot} */ (node).host;
  return Boolean(element && node);
}
