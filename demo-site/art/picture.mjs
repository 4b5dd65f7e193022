// From a product's drawing to its pictures: the main view on its backdrop, a close-up, a set laid
// out with what goes with it, and the tiles and banners of the shop's pages.

import { lighter, mix } from "./color.mjs";
import { Art, HEIGHT, WIDTH } from "./kit.mjs";
import * as tops from "./tops.mjs";
import * as jackets from "./jackets.mjs";
import * as trousers from "./trousers.mjs";
import * as shoes from "./shoes.mjs";
import * as bags from "./bags.mjs";
import * as home from "./home.mjs";

const DRAWINGS = { ...tops, ...jackets, ...trousers, ...shoes, ...bags, ...home };

/** What is hung before a wall rather than stood on a floor. */
const HUNG = new Set([...[tops, jackets, trousers].flatMap(Object.keys), "scarf"]);

/** Where the drawing sits in a picture: centre it and fill the frame. */
const FRAME = {
  top: "translate(0 -18) scale(1.13)",
  coat: "translate(0 -22) scale(1.08)",
  trousers: "translate(0 -34) scale(1.08)",
  short: "translate(0 -16) scale(1.36)",
  standing: "translate(0 -30) scale(1.02)",
};

function frameOf({ kind, options = {} }) {
  if (options.short) return FRAME.short;
  if (kind in trousers) return FRAME.trousers;
  if (kind in jackets) return FRAME.coat;
  if (kind in tops) return FRAME.top;
  return FRAME.standing;
}

/** Draws a product once, hung or standing, at the place it has in its own picture. */
function place(art, drawing, colour) {
  const draw = () => DRAWINGS[drawing.kind](art, { ...drawing.options, ...colour });
  const hung = HUNG.has(drawing.kind) ? ` filter="${art.hung()}"` : "";
  art.group(`transform="${frameOf(drawing)}"${hung}`, draw);
}

/** A seamless backdrop: lit from the upper left, with a floor where something stands. */
function backdrop(art, tint, standing, [x, y, w, h] = [-WIDTH / 2, 0, WIDTH, HEIGHT]) {
  const light = lighter(tint, 0.55);
  const wall = art.define(`wall ${tint}`, (id) => `<radialGradient id="${id}" cx=".3" cy=".22" r="1.05"><stop offset="0" stop-color="${light}"/><stop offset=".55" stop-color="${tint}"/><stop offset="1" stop-color="${mix(tint, "#6b6152", 0.2)}"/></radialGradient>`);
  art.add(`<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="url(#${wall})"/>`);
  if (standing) art.add(`<rect x="${x}" y="${y + h * 0.66}" width="${w}" height="${h * 0.34}" fill="${art.gradient([[0, lighter(tint, 0.4), 0], [0.25, lighter(tint, 0.5), 0.9], [1, mix(tint, "#6b6152", 0.12)]], true)}"/>`);
}

/** The main picture of a product in one of its colours. */
export function mainPicture(product, colour) {
  const art = new Art();
  backdrop(art, product.tint, !HUNG.has(product.drawing.kind));
  place(art, product.drawing, colour.draw);
  return art.svg(`${product.title}, ${colour.name.toLowerCase()}`);
}

/** Where the close-up looks: collar and front for what is hung, the near half for the rest. */
function closeUp({ kind }) {
  if (kind in trousers) return [-150, 80, 240, 300];
  if (HUNG.has(kind)) return [-120, 70, 248, 310];
  if (kind in shoes) return [-268, 330, 288, 360];
  return [-150, 250, 256, 320];
}

/** A close-up of the same drawing. */
export function detailPicture(product, colour) {
  const art = new Art();
  backdrop(art, product.tint, !HUNG.has(product.drawing.kind));
  place(art, product.drawing, colour.draw);
  return art.svg(`${product.title}: a closer look`, closeUp(product.drawing));
}

/** Three products laid out together on a ground of the first one's tint. */
export function setPicture(products) {
  const art = new Art();
  const [first, second, third] = products;
  backdrop(art, mix(first.tint, "#8d8570", 0.16), false);
  art.add(`<circle cx="-110" cy="250" r="300" fill="#fff" opacity=".16"/>`);
  const at = (product, transform) => art.group(`transform="${transform}"`, () => place(art, product.drawing, product.colours[0].draw));
  at(first, "translate(-92 40) scale(.66) rotate(-5 0 300)");
  at(second, "translate(150 18) scale(.5) rotate(4 0 300)");
  at(third, "translate(136 380) scale(.5)");
  return art.svg(`${first.title} with ${second.title} and ${third.title}`);
}

/** A category's tile: one product large, a second behind it. */
export function tilePicture(tint, front, behind) {
  const art = new Art();
  const box = [-WIDTH / 2, 60, WIDTH, 660];
  backdrop(art, tint, !HUNG.has(front.drawing.kind), box);
  const at = (product, transform) => art.group(`transform="${transform}"`, () => place(art, product.drawing, product.colours[0].draw));
  at(behind, "translate(116 48) scale(.72) rotate(5 0 300)");
  at(front, "translate(-66 92) scale(.84) rotate(-3 0 300)");
  return art.svg("", box);
}

/** One layer of coast: a ridge across the whole width, filled to the bottom. */
function ridge(points, fill) {
  const [head, ...rest] = points;
  let d = `M${head[0]},${head[1]}`;
  for (let i = 0; i < rest.length; i++) {
    const [x0, y0] = i ? rest[i - 1] : head;
    const [x, y] = rest[i];
    d += ` C${x0 + (x - x0) * 0.5},${y0} ${x0 + (x - x0) * 0.5},${y} ${x},${y}`;
  }
  return `<path d="${d} L1000,900 L-1000,900 Z" fill="${fill}"/>`;
}

/** A pine of three tiers standing at (x, y). */
const pine = (x, y, h, fill) =>
  `<path d="M${x},${y - h} l${h * 0.16},${h * 0.34} h${-h * 0.06} l${h * 0.14},${h * 0.28} h${-h * 0.07} l${h * 0.16},${h * 0.32} h${-h * 0.66} l${h * 0.16},${-h * 0.32} h${-h * 0.07} l${h * 0.14},${-h * 0.28} h${-h * 0.06} z M${x - h * 0.03},${y - h * 0.1} h${h * 0.06} v${h * 0.14} h${-h * 0.06} z" fill="${fill}"/>`;

/** The coast at first light: sky, sun, skerries in the mist, water, a near shore with pines. */
function coast(art) {
  art.add(`<rect x="-800" y="0" width="1600" height="720" fill="${art.gradient([[0, "#c9d6d3"], [0.42, "#efe0c8"], [0.62, "#f3cfa6"], [1, "#dfb592"]], true)}"/>`);
  art.add(`<circle cx="250" cy="318" r="170" fill="#fff2d3" opacity=".55" filter="${art.blur(40)}"/><circle cx="250" cy="322" r="58" fill="#fff4dc"/>`);
  art.add(ridge([[-800, 330], [-560, 262], [-380, 318], [-150, 290], [40, 344], [240, 322], [420, 360], [800, 318]], "#b9c3bd"));
  art.add(ridge([[-800, 392], [-600, 340], [-400, 376], [-200, 352], [30, 398], [300, 388], [560, 372], [800, 352]], "#93a6a1"));
  art.add(`<rect x="-800" y="402" width="1600" height="330" fill="${art.gradient([[0, "#d9c9ae"], [0.3, "#a9b7ae"], [1, "#54706d"]], true)}"/>`);
  for (let i = 0; i < 26; i++) art.add(`<path d="M${-790 + ((i * 173) % 1500)},${420 + i * 9} h${60 + ((i * 37) % 150)}" stroke="#fff" stroke-opacity="${0.34 - i * 0.008}" stroke-width="2.4" stroke-linecap="round"/>`);
  art.add(`<path d="M196,412 H306 M176,430 H322 M206,448 H300 M188,468 H316 M214,490 H286" stroke="#fff4dc" stroke-opacity=".7" stroke-width="5" stroke-linecap="round"/>`);
}

/** The home page's banner: products on a rock before the coast. */
export function heroPicture(products) {
  const art = new Art();
  coast(art);
  art.add('<path d="M-30,470 C30,424 92,440 120,452 C160,436 220,452 236,474 Z" fill="#6c8480"/><path d="M420,462 C470,410 560,420 620,456 C660,446 700,452 720,470 Z" fill="#5f7975"/>');
  for (const [x, y, h] of [[470, 440, 58], [500, 430, 74], [536, 430, 62], [570, 436, 50], [86, 446, 40], [104, 446, 52]]) art.add(pine(x, y, h, "#4e6965"));
  art.add(ridge([[-800, 640], [-540, 600], [-300, 640], [0, 652], [160, 586], [420, 560], [640, 580], [800, 540]], "#2f4743"));
  art.add(ridge([[-800, 700], [-400, 676], [-100, 700], [120, 634], [460, 612], [800, 622]], "#263a37"));
  for (const [x, y, h] of [[716, 580, 250], [664, 590, 180], [772, 570, 200], [-726, 676, 70], [-770, 668, 96]]) art.add(pine(x, y, h, "#203230"));
  const at = (product, transform) => art.group(`transform="${transform}"`, () => place(art, product.drawing, product.colours[0].draw));
  const [pack, boots, lamp] = products;
  at(pack, "translate(330 224) scale(.62)");
  at(lamp, "translate(550 366) scale(.4)");
  at(boots, "translate(130 404) scale(.46)");
  return art.svg("", [-800, 0, 1600, 720]);
}

/** The banner of the story section: a washing line of this season's colours. */
export function storyPicture(products) {
  const art = new Art();
  const box = [-450, 0, 900, 520];
  backdrop(art, "#d6dcd2", false, box);
  art.add('<path d="M-460,74 Q0,128 460,66" fill="none" stroke="#6b6152" stroke-width="4"/>');
  products.forEach((product, i) => {
    const [x, y] = [-312 + i * 208, [40, 52, 50, 36][i]];
    art.group(`transform="translate(${x} ${y}) scale(.6) rotate(${[-2, 1.5, -1, 2][i]} 0 0)"`, () => place(art, product.drawing, product.colours[0].draw));
    for (const side of [-26, 26]) art.add(`<rect x="${x + side - 4}" y="${y + 30}" width="8" height="32" rx="2" fill="#b98a5a" stroke="#7a5630"/>`);
  });
  return art.svg("", box);
}
