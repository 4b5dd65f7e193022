// Trousers, jeans and shorts.

import { darker, edge, lighter } from "./color.mjs";
import { flip, sym } from "./kit.mjs";
import { patch } from "./garment.mjs";

const cut = (over = {}) => ({ waist: 92, top: 96, band: 30, hip: 120, crotch: 304, hemOut: 116, hemIn: 38, length: 664, ...over });

/** The outline of the right leg with its half of the seat. */
function leg(m) {
  const knee = m.crotch + (m.length - m.crotch) * 0.45;
  const mid = (a, b, part) => a + (b - a) * part;
  return `M-2,${m.top + m.band} L${m.waist + 2},${m.top + m.band - 2} C${m.waist + 10},${m.top + 84} ${m.hip},${m.top + 120} ${m.hip},${m.crotch - 24} C${m.hip + 2},${mid(m.crotch, knee, 0.7)} ${mid(m.hip, m.hemOut, 0.7)},${knee} ${m.hemOut},${m.length} Q${(m.hemOut + m.hemIn) / 2},${m.length + 8} ${m.hemIn},${m.length + 2} C${mid(8, m.hemIn, 0.8)},${knee} 10,${m.crotch + 60} 0,${m.crotch} Z`;
}

const folds = (m, soft) => {
  const knee = m.crotch + (m.length - m.crotch) * 0.45;
  const all = [
    [`M4,${m.crotch - 6} C34,${m.crotch - 10} 60,${m.crotch - 34} 78,${m.crotch - 62}`, "dark", 10],
    [`M6,${m.crotch + 10} C40,${m.crotch + 16} 70,${m.crotch} 96,${m.crotch - 26}`, "dark", 9],
    [`M10,${m.crotch + 26} C36,${m.crotch + 34} 56,${m.crotch + 28} 76,${m.crotch + 14}`, "light", 8],
    [`M${m.hemIn + 20},${m.length - 20} C${m.hemIn + 12},${knee + 60} 46,${knee} 52,${m.crotch + 60}`, "light", 15],
    [`M${m.hemOut - 14},${m.length} C${m.hemOut - 10},${knee + 40} ${m.hip - 16},${knee} ${m.hip - 12},${m.crotch + 30}`, "dark", 13],
  ];
  return soft ? all : [...all, [`M${m.hemIn},${knee + 4} C${m.hemIn + 24},${knee + 12} ${m.hemOut - 34},${knee - 2} ${m.hemOut - 12},${knee - 16}`, "dark", 7]];
};

/** Both legs; the one away from the light is a little darker. */
function legs(art, m, look, inside) {
  const shade = folds(m, look.soft);
  for (const [turn, dim] of [[flip, 0.02], [(d) => d, 0.09]]) {
    art.piece(turn(leg(m)), { ...look, inside: () => inside?.(turn), dim, folds: shade.map(([d, ...rest]) => [turn(d), ...rest]), soft: 6 });
  }
  art.seam(`M0,${m.top + m.band} C-2,${m.crotch - 80} -1,${m.crotch - 30} 0,${m.crotch}`, edge(look.fill), 1.8, 0.8);
}

/** Inside of the waist, the band, its loops. */
function waistband(art, m, look, { loops = true, elastic = false } = {}) {
  art.piece(sym(`M0,${m.top + 8} Q${m.waist * 0.6},${m.top + 6} ${m.waist - 2},${m.top - 5} L${m.waist},${m.top + 14} L0,${m.top + 24}`), { fill: darker(look.fill, 0.38), form: "fall", folds: [] });
  const d = sym(`M0,${m.top + 12} Q${m.waist * 0.6},${m.top + 10} ${m.waist},${m.top - 6} L${m.waist + 3},${m.top + m.band - 4} Q${m.waist * 0.6},${m.top + m.band + 9} 0,${m.top + m.band + 11}`);
  art.piece(d, { ...look, tex: elastic ? ["rib", 9] : look.tex, folds: [] });
  art.add(`<rect x="-14" y="${m.top + 1}" width="28" height="11" rx="1.5" fill="#f2ece0" opacity=".9"/>`);
  if (elastic || !loops) return;
  for (const x of [-66, -36, 36, 66]) art.piece(`M${x - 4},${m.top + (Math.abs(x) > 50 ? -1 : 6)} h9 v${m.band + 3} h-9 Z`, { ...look, form: "fall", folds: [] });
}

/** The fly: its J-shaped stitching and the button above. */
function fly(art, m, thread, button) {
  art.stitch(`M24,${m.top + m.band + 8} C26,${m.top + 100} 22,${m.top + 140} 2,${m.top + 152}`, thread, 1.5);
  art.button(4, m.top + m.band * 0.5 + 12, button, 7);
}

/** Slanted side pockets. */
function slants(art, m, look, thread) {
  for (const turn of [flip, (d) => d]) {
    art.seam(turn(`M58,${m.top + m.band + 5} L${m.waist + 17},${m.top + 136}`), "#000", 3, 0.32).seam(turn(`M57,${m.top + m.band + 5} L${m.waist + 16},${m.top + 136}`), edge(look.fill), 1.6);
    art.stitch(turn(`M51,${m.top + m.band + 6} L${m.waist + 11},${m.top + 142}`), thread, 1.3);
  }
}

/** Rounded front pockets as jeans have, with rivets. */
function scoops(art, m, look, thread) {
  for (const turn of [flip, (d) => d]) {
    const d = turn(`M42,${m.top + m.band + 8} C46,${m.top + 82} 76,${m.top + 96} ${m.waist + 13},${m.top + 92}`);
    art.seam(d, "#000", 3, 0.34).seam(d, edge(look.fill), 1.5);
    art.stitch(turn(`M36,${m.top + m.band + 9} C40,${m.top + 90} 74,${m.top + 104} ${m.waist + 14},${m.top + 100}`), thread, 1.5);
    art.add(`<circle cx="${turn(`${m.waist + 6},0`).split(",")[0]}" cy="${m.top + 86}" r="3" fill="#b98749"/>`);
  }
}

const hems = (art, m, thread) => {
  for (const turn of [flip, (d) => d]) art.stitch(turn(`M${m.hemOut},${m.length - 14} Q${(m.hemOut + m.hemIn) / 2},${m.length - 6} ${m.hemIn},${m.length - 12}`), thread, 1.4);
};

/** Chinos and cords; `pleats` and `crease` dress them up, `short` ends them above the knee. */
export function chino(art, { colour, tex = "twill", wide = false, short = false, pleats = false, crease = false, button = "#6b5a45" }) {
  const shape = short ? { length: 470, hemOut: 132, hemIn: 22, hip: 124 } : wide ? { hemOut: 142, hemIn: 34, hip: 126 } : {};
  const m = cut(shape);
  const look = { fill: colour, tex: [tex].flat(), soft: crease };
  legs(art, m, look);
  waistband(art, m, look);
  slants(art, m, look, edge(colour));
  fly(art, m, edge(colour), button);
  if (!crease) hems(art, m, edge(colour));
  for (const turn of pleats || crease ? [flip, (d) => d] : []) {
    art.seam(turn(`M48,${m.top + m.band + 6} C52,${m.top + 110} 58,${m.top + 150} 60,${m.crotch}`), "#000", 4, 0.2);
    if (crease) art.seam(turn(`M60,${m.crotch} C68,${m.crotch + 120} 80,${m.length - 120} ${(m.hemOut + m.hemIn) / 2},${m.length}`), "#fff", 2.4, 0.28);
  }
}

/** Five-pocket jeans, faded on the thigh, hem turned up to show the selvedge. */
export function jeans(art, { colour, thread = "#c98a3e", fade = 0.22 }) {
  const m = cut({ hemOut: 108, hemIn: 36 });
  const look = { fill: colour, tex: ["denim"] };
  const worn = (turn) => art.add(`<path d="${turn(`M58,230 C76,320 78,420 74,560`)}" fill="none" stroke="#fff" stroke-opacity="${fade}" stroke-width="46" stroke-linecap="round" filter="${art.blur(16)}"/>`);
  legs(art, m, look, worn);
  waistband(art, m, look);
  scoops(art, m, look, thread);
  fly(art, m, thread, "#b98749");
  for (const turn of [flip, (d) => d]) {
    const top = m.length - 34;
    art.piece(turn(`M${m.hemOut - 1},${top} L${m.hemOut + 3},${m.length + 4} Q72,${m.length + 12} ${m.hemIn - 2},${m.length + 6} L${m.hemIn - 4},${top + 2} Q72,${top + 8} ${m.hemOut - 1},${top} Z`), { fill: lighter(colour, 0.5), tex: ["denim"], folds: [] });
    art.seam(turn(`M${m.hemOut - 12},${top + 2} L${m.hemOut - 9},${m.length + 6}`), "#b23a32", 2.4);
  }
}

/** Loose trousers with bellows pockets on the thigh. */
export function cargo(art, { colour, button = "#4a4436" }) {
  const m = cut({ hemOut: 128, hemIn: 34, hip: 126 });
  const look = { fill: colour, tex: ["ripstop"] };
  legs(art, m, look);
  waistband(art, m, look);
  slants(art, m, look, edge(colour));
  fly(art, m, edge(colour), button);
  patch(art, 62, 372, 70, 92, look, { flap: button });
  patch(art, -132, 372, 70, 92, look, { flap: button });
  hems(art, m, edge(colour));
}

/** Hiking trousers: reinforced knees and a zipped thigh pocket. */
export function hiking(art, { colour, accent }) {
  const m = cut({ hemOut: 104, hemIn: 40, hip: 118 });
  const look = { fill: colour, tex: ["ripstop"] };
  const panels = (turn) => art.add(`<path d="${turn("M24,404 L130,382 L126,512 L36,524 Z")}" fill="#000" opacity=".22"/><path d="${turn("M26,404 L130,382 M36,524 L126,512")}" stroke="#000" stroke-opacity=".35" stroke-width="1.6"/><path d="${turn("M4,600 H140 V700 H4 Z")}" fill="#000" opacity=".2"/>`);
  legs(art, m, look, panels);
  waistband(art, m, look, { loops: false });
  slants(art, m, look, edge(colour));
  fly(art, m, edge(colour), darker(colour, 0.6));
  art.seam("M84,322 L104,384", darker(colour, 0.6), 6).seam("M84,322 L104,384", accent, 2.6).seam("M84,322 l-8,12", accent, 4);
  art.seam(`M-82,${m.top + 26} h30`, accent, 7);
}

/** Joggers: elastic waist with cord, ribbed cuffs. */
export function jogger(art, { colour, cord = "#efe8da", tex = "melange" }) {
  const m = cut({ hemOut: 92, hemIn: 46, length: 640, hip: 122 });
  const look = { fill: colour, tex: [tex] };
  legs(art, m, look);
  waistband(art, m, look, { elastic: true });
  slants(art, m, look, edge(colour));
  for (const turn of [flip, (d) => d]) art.piece(turn("M96,614 L94,664 Q68,670 46,665 L42,616 Q68,622 96,614 Z"), { fill: colour, tex: ["rib", 6], folds: [] });
  for (const x of [-1, 1]) {
    art.seam(`M${x * 8},118 C${x * 14},160 ${x * 8},180 ${x * 16},214`, "#000", 6, 0.16).seam(`M${x * 8},118 C${x * 13},160 ${x * 7},180 ${x * 15},214`, cord, 4.4).seam(`M${x * 15},214 v11`, darker(cord, 0.5), 5);
  }
}

/** Carpenter trousers: doubled knees, a loop for the hammer, contrast stitching. */
export function carpenter(art, { colour, thread = "#8a6b45" }) {
  const m = cut({ hemOut: 130, hemIn: 32, hip: 126 });
  const look = { fill: colour, tex: ["twill"] };
  legs(art, m, look);
  waistband(art, m, look);
  scoops(art, m, look, thread);
  fly(art, m, thread, "#b98749");
  for (const turn of [flip, (d) => d]) {
    const d = turn("M26,330 L112,318 C118,400 118,470 120,540 L38,548 C34,470 30,400 26,330 Z");
    art.piece(d, { ...look, form: null, folds: [[turn("M30,556 L124,546"), "dark", 6]] });
    art.stitch(turn("M31,336 L108,325 C113,400 113,470 115,534 L43,541 C39,470 35,400 31,336 Z"), thread, 1.4);
    for (const [x, y] of [[30, 336], [108, 324], [41, 541], [115, 534]]) art.add(`<circle cx="${turn(`${x},0`).split(",")[0]}" cy="${y}" r="2.8" fill="#b98749"/>`);
  }
  art.seam("M134,330 C146,360 142,392 126,408", darker(colour, 0.18), 9).stitch("M134,330 C146,360 142,392 126,408", thread, 1.2);
  hems(art, m, thread);
}
