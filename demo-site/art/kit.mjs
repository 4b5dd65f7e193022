// The drawing kit: one `Art` collects the markup of one picture. Every picture has its origin at the
// top middle (x from -300 to 300, y from 0 to 750) and its light from the upper left.

import { edge } from "./color.mjs";
import { textures } from "./textures.mjs";

export const WIDTH = 600;
export const HEIGHT = 750;
const PAGE = `x="${-WIDTH}" y="${-HEIGHT}" width="${WIDTH * 3}" height="${HEIGHT * 3}"`;

/** Mirrors a path of "x,y" pairs (and H, h) about the vertical axis. */
export const flip = (d) =>
  d.replace(/(-?[\d.]+),(-?[\d.]+)|([Hh])(-?[\d.]+)/g, (_, x, y, h, along) => (h ? `${h}${-Number(along)}` : `${-Number(x)},${y}`));

/** Closes the right half of an outline (from its top middle down to its bottom middle) with its mirror image. */
export function sym(half) {
  const segments = half.match(/[MLQC][^MLQC]*/g).map((text) => ({
    kind: text[0],
    points: text.slice(1).trim().split(/\s+/),
  }));
  const back = [];
  for (let i = segments.length - 1; i > 0; i--) {
    const controls = segments[i].points.slice(0, -1).reverse();
    back.push(`${segments[i].kind}${[...controls, segments[i - 1].points.at(-1)].map(flip).join(" ")}`);
  }
  return `${half} ${back.join(" ")} Z`;
}

/** The light on a form, as gradient stops over its bounding box: [offset, colour, opacity]. */
const FORMS = {
  cloth: [[0, "#fff", 0.2], [0.34, "#fff", 0], [0.62, "#000", 0], [1, "#000", 0.24]],
  round: [[0, "#000", 0.16], [0.22, "#fff", 0.34], [0.45, "#fff", 0], [0.7, "#000", 0.1], [1, "#000", 0.4]],
  gloss: [[0, "#000", 0.1], [0.16, "#fff", 0.5], [0.24, "#fff", 0.06], [0.6, "#000", 0.02], [0.9, "#000", 0.3], [1, "#000", 0.2]],
  fall: [[0, "#fff", 0.16], [0.45, "#fff", 0], [1, "#000", 0.26]],
};

export class Art {
  /** @param {string} prefix makes ids unique where several pictures share one document */
  constructor(prefix = "a") {
    this.prefix = prefix;
    this.defs = [];
    this.known = new Map();
    this.out = [];
  }

  /** Adds markup to the picture. */
  add(markup) {
    this.out.push(markup);
    return this;
  }

  /** Defines something once per key and returns its id. */
  define(key, make) {
    if (!this.known.has(key)) {
      const id = `${this.prefix}${this.known.size}`;
      this.known.set(key, id);
      this.defs.push(make(id));
    }
    return this.known.get(key);
  }

  /** Draws what `draw` adds inside one group. */
  group(attributes, draw) {
    this.add(`<g ${attributes}>`);
    draw();
    return this.add("</g>");
  }

  blur(amount) {
    const id = this.define(`blur ${amount}`, (it) =>
      `<filter id="${it}" filterUnits="userSpaceOnUse" ${PAGE}><feGaussianBlur stdDeviation="${amount}"/></filter>`);
    return `url(#${id})`;
  }

  /** A filter that puts the soft shadow of a garment hung before a wall behind it. */
  hung() {
    const id = this.define("hung", (it) =>
      `<filter id="${it}" filterUnits="userSpaceOnUse" ${PAGE}><feDropShadow dx="9" dy="16" stdDeviation="13" flood-color="#2a2118" flood-opacity=".3"/></filter>`);
    return `url(#${id})`;
  }

  gradient(stops, vertical = false) {
    const id = this.define(`gradient ${vertical} ${JSON.stringify(stops)}`, (it) =>
      `<linearGradient id="${it}" ${vertical ? 'x2="0" y2="1"' : ""}>${stops.map(([at, colour, opacity = 1]) =>
        `<stop offset="${at}" stop-color="${colour}"${opacity === 1 ? "" : ` stop-opacity="${opacity}"`}/>`).join("")}</linearGradient>`);
    return `url(#${id})`;
  }

  texture(spec) {
    const [name, ...options] = [spec].flat();
    const id = this.define(`texture ${JSON.stringify(spec)}`, (it) => textures[name](it, ...options));
    return `url(#${id})`;
  }

  /**
   * Draws one piece of material: its colour, its weave, the light on its form, its folds, its edge.
   * `folds` are [path, "dark" | "light", width]; they are blurred and kept inside the piece.
   */
  piece(d, { fill, tex, form = "cloth", folds = [], line, dim = 0, inside, soft = 5 }) {
    const clip = this.define(`clip ${d}`, (it) => `<clipPath id="${it}"><path d="${d}"/></clipPath>`);
    this.add(`<g clip-path="url(#${clip})"><path d="${d}" fill="${fill}"/>`);
    for (const layer of tex ? (Array.isArray(tex[0]) ? tex : [tex]) : []) this.add(`<path d="${d}" fill="${this.texture(layer)}"/>`);
    inside?.();
    if (form) this.add(`<path d="${d}" fill="${this.gradient(FORMS[form], form === "fall")}"/>`);
    if (form === "cloth") this.add(`<path d="${d}" fill="${this.gradient(FORMS.fall, true)}" opacity=".55"/>`);
    if (dim) this.add(`<path d="${d}" fill="#1a1613" opacity="${dim}"/>`);
    this.folds(folds, soft);
    const stroke = line ?? edge(fill.startsWith("#") ? fill : "#777777");
    return this.add(`</g>${stroke === "none" ? "" : `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="1.6" stroke-linejoin="round"/>`}`);
  }

  folds(folds, soft) {
    if (!folds.length) return;
    this.add(`<g fill="none" stroke-linecap="round" filter="${this.blur(soft)}">`);
    for (const [path, kind = "dark", width = 12] of folds) {
      this.add(`<path d="${path}" stroke="${kind === "dark" ? "#140f0a" : "#fff"}" stroke-opacity="${kind === "dark" ? 0.22 : 0.2}" stroke-width="${width}"/>`);
    }
    this.add("</g>");
  }

  /** A seam or outline. */
  seam(d, colour, width = 1.6, opacity = 1) {
    return this.add(`<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"${opacity === 1 ? "" : ` stroke-opacity="${opacity}"`}/>`);
  }

  /** Top-stitching: a fine dashed line. */
  stitch(d, colour, width = 1.5) {
    return this.add(`<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-dasharray="5 3.4" stroke-linecap="round" opacity=".85"/>`);
  }

  /** A sewn-through button. */
  button(x, y, colour, r = 6) {
    return this.add(`<g transform="translate(${x} ${y})"><circle cy="1.6" r="${r}" fill="#000" opacity=".28"/><circle r="${r}" fill="${colour}"/><circle r="${r - 1.6}" fill="none" stroke="#000" stroke-opacity=".22"/><path d="M-1.6,-1.6L1.6,1.6M1.6,-1.6L-1.6,1.6" stroke="#000" stroke-opacity=".45"/></g>`);
  }

  /** The shadow that a standing thing throws on the floor. */
  ground(x, y, rx, ry = rx * 0.11, strength = 0.34) {
    this.add(`<ellipse cx="${x + 10}" cy="${y + 5}" rx="${rx * 1.06}" ry="${ry * 1.5}" fill="#2a2118" opacity="${strength * 0.62}" filter="${this.blur(14)}"/>`);
    return this.add(`<ellipse cx="${x}" cy="${y}" rx="${rx * 0.97}" ry="${ry * 0.55}" fill="#1d1610" opacity="${strength}" filter="${this.blur(5)}"/>`);
  }

  /** The finished picture; `box` is the part of it to show, x y width height. */
  svg(label, box = [-WIDTH / 2, 0, WIDTH, HEIGHT]) {
    const [, , width, height] = box;
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box.join(" ")}" width="${width}" height="${height}" role="img"><title>${label}</title><defs>${this.defs.join("")}</defs>${this.out.join("")}</svg>`;
  }
}
