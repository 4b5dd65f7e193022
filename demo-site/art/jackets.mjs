// Outerwear.

import { darker, edge, lighter, mix } from "./color.mjs";
import { flip, sym } from "./kit.mjs";
import { front, hemBand, hood, measures, neckInside, patch, placket, shirtCollar, sleeves, zip } from "./garment.mjs";

const coat = (cut = {}) => measures({ neck: 58, shoulder: 134, pit: 132, waist: 128, hem: 134, sleeve: 528, cuff: 52, flare: 90, ...cut });

/** A standing collar, open at the front. */
function funnel(art, m, look, lining, height = 44) {
  art.piece(sym(`M0,${m.top - height} Q40,${m.top - height} ${m.neck - 2},${m.top - height + 8} L${m.neck + 4},${m.top + 8} L0,${m.top + m.drop}`), { fill: lining, form: "fall", folds: [] });
  const leaf = `M${m.neck - 2},${m.top - height + 8} C${m.neck + 6},${m.top - 20} ${m.neck + 8},${m.top} ${m.neck + 6},${m.top + 12} C${m.neck * 0.7},${m.top + m.drop * 0.7} ${m.neck * 0.4},${m.top + m.drop} 2,${m.top + m.drop + 8} L4,${m.top + 6} C${m.neck * 0.4},${m.top - 6} ${m.neck * 0.8},${m.top - 20} ${m.neck - 2},${m.top - height + 8} Z`;
  for (const turn of [flip, (d) => d]) art.piece(turn(leaf), { ...look, folds: [] });
}

/** A pocket let into the front at an angle, with its welt. */
function welts(art, y, look, slant = 18) {
  for (const turn of [flip, (d) => d]) {
    art.piece(turn(`M62,${y} L76,${y + 3} L${76 + slant},${y + 92} L${62 + slant},${y + 90} Z`), { ...look, form: "fall", folds: [] });
    art.seam(turn(`M62,${y} L${62 + slant},${y + 90}`), "#000", 2.4, 0.4);
  }
}

/** Two large pockets with flaps at the hips. */
function bellows(art, y, look, button) {
  patch(art, 26, y, 86, 92, look, { flap: button });
  patch(art, -112, y, 86, 92, look, { flap: button });
}

/** A long hooded down parka. */
export function parka(art, { colour, fur = "#d9c6a3", button = "#3a342d" }) {
  const m = coat({ length: 640, hem: 142, drop: 44 });
  const look = { fill: colour, tex: ["twill"] };
  sleeves(art, m, look, { cuff: { depth: 24, tex: ["twill"] } });
  front(art, m, look);
  art.seam(`M${-m.waist},420 Q0,432 ${m.waist},420`, edge(colour), 2, 0.6);
  art.stitch(`M${-m.waist},426 Q0,438 ${m.waist},426`, edge(colour), 1.2);
  bellows(art, 464, look, button);
  placket(art, m, look, { from: m.top + m.drop + 30, width: 44, buttons: 6, colour: button, r: 7 });
  hood(art, m, look, { trim: { fill: fur, tex: ["pile"], folds: [] } });
  for (const [x, y] of [[-24, 452], [26, 452]]) art.seam(`M${x * 0.3},420 C${x},428 ${x * 1.1},440 ${x},${y + 30}`, lighter(colour, 0.55), 3);
}

const BAFFLES = [176, 232, 288, 344, 400, 456, 512];

/** Quilted chambers across the body: a shadow under each seam and a light on each swelling. */
function baffles(art, m, rows, colour, reach = 160) {
  for (const y of rows) {
    art.add(`<g filter="${art.blur(4)}"><path d="M${-reach},${y + 6} Q0,${y + 16} ${reach},${y + 6}" fill="none" stroke="#000" stroke-opacity=".2" stroke-width="8"/><path d="M${-reach},${y + 28} Q0,${y + 38} ${reach},${y + 28}" fill="none" stroke="#fff" stroke-opacity=".11" stroke-width="22"/></g>`);
    art.seam(`M${-reach},${y} Q0,${y + 10} ${reach},${y}`, edge(colour), 1.6, 0.8);
    for (let x = -reach + 12; x < reach; x += 22) art.seam(`M${x},${y + 7} l${(x % 4) - 2},9`, "#000", 2.4, 0.16);
  }
}

/** Quilted chambers along a sleeve. */
function sleeveBaffles(art, m) {
  for (const turn of [flip, (d) => d]) {
    for (let i = 0; i < 6; i++) {
      const [x, y] = [m.pit + 2 + i * 9, 210 + i * 54];
      art.add(`<g filter="${art.blur(3.5)}"><path d="${turn(`M${x - 6},${y + 22} Q${x + 30},${y + 12} ${x + 74},${y - 4}`)}" fill="none" stroke="#000" stroke-opacity=".34" stroke-width="8"/></g>`);
      art.seam(turn(`M${x - 8},${y + 16} Q${x + 30},${y + 6} ${x + 74},${y - 10}`), "#1a1613", 1.5, 0.5);
    }
  }
}

/** A down jacket with a high collar; without sleeves it is a gilet. */
export function puffer(art, { colour, lining, sleeveless = false, zipper = "#2b2a28" }) {
  const m = coat({ length: 566, shoulder: sleeveless ? 118 : 136, pit: 138, waist: 136, hem: 132, drop: 34, sleeve: 516 });
  const look = { fill: colour };
  if (!sleeveless) {
    sleeves(art, m, { ...look, inside: () => sleeveBaffles(art, m) }, { cuff: { depth: 18, inside: undefined } });
  }
  front(art, m, { ...look, inside: () => baffles(art, m, BAFFLES, colour) });
  zip(art, { from: m.top + 4, to: m.length + 2, colour: zipper, pull: 178 });
  funnel(art, m, look, lining ?? darker(colour, 0.4), 56);
  for (const turn of [flip, (d) => d]) art.seam(turn("M74,440 L86,520"), "#000", 3, 0.45);
  if (sleeveless) for (const turn of [flip, (d) => d]) art.seam(turn(`M${m.shoulder},${m.top + m.slope} C${m.shoulder - 14},${m.top + 76} ${m.pit - 12},238 ${m.pit},272`), lighter(colour, 0.25), 5);
  art.add(`<rect x="-98" y="246" width="38" height="22" rx="2" fill="#f2ece0"/><path d="M-90,257h22" stroke="#5d564b" stroke-width="3"/>`);
}

/** A quilted gilet: diamonds instead of chambers. */
export function gilet(art, { colour, trim, button = "#b9a479" }) {
  const m = coat({ length: 572, shoulder: 116, pit: 132, waist: 130, hem: 132, drop: 66, neck: 54 });
  const diamonds = () => {
    for (let i = -14; i < 24; i++) {
      const y = i * 42;
      art.seam(`M-170,${y} L170,${y + 340}`, "#fff", 5, 0.14).seam(`M-170,${y + 4} L170,${y + 344}`, "#000", 3, 0.26);
      art.seam(`M170,${y} L-170,${y + 340}`, "#fff", 5, 0.14).seam(`M170,${y + 4} L-170,${y + 344}`, "#000", 3, 0.26);
    }
  };
  neckInside(art, m, { fill: trim });
  front(art, m, { fill: colour, inside: diamonds });
  placket(art, m, { fill: trim, tex: ["cord", 5] }, { from: m.top + m.drop - 2, width: 20, buttons: 5, colour: button, r: 7 });
  for (const turn of [flip, (d) => d]) {
    art.seam(turn(`M${m.shoulder},${m.top + m.slope} C${m.shoulder - 14},204 ${m.pit - 12},238 ${m.pit},272`), trim, 8);
    art.seam(turn(`M${m.neck},${m.top} C${m.neck},${m.top + m.drop * 0.5} ${m.neck * 0.6},${m.top + m.drop} 0,${m.top + m.drop}`), trim, 9);
    art.piece(turn("M34,426 L108,418 L110,436 L35,445 Z"), { fill: trim, tex: ["cord", 5], form: "fall", folds: [] });
  }
}

/** A smooth raincoat with a storm flap and hood. */
export function raincoat(art, { colour, popper = "#f0e6d2" }) {
  const m = coat({ length: 632, hem: 148, waist: 130, drop: 44 });
  const look = { fill: colour };
  sleeves(art, m, look, { cuff: { depth: 30 } });
  front(art, m, look, [[`M-60,300 C-72,420 -60,520 -74,630`, "light", 20], ["M96,330 C88,420 104,520 96,620", "light", 9]]);
  placket(art, m, look, { from: m.top + m.drop + 30, width: 40, buttons: 5, colour: popper, r: 7 });
  for (const turn of [flip, (d) => d]) {
    art.piece(turn("M34,458 L116,446 L119,470 L36,484 Z"), { ...look, form: "fall", folds: [[turn("M34,486 L120,474"), "dark", 8]] });
    art.seam(turn(`M${m.shoulder - 6},${m.top + m.slope + 36} C70,236 30,244 0,246`), edge(colour), 1.8, 0.6);
  }
  hood(art, m, look, { lining: darker(colour, 0.5) });
}

/** A zipped pile fleece with a contrasting chest pocket and binding. */
export function fleece(art, { colour, accent }) {
  const m = coat({ length: 560, drop: 30, hem: 126, sleeve: 514 });
  const look = { fill: colour, tex: ["pile"] };
  sleeves(art, m, look, { cuff: { depth: 12, fill: accent, tex: ["weave"] } });
  front(art, m, look);
  hemBand(art, m, { fill: accent, tex: ["weave"] }, 14);
  funnel(art, m, look, darker(colour, 0.35), 50);
  zip(art, { from: m.top + 4, to: m.length, colour: accent, pull: 176 });
  const pocket = { fill: accent, tex: ["ripstop"] };
  patch(art, 30, 228, 78, 84, pocket, { flap: lighter(accent, 0.6) });
  welts(art, 408, { fill: accent, tex: ["weave"] });
}

/** A workwear jacket: four patch pockets, shirt collar. */
export function chore(art, { colour, button = "#caa66a", tex = "twill" }) {
  const m = coat({ length: 588, drop: 40, neck: 54, hem: 130 });
  const look = { fill: colour, tex: [tex] };
  neckInside(art, m, look, 24);
  sleeves(art, m, look, { cuff: { depth: 40 } });
  front(art, m, look);
  placket(art, m, look, { width: 30, buttons: 5, colour: button, r: 7.4 });
  patch(art, 30, 252, 76, 84, look);
  patch(art, -112, 424, 90, 108, look);
  patch(art, 24, 424, 90, 108, look);
  patch(art, -104, 252, 74, 84, look);
  shirtCollar(art, m, look, { size: 1.15, spread: 6 });
}

/** A technical shell: clean panels, sealed zips, a hood. */
export function shell(art, { colour, accent }) {
  const m = coat({ length: 594, drop: 44, hem: 132 });
  const look = { fill: colour, tex: ["ripstop"] };
  const yoke = () => art.add(`<path d="M-220,100 H220 V236 C120,262 60,272 0,274 C-60,272 -120,262 -220,236 Z" fill="${accent}"/><path d="M-220,236 C-120,262 -60,272 0,274 C60,272 120,262 220,236" fill="none" stroke="${edge(accent)}" stroke-width="1.6" opacity=".7"/>`);
  sleeves(art, m, { ...look, inside: yoke }, { cuff: { depth: 26, inside: undefined } });
  front(art, m, { ...look, inside: yoke });
  welts(art, 396, { fill: darker(colour, 0.3) });
  zip(art, { from: m.top + m.drop + 30, to: m.length + 2, colour: mix(accent, "#111111", 0.55), pull: 226 });
  art.seam("M-88,286 L-44,300", darker(colour, 0.5), 5).seam("M-44,300 l9,9", accent, 5);
  hood(art, m, { ...look, fill: accent }, { lining: darker(colour, 0.45) });
  art.add(`<path d="M62,300 l12,-16 8,10 6,-7 13,13 z" fill="${lighter(accent, 0.75)}" opacity=".9"/>`);
}

/** A notched lapel, with the shirt-less opening between. */
function lapels(art, m, look) {
  const lapel = `M${m.neck - 6},${m.top - 12} C${m.neck + 8},${m.top + 4} ${m.neck + 8},${m.top + 34} ${m.neck + 14},${m.top + 62} L${m.neck + 44},${m.top + 78} L${m.neck + 26},${m.top + 112} L0,${m.top + 232} C4,${m.top + 160} 22,${m.top + 60} ${m.neck - 6},${m.top - 12} Z`;
  for (const turn of [flip, (d) => d]) {
    art.piece(turn(lapel), { ...look, folds: [[turn(`M${m.neck - 8},${m.top - 4} C26,${m.top + 70} 10,${m.top + 160} 4,${m.top + 226}`), "light", 10]] });
    art.seam(turn(`M${m.neck + 14},${m.top + 62} L${m.neck - 18},${m.top + 74}`), edge(look.fill), 2);
  }
}

/** A single-breasted wool overcoat. */
export function overcoat(art, { colour, lining = "#5a3f35", button = "#3a2a20" }) {
  const m = coat({ length: 668, hem: 146, waist: 126, drop: 210, neck: 48, sleeve: 540 });
  const look = { fill: colour, tex: ["herringbone"] };
  art.piece(sym(`M0,${m.top - 22} Q30,${m.top - 22} ${m.neck},${m.top} L34,${m.top + 120} L0,${m.top + 224}`), { fill: lining, form: "fall", folds: [] });
  art.add(`<rect x="-20" y="${m.top + 2}" width="40" height="22" rx="2" fill="#f2ece0"/><path d="M-11,${m.top + 13}h22" stroke="#6b6256" stroke-width="3"/>`);
  sleeves(art, m, look);
  front(art, m, look, [["M6,420 C14,500 8,600 14,668", "dark", 12]]);
  art.seam(`M0,${m.top + m.drop} C4,420 2,560 6,${m.length + 3}`, edge(colour), 2);
  for (const y of [372, 436, 500]) art.button(-16, y, button, 9);
  for (const turn of [flip, (d) => d]) art.piece(turn("M40,470 L114,462 L116,492 L42,500 Z"), { ...look, form: "fall", folds: [[turn("M42,504 L118,496"), "dark", 7]] });
  lapels(art, m, look);
  for (const turn of [flip, (d) => d]) for (const y of [488, 504, 520]) art.button(Number(turn(`168,${y}`).split(",")[0]), y, button, 4.4);
}

/** A denim jacket: yoke, pointed pockets, contrast stitching, waistband. */
export function trucker(art, { colour, thread = "#c98a3e", button = "#b98749" }) {
  const m = coat({ length: 536, drop: 40, neck: 54, hem: 118, waist: 124, sleeve: 512 });
  const look = { fill: colour, tex: ["denim"] };
  neckInside(art, m, look, 24);
  sleeves(art, m, look, { cuff: { depth: 34 } });
  front(art, m, look, [["M-70,300 C-60,360 -56,420 -50,500", "light", 14]]);
  hemBand(art, m, look, 38);
  for (const turn of [flip, (d) => d]) {
    art.seam(turn("M16,236 H128"), edge(colour), 1.6).stitch(turn("M16,242 H128"), thread);
    art.stitch(turn("M44,316 C40,380 34,440 30,496 M84,316 C84,380 76,440 70,496"), thread).stitch(turn("M50,316 C46,380 40,440 36,496 M90,316 C90,380 82,440 76,496"), thread);
    art.piece(turn("M36,238 H98 V262 L67,282 L36,262 Z"), { ...look, form: "fall", folds: [[turn("M36,270 L67,290 L100,270"), "dark", 6]] });
    art.stitch(turn("M40,260 L67,277 L94,260"), thread);
    art.stitch(turn("M38,284 V318 H96 V284"), thread);
  }
  placket(art, m, look, { width: 30, buttons: 6, colour: button, r: 7 });
  art.button(67, 262, button, 6).button(-67, 262, button, 6);
  shirtCollar(art, m, look, { size: 1.2, spread: 8 });
}
