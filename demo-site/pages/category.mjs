// A category's listing with its filters; the script sorts and filters the cards that are there.

import { BRAND } from "../shop.mjs";
import { card, crumbs, esc, tracked } from "./html.mjs";
import { layout } from "./layout.mjs";

const brandsOf = (shelf) => [...new Set(shelf.map(({ brand }) => brand))].sort();

/** Price bands that split this shelf about evenly: [label, from, below] in minor units. */
function bands(shelf) {
  const prices = shelf.map(({ price }) => price.amount).sort((a, b) => a - b);
  const round = (amount) => Math.ceil(amount / 1000) * 1000;
  const [low, high] = [round(prices[Math.floor(prices.length / 3)]), round(prices[Math.floor((prices.length * 2) / 3)])];
  return [[`Under €${low / 100}`, 0, low], [`€${low / 100} to €${high / 100}`, low, high], [`€${high / 100} and over`, high, 1e9]];
}

const group = (title, options) => `<fieldset><legend>${title}</legend>${options.join("")}</fieldset>`;
const box = (name, value, label) => `<label class="check"><input type="checkbox" name="${name}" value="${esc(value)}"><span>${esc(label)}</span></label>`;

function filters(shelf) {
  return `<details class="filters" data-filters>
  <summary><span>Filter</span></summary>
  <form>
    ${group("Price", bands(shelf).map(([label, from, below]) => box("price", `${from}-${below}`, label)))}
    ${group("Maker", brandsOf(shelf).map((brand) => box("brand", brand, brand)))}
    ${group("Availability", [box("stock", "true", "In stock")])}
    <button class="link" type="reset">Clear all</button>
  </form>
</details>`;
}

export function categoryPage(category, products, assets) {
  const shelf = products.filter((product) => product.category === category.id);
  const body = `<div class="page">
${crumbs([["Home", "/"], [category.title]])}
<header class="listing-head"><div><h1>${esc(category.title)}</h1><p>${esc(category.intro)}</p></div></header>
<div class="listing">
  ${filters(shelf)}
  <div class="listing-main">
    <div class="listing-bar"><p data-count role="status">${shelf.length} products</p><label class="sort">Sort by <select data-sort><option value="rank">Our favourites</option><option value="price-up">Price, low to high</option><option value="price-down">Price, high to low</option><option value="title">Name</option></select></label></div>
    <ul class="grid three" data-grid>${shelf.map((product, i) => card(product, { eager: i < 3, position: i })).join("")}</ul>
    <p class="empty" data-none hidden>Nothing fits these filters. <button class="link" type="button" data-clear>Clear them</button></p>
  </div>
</div>
</div>`;
  const list = { "@type": "ItemList", name: category.title, numberOfItems: shelf.length, itemListElement: shelf.map(({ url, title }, i) => ({ "@type": "ListItem", position: i + 1, url, name: title })) };
  return layout({
    title: `${category.title} | ${BRAND}`, description: category.intro, name: "Category", path: `/c/${category.id}`, current: category.id, body, assets, image: `/img/tile-${category.id}.svg`,
    schema: [list, { "@type": "BreadcrumbList", itemListElement: [{ "@type": "ListItem", position: 1, name: "Home", item: "/" }, { "@type": "ListItem", position: 2, name: category.title, item: `/c/${category.id}` }] }],
    data: { list: { id: category.id, name: category.title, category: category.id, products: shelf.map(tracked) } },
  });
}
