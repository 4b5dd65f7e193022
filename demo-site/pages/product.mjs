// A product's page: pictures, choices, the button, the words.

import { BRAND, CATEGORIES } from "../shop.mjs";
import { crumbs, esc, euros, icon, picks, tracked } from "./html.mjs";
import { layout } from "./layout.mjs";

const pictures = ({ id, title, image }) => [
  [image, title],
  [`/img/${id}-detail.svg`, `${title}, a closer look`],
  [`/img/${id}-set.svg`, `${title}, with what goes well with it`],
];

function gallery(product) {
  const all = pictures(product);
  return `<div class="gallery" data-gallery>
  <div class="gallery-main"><img data-main src="${all[0][0]}" alt="${esc(all[0][1])}" width="600" height="750" fetchpriority="high"></div>
  <ul class="thumbs">${all.map(([src, alt], i) => `<li><button type="button" data-thumb="${src}" aria-label="Show: ${esc(alt)}" aria-current="${i === 0}"><img src="${src}" alt="" width="600" height="750" decoding="async"></button></li>`).join("")}</ul>
</div>`;
}

const colourChoice = (colours) =>
  `<fieldset class="choice"><legend>Colour: <b data-colour-name>${esc(colours[0].name)}</b></legend><div class="swatches">${colours.map((c, i) => `<label class="swatch" title="${esc(c.name)}"><input type="radio" name="colour" value="${esc(c.name)}" data-image="${c.image}"${i === 0 ? " checked" : ""}><i style="background:${c.swatch}"></i><span class="sr">${esc(c.name)}</span></label>`).join("")}</div></fieldset>`;

const sizeChoice = (sizes) =>
  sizes.length ? `<fieldset class="choice"><legend>Size</legend><div class="sizes">${sizes.map((size, i) => `<label class="size"><input type="radio" name="size" value="${esc(size)}"${i === Math.floor((sizes.length - 1) / 2) ? " checked" : ""}><span>${esc(size)}</span></label>`).join("")}</div></fieldset>` : "";

function purchase(product) {
  if (product.available) {
    return `<button class="button wide" type="submit" data-testid="add-to-cart">Add to cart</button>`;
  }
  return `<button class="button wide" type="button" disabled>Sold out</button><button class="button quiet wide" type="button" data-back-in-stock>${icon("bell", 18)} Tell me when it is back</button>`;
}

const schemaOf = (product) => ({
  "@type": "Product", name: product.title, sku: product.id, productID: product.id, image: [product.image], description: product.description, category: product.category,
  brand: { "@type": "Brand", name: product.brand }, color: product.colours.map(({ name }) => name).join(", "),
  offers: { "@type": "Offer", url: product.url, price: (product.price.amount / 100).toFixed(2), priceCurrency: product.price.currency, availability: `https://schema.org/${product.available ? "InStock" : "OutOfStock"}`, itemCondition: "https://schema.org/NewCondition" },
});

export function productPage(product, products, assets) {
  const category = CATEGORIES.find(({ id }) => id === product.category);
  const body = `<div class="page">
${crumbs([["Home", "/"], [category.title, `/c/${category.id}`], [product.title]])}
<div class="product">
  ${gallery(product)}
  <form class="product-form" data-product-form>
    <p class="card-brand">${esc(product.brand)}</p>
    <h1>${esc(product.title)}</h1>
    <p class="lead">${esc(product.blurb)}</p>
    <p class="product-price">${euros(product.price.amount)} <small>with VAT; delivery from €5</small></p>
    ${colourChoice(product.colours)}
    ${sizeChoice(product.sizes)}
    <div class="product-buy">${purchase(product)}</div>
    <ul class="assurances"><li>${icon("truck", 20)} With you in 2 to 4 days</li><li>${icon("back", 20)} Free returns for 60 days</li><li>${icon("needle", 20)} Mended free, for ever</li></ul>
    <details class="fold" open><summary>About it</summary><p>${esc(product.description)}</p></details>
    <details class="fold"><summary>Materials and care</summary><ul>${product.details.map((line) => `<li>${esc(line)}</li>`).join("")}</ul></details>
    <details class="fold"><summary>Delivery and returns</summary><p>€5 by standard post, free over €75, €12 overnight. Send it back within 60 days with the label in the box; refunds arrive in three working days.</p></details>
  </form>
</div>
</div>
${picks("product", "Goes well with it", "What people who looked at this looked at too.")}`;
  return layout({
    title: `${product.title} | ${BRAND}`, description: `${product.blurb} ${product.description}`, name: "Product", path: product.url, current: product.category, body, assets, image: product.image,
    schema: [schemaOf(product), { "@type": "BreadcrumbList", itemListElement: [["Home", "/"], [category.title, `/c/${category.id}`], [product.title, product.url]].map(([name, item], i) => ({ "@type": "ListItem", position: i + 1, name, item })) }],
    data: { product: { ...tracked(product), amount: product.price.amount, available: product.available } },
  });
}
