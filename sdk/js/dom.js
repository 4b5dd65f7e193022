/** Building what visitors see. Text only ever becomes a text node and addresses are checked, so nothing that a campaign
 * or catalogue says can run. */

/** A new element with a class (which is its `part` too), text and attributes, appended to `parent`. */
export function add(parent, tag, name, text, attributes = {}) {
  const element = parent.appendChild(document.createElement(tag));
  if (name) element.className = element.part = name;
  if (text) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Whether a link may be followed or an image loaded: `http`, `https`, or relative to the page. */
export function isWeb(url) {
  try {
    return !!url && /^https?:$/.test(new URL(url, location.href).protocol);
  } catch {
    return false;
  }
}

/** An empty shadow root with these styles. A constructed style sheet is exempt from the page's `style-src`; where
 * browsers lack it, a style element with the nonce is next best. */
export function shadow(host, css, nonce) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  root.textContent = '';
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    add(root, 'style', '', css, { nonce });
  }
  return root;
}

/** A price in the page's language; `amount` in minor units. */
function money({ amount, currency } = {}) {
  try {
    const format = new Intl.NumberFormat(document.documentElement.lang || undefined, { style: 'currency', currency });
    // By ECMA-402 these are ISO 4217's decimal places.
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch {
    return '';
  }
}

/** Adds a product's card: a link with picture, title and price. */
export function card(parent, product) {
  const link = add(parent, 'a', 'product');
  if (isWeb(product.url)) link.href = product.url;
  const frame = add(link, 'span', 'picture');
  // The title beside it says the same, so the picture needs no name of its own.
  if (isWeb(product.image)) add(frame, 'img', '', '', { alt: '', loading: 'lazy', decoding: 'async', src: product.image });
  add(link, 'span', 'name', product.title);
  add(link, 'span', 'price', money(product.price));
  return link;
}
