/** The one product that a page is about, as its markup tells search engines: JSON-LD, else Open Graph. It is read as if
 * the data layer had told it. */
import { text } from './plain.js';
import { quietly } from './quietly.js';

/** The first of one or many. */
const one = (value) => [].concat(value)[0] ?? {};
/** The text of a thing that is a text or has a name. */
const named = (value) => one(value).name ?? value;

/** The first of these values that names something. */
const filled = (...values) => values.map(one).find((value) => text(value));

/** The nodes of a document that may be the page's main thing. */
function nodes(node) {
  if (Array.isArray(node)) return node.flatMap(nodes);
  return node ? [node, ...nodes(node['@graph']), ...nodes(node.mainEntity)] : [];
}

/** What a product is known by. */
const known = (node) => filled(node.sku, node.productID, node.productGroupID, node.gtin, node.gtin13);

/** Whether two nodes are about one product: more than one part of a page may describe it. */
const same = (one, other) => (known(one) && known(other) ? known(one) === known(other) : one.name === other.name);

/** A view of the page's product as GA4 has it; undefined where there is none, or more than one. */
export function readProduct() {
  const read = quietly(({ textContent: json }) => (json.length < 1e5 && nodes(JSON.parse(json))));
  const all = [...document.querySelectorAll('[type$="ld+json"]')].flatMap(read);
  const of = (type) => all.filter((node) => type.test(node?.['@type']));
  const groups = of(/ProductGroup/);
  const found = groups[0] ? groups : of(/\bProduct\b/);
  if (!found[0]) return openGraph();
  if (!found.every((node) => same(node, found[0]))) return undefined;
  const node = Object.assign({}, ...found.reverse());
  const variant = one(node.hasVariant);
  const offer = one(node.offers ?? variant.offers);
  const nested = one(offer.offers);
  const price = one(offer.priceSpecification ?? nested.priceSpecification);
  return view(
    known(node) ?? filled(variant.sku),
    node.url,
    node.name,
    named(node.brand),
    named(node.category),
    filled(offer.price, offer.lowPrice, nested.price, price.price),
    filled(offer.priceCurrency, nested.priceCurrency, price.priceCurrency),
  );
}

function openGraph() {
  const meta = (name) => document.querySelector(`meta[property="${name}"]`)?.content;
  const names = ['brand', 'category', 'price:amount', 'price:currency'].map((name) => 'product:' + name);
  const more = ['product:retailer_item_id', 'og:url', 'og:title', ...names].map(meta);
  return /product/.test(meta('og:type')) ? view(...more) : undefined;
}

/** A product that has no ID is known by its URL. */
function view(id, url, item_name, item_brand, item_category, price, currency) {
  const item_id = id || new URL(url ?? '', location).pathname;
  return { event: 'view_item', currency, items: [{ item_id, item_name, item_brand, item_category, price }] };
}
