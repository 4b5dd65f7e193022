/** The one product that a page is about, as its markup tells search engines: JSON-LD, else Open Graph. It is read as if
 * the data layer had told it. */
import { quietly } from './quietly.js';

/** The first of one or many. */
const one = (value) => [].concat(value)[0] ?? {};
/** The text of a thing that is a text or has a name. */
const named = (value) => one(value).name ?? value;

/** The nodes of a document that may be the page's main thing. */
function nodes(node) {
  if (Array.isArray(node)) return node.flatMap(nodes);
  return node ? [node, ...nodes(node['@graph'] ?? node.mainEntity)] : [];
}

/** A view of the page's product as GA4 has it; undefined where there is none, or more than one. */
export function readProduct() {
  const read = quietly(({ textContent: json }) => (json.length < 1e5 && nodes(JSON.parse(json))));
  const all = [...document.querySelectorAll('[type$="ld+json"]')].flatMap(read);
  const of = (type) => all.filter((node) => type.test(node?.['@type']));
  const groups = of(/ProductGroup/);
  const [node, second] = groups[0] ? groups : of(/\bProduct\b/);
  if (second) return undefined;
  if (!node) return openGraph();
  const variant = one(node.hasVariant);
  const offer = one(node.offers ?? variant.offers);
  return view(
    node.sku ?? node.productID ?? node.productGroupID ?? node.gtin ?? node.gtin13 ?? variant.sku,
    node.url,
    node.name,
    named(node.brand),
    named(node.category),
    offer.price ?? offer.lowPrice,
    offer.priceCurrency,
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
