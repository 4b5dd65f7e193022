// The bodies that tops and jackets share: torso, sleeves, inside of the neck, hood, openings, pockets.

import { darker, edge, lighter } from "./color.mjs";
import { flip, sym } from "./kit.mjs";

/** Measurements of a garment for the upper body; `cut` overrides any of them. */
export function measures(cut = {}) {
  return { neck: 56, top: 128, drop: 46, shoulder: 128, slope: 30, pit: 120, pitY: 272, waist: 114, hem: 122, length: 580, sleeve: 528, cuff: 46, flare: 88, ...cut };
}

/** The outline of the front, neck to hem. */
export function torso(m) {
  const shoulderY = m.top + m.slope;
  return sym(`M0,${m.top + m.drop} C${m.neck * 0.6},${m.top + m.drop} ${m.neck},${m.top + m.drop * 0.5} ${m.neck},${m.top} L${m.shoulder},${shoulderY} C${m.shoulder - 14},${shoulderY + 46} ${m.pit - 12},${m.pitY - 34} ${m.pit},${m.pitY} C${m.waist},${m.pitY + 90} ${m.waist},${m.length - 130} ${m.hem},${m.length - 8} Q${m.hem * 0.5},${m.length + 4} 0,${m.length + 4}`);
}

/** The outline of the right sleeve; short ones end above the elbow. */
export function sleeve(m, short = false) {
  const y = m.top + m.slope - 3;
  const seam = `L${m.pit + 2},${m.pitY} C${m.pit - 12},${m.pitY - 34} ${m.shoulder - 14},${y + 48} ${m.shoulder - 4},${y} Z`;
  if (short) return `M${m.shoulder - 4},${y} C${m.shoulder + 28},${y + 14} ${m.shoulder + 58},${y + 66} ${m.shoulder + 84},${y + 136} Q${m.shoulder + 58},${y + 154} ${m.pit + 22},${y + 160} C${m.pit + 10},${y + 140} ${m.pit + 4},${m.pitY + 6} ${m.pit + 2},${m.pitY} ${seam}`;
  const out = m.shoulder + m.flare;
  return `M${m.shoulder - 4},${y} C${m.shoulder + 28},${y + 12} ${out - 42},${y + 70} ${out - 28},${y + 146} C${out - 16},${y + 220} ${out - 6},${m.sleeve - 110} ${out},${m.sleeve} Q${out - m.cuff / 2},${m.sleeve + 8} ${out - m.cuff},${m.sleeve + 3} C${out - m.cuff - 14},${m.sleeve - 100} ${m.pit + 22},${m.pitY + 70} ${m.pit + 2},${m.pitY} ${seam}`;
}

const sleeveFolds = (m) => [
  [`M${m.pit + 6},${m.pitY + 6} C${m.pit + 30},${m.pitY + 6} ${m.pit + 52},${m.pitY - 22} ${m.pit + 68},${m.pitY - 46}`, "dark", 9],
  [`M${m.pit + 24},${m.pitY + 60} C${m.pit + 44},${m.pitY + 76} ${m.pit + 62},${m.pitY + 62} ${m.pit + 74},${m.pitY + 48}`, "dark", 8],
  [`M${m.pit + 30},${m.pitY + 36} C${m.pit + 46},${m.pitY + 48} ${m.pit + 58},${m.pitY + 36} ${m.pit + 70},${m.pitY + 24}`, "light", 6],
  [`M${m.pit + 38},${m.pitY + 130} C${m.pit + 56},${m.pitY + 144} ${m.pit + 66},${m.pitY + 136} ${m.pit + 80},${m.pitY + 122}`, "dark", 7],
];

/** Both sleeves, the one away from the light a little darker, with a band at the cuff where there is one. */
export function sleeves(art, m, look, { short = false, cuff } = {}) {
  for (const side of ["left", "right"]) {
    const turn = side === "left" ? flip : (d) => d;
    const folds = (short ? [] : sleeveFolds(m)).map(([d, ...rest]) => [turn(d), ...rest]);
    art.piece(turn(sleeve(m, short)), { ...look, folds, dim: side === "right" ? 0.1 : 0.02 });
    if (!short && cuff) drawCuff(art, m, turn, { ...look, ...cuff }, side);
    if (short) art.stitch(turn(hemOfShortSleeve(m)), edge(look.fill));
  }
}

const hemOfShortSleeve = (m) => {
  const y = m.top + m.slope - 3;
  return `M${m.shoulder + 80},${y + 122} Q${m.shoulder + 56},${y + 143} ${m.pit + 18},${y + 150}`;
};

function drawCuff(art, m, turn, look, side) {
  const out = m.shoulder + m.flare;
  const top = m.sleeve - (look.depth ?? 34);
  const d = `M${out - 3},${top} L${out + 1},${m.sleeve + 2} Q${out - m.cuff / 2},${m.sleeve + 11} ${out - m.cuff - 1},${m.sleeve + 5} L${out - m.cuff - 6},${top + 5} Q${out - m.cuff / 2 - 4},${top + 11} ${out - 3},${top} Z`;
  art.piece(turn(d), { ...look, folds: [], dim: side === "right" ? 0.1 : 0.03 });
}

/** The front, with folds that fall from the arms and gather a little at the hem. */
export function front(art, m, look, extra = []) {
  const [p, y, l] = [m.pit, m.pitY, m.length];
  art.piece(torso(m), {
    ...look,
    folds: [
      [`M${p - 6},${y - 6} C${p - 34},${y + 20} ${p - 50},${y + 70} ${p - 52},${y + 130}`, "dark", 13],
      [`M${-p + 6},${y - 6} C${-p + 30},${y + 24} ${-p + 40},${y + 60} ${-p + 38},${y + 112}`, "dark", 11],
      [`M${-p + 46},${y + 40} C${-p + 60},${y + 120} ${-p + 52},${l - 140} ${-p + 58},${l - 30}`, "light", 16],
      [`M${p - 30},${l - 10} C${p - 40},${l - 90} ${p - 22},${l - 130} ${p - 16},${l - 190}`, "dark", 14],
      [`M${-p + 26},${l - 6} C${-p + 36},${l - 70} ${-p + 22},${l - 110} ${-p + 20},${l - 150}`, "dark", 12],
      ...extra,
    ],
    soft: 8,
  });
}

/** What shows of the back's inside through the neck, with a woven label. */
export function neckInside(art, m, look, rise = 16) {
  const d = sym(`M0,${m.top - rise} C${m.neck * 0.6},${m.top - rise} ${m.neck * 0.9},${m.top - rise * 0.4} ${m.neck + 3},${m.top - 1} L${m.neck},${m.top + m.drop} L0,${m.top + m.drop + 8}`);
  art.piece(d, { ...look, fill: darker(look.fill, 0.32), form: "fall", folds: [] });
  art.add(`<rect x="-15" y="${m.top - rise + 9}" width="30" height="17" rx="1.5" fill="#f2ece0" opacity=".92"/><path d="M-8,${m.top - rise + 17.5}h16" stroke="#6b6256" stroke-width="2.4"/>`);
}

/** A band around the neckline (crew necks, ribbed collars). */
export function neckBand(art, m, look, depth = 15) {
  const outer = `M${-m.neck - 5},${m.top - 1} C${-m.neck - 2},${m.top + m.drop * 0.62} ${-m.neck * 0.64},${m.top + m.drop + depth * 0.72} 0,${m.top + m.drop + depth * 0.8} C${m.neck * 0.64},${m.top + m.drop + depth * 0.72} ${m.neck + 2},${m.top + m.drop * 0.62} ${m.neck + 5},${m.top - 1}`;
  const inner = `L${m.neck - depth * 0.7},${m.top - 4} C${m.neck - depth * 0.8},${m.top + m.drop * 0.4} ${m.neck * 0.5},${m.top + m.drop - depth * 0.35} 0,${m.top + m.drop - depth * 0.3} C${-m.neck * 0.5},${m.top + m.drop - depth * 0.35} ${-m.neck + depth * 0.8},${m.top + m.drop * 0.4} ${-m.neck + depth * 0.7},${m.top - 4} Z`;
  art.piece(`${outer} ${inner}`, { ...look, folds: [] });
}

/** A band along the hem (sweatshirts, knitwear, blousons). */
export function hemBand(art, m, look, depth = 34) {
  const y = m.length - depth;
  art.piece(sym(`M0,${y + 12} Q${m.hem * 0.5},${y + 12} ${m.hem - 2},${y} L${m.hem - 1},${m.length - 7} Q${m.hem * 0.5},${m.length + 5} 0,${m.length + 5}`), { ...look, folds: [] });
}

/** A shirt's collar: stand, then the two leaves. */
export function shirtCollar(art, m, look, { size = 1, spread = 0 } = {}) {
  const leaf = `M${m.neck - 2},${m.top - 15} C${m.neck + 10},${m.top - 4} ${m.neck + 12},${m.top + 10} ${m.neck + 6},${m.top + 26 * size} L${40 + spread},${m.top + m.drop + 46 * size} L1,${m.top + m.drop + 4} C${m.neck * 0.5},${m.top + m.drop - 14} ${m.neck * 0.84},${m.top + 14} ${m.neck - 2},${m.top - 15} Z`;
  for (const turn of [flip, (d) => d]) {
    art.piece(turn(leaf), { ...look, form: "fall", folds: [] });
    art.stitch(turn(`M${m.neck + 4},${m.top + 24 * size} L${38 + spread},${m.top + m.drop + 39 * size} L9,${m.top + m.drop + 5}`), edge(look.fill), 1.2);
  }
}

/** A buttoned front: the band down the middle and its buttons. */
export function placket(art, m, look, { from = m.top + m.drop, to = m.length + 3, width = 24, buttons = 6, colour = "#efe7d8", r = 6 } = {}) {
  art.piece(`M${-width / 2},${from} L${width / 2},${from} L${width / 2},${to} L${-width / 2},${to} Z`, { ...look, form: "fall", folds: [[`M${width / 2 + 4},${from} V${to}`, "dark", 7]], line: "none" });
  for (const x of [-1, 1]) art.seam(`M${(x * width) / 2},${from} V${to}`, edge(look.fill), 1.2, 0.7);
  for (const x of [-1, 1]) art.stitch(`M${x * (width / 2 - 4)},${from} V${to}`, edge(look.fill), 1);
  for (let i = 0; i < buttons; i++) art.button(0, from + 16 + ((to - from - 46) * i) / Math.max(1, buttons - 1), colour, r);
}

/** A zip down the middle. */
export function zip(art, { from, to, colour = "#2b2a28", tape = "#000", pull = from + 14 }) {
  art.seam(`M0,${from} V${to}`, tape, 9, 0.22);
  art.seam(`M0,${from} V${to}`, colour, 4.4);
  art.add(`<path d="M0,${from} V${to}" stroke="#fff" stroke-opacity=".45" stroke-width="3" stroke-dasharray="1.6 2.6"/>`);
  art.add(`<path d="M-4,${pull} h8 l-1.6,24 h-4.8 z" fill="${lighter(colour, 0.5)}" stroke="#1c1a18" stroke-width="1"/>`);
}

/** A patch pocket with its top-stitching. */
export function patch(art, x, y, w, h, look, { flap = false, point = false } = {}) {
  const bottom = point ? `L${x + w},${y + h - 12} L${x + w / 2},${y + h} L${x},${y + h - 12}` : `L${x + w},${y + h - 6} Q${x + w},${y + h} ${x + w - 6},${y + h} L${x + 6},${y + h} Q${x},${y + h} ${x},${y + h - 6}`;
  art.piece(`M${x},${y} L${x + w},${y} ${bottom} Z`, { ...look, form: "fall", folds: [[`M${x + 2},${y + h + 2} H${x + w + 4}`, "dark", 6]] });
  art.stitch(`M${x + 4},${y + 4} L${x + 4},${y + h - (point ? 14 : 5)} ${point ? `L${x + w / 2},${y + h - 5}` : ""} L${x + w - 4},${y + h - (point ? 14 : 5)} L${x + w - 4},${y + 4}`, edge(look.fill), 1.1);
  if (!flap) return art.stitch(`M${x + 3},${y + 11} H${x + w - 3}`, edge(look.fill), 1.1);
  const f = `M${x - 3},${y - 4} H${x + w + 3} V${y + h * 0.22} L${x + w / 2},${y + h * 0.34} L${x - 3},${y + h * 0.22} Z`;
  art.piece(f, { ...look, form: "fall", folds: [] });
  art.stitch(`M${x + 1},${y + h * 0.2} L${x + w / 2},${y + h * 0.3} L${x + w - 1},${y + h * 0.2}`, edge(look.fill), 1.1);
  return art.button(x + w / 2, y + h * 0.2, flap === true ? "#d8cdb8" : flap, 5.4);
}

/** A hood, standing up behind an open neck. */
export function hood(art, m, look, { lining = darker(look.fill, 0.42), trim } = {}) {
  const outer = sym(`M0,52 C64,50 104,96 98,${m.top + 30} C94,${m.top + 62} 70,${m.top + m.drop + 24} 46,${m.top + m.drop + 44} L0,${m.top + m.drop + 40}`);
  art.piece(outer, { ...look, folds: [["M-60,84 C-84,120 -80,160 -62,190", "light", 12], ["M66,92 C90,130 84,176 60,200", "dark", 14]] });
  const opening = sym(`M0,88 C42,86 66,118 62,${m.top + 26} C58,${m.top + 58} 34,${m.top + m.drop + 26} 0,${m.top + m.drop + 52}`);
  if (trim) art.piece(sym(`M0,74 C52,72 80,112 75,${m.top + 28} C70,${m.top + 64} 42,${m.top + m.drop + 36} 0,${m.top + m.drop + 62}`), trim);
  art.piece(opening, { fill: lining, form: "fall", folds: [["M-36,112 C-50,140 -44,176 -26,200", "dark", 16], ["M30,112 C48,140 44,170 30,196", "light", 6]] });
  art.seam(sym(`M0,82 C47,80 72,115 68,${m.top + 27} C64,${m.top + 61} 38,${m.top + m.drop + 31} 0,${m.top + m.drop + 57}`), edge(look.fill), 1.1, trim ? 0 : 0.6);
}

/** Two cords with their ends. */
export function drawcords(art, m, colour, length = 92) {
  for (const x of [-1, 1]) {
    const y = m.top + m.drop + 26;
    art.seam(`M${x * 26},${y} C${x * 30},${y + length * 0.4} ${x * 23},${y + length * 0.7} ${x * 27},${y + length}`, "#000", 6, 0.16);
    art.seam(`M${x * 25},${y} C${x * 29},${y + length * 0.4} ${x * 22},${y + length * 0.7} ${x * 26},${y + length}`, colour, 4.6);
    art.seam(`M${x * 26},${y + length} v13`, darker(colour, 0.5), 5.4);
  }
}
