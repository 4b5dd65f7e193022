// What every page is made of: escaping, prices, icons, the product card.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text made safe for HTML content and quoted attributes. */
export const esc = (text) => String(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);

/** JSON for a data script: no `<` can end the script early. */
export const json = (value) => JSON.stringify(value).replace(/</g, "\\u003c");

/** Minor units as a price, for example "€89.00". */
export const euros = (amount) => `€${(amount / 100).toFixed(2)}`;

const ICONS = {
  search: '<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>',
  bag: '<path d="M5 8h14l-1 12H6zM9 8V6.500a3 3 0 0 1 6 0V8"/>',
  user: '<circle cx="12" cy="8.5" r="3.7"/><path d="M4.8 20c.8-4 3.6-6 7.2-6s6.4 2 7.2 6"/>',
  menu: '<path d="M4 7h16M4 12h16M4 17h16"/>',
  truck: '<path d="M3 6.500h11v10H3zM14 10h4l3 3.500v3h-7z"/><circle cx="7.5" cy="17.5" r="1.8"/><circle cx="17" cy="17.5" r="1.8"/>',
  back: '<path d="M4 9h10a5 5 0 0 1 0 10H8M4 9l4-4M4 9l4 4"/>',
  needle: '<path d="M20 4 9 15M20 4c1.5-1.5 0-2-1-1l-12 12-1 3 3-1 12-12c1-1 .5-2.5-1-1zM6 18l-3 3"/>',
  leaf: '<path d="M5 19c0-9 5-14 15-14 0 10-5 15-13 14M5 19c2-5 5-8 9-10"/>',
  bell: '<path d="M6 16.500V11a6 6 0 0 1 12 0v5.500l1.5 1.500h-15zM10 20.500h4"/>',
  check: '<path d="m5 12.5 4.5 4.500L19 7"/>',
};

/** A line icon; it is decoration, so it is hidden from assistive technology. */
export const icon = (name, size = 22) =>
  `<svg class="icon" width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${ICONS[name]}</svg>`;

/** A product as analytics names it (Segment e-commerce v2); the page adds the origin to the URLs. */
export const tracked = ({ id, title, category, brand, price, url, image }) => ({
  product_id: id, name: title, category, brand, price: price.amount / 100, currency: price.currency, url, image_url: image,
});

/** The swatches below a card's price. */
const dots = (colours) =>
  `<span class="dots" aria-label="${colours.length} colour${colours.length > 1 ? "s" : ""}">${colours.map((c) => `<i style="background:${c.swatch}"></i>`).join("")}</span>`;

/** A product card; `eager` for those visible at once. */
export function card(product, { eager = false, position = 0 } = {}) {
  const { id, title, brand, price, image, colours, available } = product;
  return `<li class="card" data-testid="product-card" data-id="${esc(id)}" data-price="${price.amount}" data-brand="${esc(brand)}" data-colours="${esc(colours.map((c) => c.name).join("|"))}" data-stock="${available}" data-rank="${position}">
  <a href="/p/${esc(id)}">
    <span class="card-picture"><img src="${esc(image)}" alt="" width="600" height="750" ${eager ? 'fetchpriority="high"' : 'loading="lazy"'} decoding="async">${colours[1] ? `<img class="card-alternate" src="${esc(colours[1].image)}" alt="" width="600" height="750" loading="lazy" decoding="async">` : ""}${available ? "" : '<span class="flag">Sold out</span>'}</span>
    <span class="card-brand">${esc(brand)}</span>
    <span class="card-title">${esc(title)}</span>
    <span class="card-foot"><span class="price">${euros(price.amount)}</span>${dots(colours)}</span>
  </a>
</li>`;
}

/** The trail of links above a page's title. */
export const crumbs = (trail) =>
  `<nav class="crumbs" aria-label="Breadcrumb"><ol>${trail.map(([title, href]) => `<li>${href ? `<a href="${href}">${esc(title)}</a>` : `<span aria-current="page">${esc(title)}</span>`}</li>`).join("")}</ol></nav>`;

/** A slot of products chosen for the visitor, with words of the shop's own beside it. */
export const picks = (slot, title, text) =>
  `<section class="section picks" aria-labelledby="picks-${slot}"><div class="picks-words"><h2 id="picks-${slot}">${esc(title)}</h2><p>${esc(text)} <button type="button" class="link" data-consent-open>Your choice</button></p></div><endcap-slot name="${slot}" limit="4"></endcap-slot></section>`;
