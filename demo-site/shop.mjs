// The shop's goods: the seed that the edge is given too (seed/products.json), joined with what only
// the pages need (catalogue/*.json: drawings, colours, sizes, texts).

import { readFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

export const BRAND = "Skerry";

/** The six categories in the order of the navigation; their ids are what events and campaigns name. */
export const CATEGORIES = [
  { id: "jackets", title: "Jackets & coats", short: "Jackets", tint: "#cfd6d0", tile: ["drizzle-raincoat", "fulmar-parka"], intro: "For rain that comes sideways, for the first frost, for the ferry deck in February." },
  { id: "tops", title: "Shirts & knitwear", short: "Tops", tint: "#dfd3c4", tile: ["voe-fairisle", "bothy-flannel"], intro: "Tees that keep their neck, flannel brushed twice, and wool from people who know sheep." },
  { id: "trousers", title: "Trousers & jeans", short: "Trousers", tint: "#d3d8dc", tile: ["keel-jean", "tide-chino"], intro: "Straight, wide, pleated or doubled at the knee. All of them mended free, for ever." },
  { id: "shoes", title: "Shoes & boots", short: "Shoes", tint: "#dcd4c6", tile: ["scree-boot", "court-low"], intro: "Welted, stitched or vulcanised: soles that can be replaced, uppers that are worth it." },
  { id: "bags", title: "Bags & accessories", short: "Bags", tint: "#d6d8c8", tile: ["pilot-rolltop", "trawler-beanie"], intro: "Packs that stand up by themselves, and the small warm things that go in them." },
  { id: "home", title: "House & camp", short: "House", tint: "#ddd2c8", tile: ["signal-kettle", "kiln-mug"], intro: "For the kitchen table or the tailgate. Enamel, stoneware, wool and one good lantern." },
];

/** A swatch as CSS: one colour, or two where the article has a second one that matters. */
function swatch({ colour, stripe, accent, yoke }) {
  const second = stripe ?? accent ?? yoke?.[1];
  return second ? `linear-gradient(135deg, ${colour} 0 58%, ${second} 58%)` : colour;
}

/** Every product with everything that pages and pictures need, in the order of the seed. */
export function loadProducts() {
  const presentation = Object.assign({}, ...CATEGORIES.map(({ id }) => read(`catalogue/${id}.json`)));
  return read("seed/products.json").products.map((product) => {
    const more = presentation[product.id];
    if (!more) throw new Error(`catalogue has no entry for ${product.id}`);
    const colours = more.colours.map((colour, i) => ({
      ...colour,
      slug: colour.name.toLowerCase().replace(/[^a-z]+/g, "-"),
      image: i === 0 ? product.image : product.image.replace(".svg", `-${i + 1}.svg`),
      swatch: swatch(colour.draw),
    }));
    return { ...product, ...more, colours };
  });
}

/** Two products of other categories that are shown beside this one in its set picture. */
export function companions(products, product) {
  const order = { jackets: ["trousers", "shoes"], tops: ["trousers", "bags"], trousers: ["tops", "shoes"], shoes: ["trousers", "bags"], bags: ["jackets", "shoes"], home: ["tops", "home"] }[product.category];
  const at = products.filter((p) => p.category === product.category).indexOf(product);
  return order.map((category, i) => {
    const shelf = products.filter((p) => p.category === category && p.id !== product.id);
    return shelf[(at * 2 + i * 3) % shelf.length];
  });
}
