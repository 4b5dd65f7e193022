#!/usr/bin/env node
// Builds the demo shop: `node demo-site/build.mjs --out <dir>` writes a static site with clean URLs
// (`cart.html` is served as `/cart`, without a redirect) and a copy of the seed.

import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { detailPicture, heroPicture, mainPicture, setPicture, storyPicture, tilePicture } from "./art/picture.mjs";
import { accountPage, cartPage, checkoutPage, missingPage, searchPage, thanksPage } from "./pages/errands.mjs";
import { categoryPage } from "./pages/category.mjs";
import { homePage } from "./pages/home.mjs";
import { productPage } from "./pages/product.mjs";
import { CATEGORIES, companions, loadProducts } from "./shop.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** The output directory from the command line; `--out` is required. */
function outFrom(args) {
  const at = args.indexOf("--out");
  if (at < 0 || !args[at + 1]) throw new Error("usage: node demo-site/build.mjs --out <dir>");
  return resolve(args[at + 1]);
}

const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

/** Bundles scripts and styles; returns the URLs that pages link, named by content so that caches never go stale. */
async function bundleAssets(out) {
  const result = await bundle({
    entryPoints: { shop: join(here, "src/shop.ts"), styles: join(here, "src/styles/shop.css") },
    outdir: join(out, "assets"),
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: "linked",
    metafile: true,
    logLevel: "warning",
  });
  const files = Object.keys(result.metafile.outputs).map((file) => `/${relative(out, resolve(file))}`);
  const find = (pattern) => files.find((file) => pattern.test(file));
  return { script: find(/\/shop-[^/]+\.js$/), styles: find(/\/styles-[^/]+\.css$/) };
}

/** Draws every picture of the shop. */
function drawPictures(out, products) {
  const byId = (ids) => ids.map((id) => products.find((product) => product.id === id));
  for (const product of products) {
    for (const colour of product.colours) write(join(out, colour.image), mainPicture(product, colour));
    write(join(out, `img/${product.id}-detail.svg`), detailPicture(product, product.colours[0]));
    write(join(out, `img/${product.id}-set.svg`), setPicture([product, ...companions(products, product)]));
  }
  for (const { id, tint, tile } of CATEGORIES) write(join(out, `img/tile-${id}.svg`), tilePicture(tint, ...byId(tile)));
  write(join(out, "img/hero.svg"), heroPicture(byId(["pilot-rolltop", "scree-boot", "storm-lantern"])));
  write(join(out, "img/story.svg"), storyPicture(byId(["skipper-crew", "harbour-stripe", "aran-jumper", "loopback-hoodie"])));
}

/** What the search page looks through. */
const searchIndex = (products) =>
  products.map(({ id, title, brand, category, price, image, blurb, description, colours, available }) => ({
    id, title, brand, category, price: price.amount, image, blurb, available, colours: colours.length,
    text: [title, brand, category, blurb, description, ...colours.map((c) => c.name)].join(" ").toLowerCase(),
  }));

/** Writes every page. */
function writePages(out, products, assets) {
  const page = (path, html) => write(join(out, `${path}.html`), html);
  page("index", homePage(products, assets));
  for (const category of CATEGORIES) page(`c/${category.id}`, categoryPage(category, products, assets));
  for (const product of products) page(`p/${product.id}`, productPage(product, products, assets));
  page("search", searchPage(assets));
  page("cart", cartPage(assets));
  page("checkout", checkoutPage(assets));
  page("thanks", thanksPage(assets));
  page("account", accountPage(assets));
  write(join(out, "404.html"), missingPage(assets));
}

const out = outFrom(process.argv.slice(2));
rmSync(out, { recursive: true, force: true });
const products = loadProducts();
const assets = await bundleAssets(out);
drawPictures(out, products);
writePages(out, products, assets);
write(join(out, "data/products.json"), JSON.stringify(searchIndex(products)));
cpSync(join(here, "seed"), join(out, "seed"), { recursive: true });
cpSync(join(here, "static"), out, { recursive: true });
console.log(`demo shop: ${products.length} products, ${readdirSync(join(out, "img")).length} pictures in ${out}`);
