// Shirts and knitwear.

import { darker, edge, lightness } from "./color.mjs";
import { sym } from "./kit.mjs";
import { drawcords, front, hemBand, hood, measures, neckBand, neckInside, patch, placket, shirtCollar, sleeves } from "./garment.mjs";

const ribbed = (look, pitch = 8) => ({ ...look, tex: ["rib", pitch] });

/** A short-sleeved T-shirt; `stripe` is the colour of its stripes, if it has any. */
export function tee(art, { colour, stripe }) {
  const m = measures({ length: 560 });
  const look = { fill: colour, tex: stripe ? [["stripe", stripe], ["weave"]] : ["weave"] };
  neckInside(art, m, look);
  sleeves(art, m, look, { short: true });
  front(art, m, look);
  neckBand(art, m, { fill: colour, tex: ["rib", 5] }, 13);
  art.stitch(sym(`M0,${m.length - 10} Q${m.hem * 0.5},${m.length - 10} ${m.hem - 3},${m.length - 22}`).replace(" Z", ""), edge(colour), 1.2);
}

/** A long-sleeved striped top with a boat neck. */
export function breton(art, { colour, stripe }) {
  const m = measures({ neck: 68, drop: 30, length: 552, sleeve: 505 });
  const look = { fill: colour, tex: [["stripe", stripe, 27, 10], ["weave"]] };
  neckInside(art, m, { fill: colour }, 12);
  sleeves(art, m, look, { cuff: { tex: ["weave"], depth: 14 } });
  front(art, m, { ...look, inside: () => art.add(`<rect x="-200" y="90" width="400" height="122" fill="${colour}"/>`) });
  neckBand(art, m, { fill: colour, tex: ["weave"] }, 12);
}

/** A buttoned shirt, plain or checked. */
export function shirt(art, { colour, check, buttons = "#f4eee2", pockets = 1, overshirt = false }) {
  const m = measures({ length: overshirt ? 566 : 584, drop: 34, neck: 52, pit: 124, waist: 119, hem: overshirt ? 128 : 126, sleeve: 520 });
  const tex = check ? [["check", ...check], ["twill"]] : [[overshirt ? "twill" : "weave"]];
  const look = { fill: colour, tex };
  neckInside(art, m, { fill: colour }, 24);
  sleeves(art, m, look, { cuff: { depth: 36 } });
  front(art, m, look, [["M14,220 C20,330 14,460 20,560", "dark", 9]]);
  placket(art, m, look, { buttons: 6, colour: buttons });
  patch(art, 28, 246, 66, 76, look, { point: true });
  if (pockets > 1) patch(art, -94, 246, 66, 76, look, { point: true });
  shirtCollar(art, m, look);
  art.button(0, m.top + m.drop + 12, buttons, 5.6);
}

/** Cables, honeycomb and moss stitch down the front of an Aran jumper. */
function cables(art, m, colour) {
  const dark = darker(colour, 0.45);
  for (const x of [-74, -26, 26, 74]) {
    for (let y = m.top + 50; y < m.length - 40; y += 44) {
      const s = Math.abs(x) > 50 ? 1 : -1;
      art.seam(`M${x - 12 * s},${y} C${x - 12 * s},${y + 22} ${x + 12 * s},${y + 22} ${x + 12 * s},${y + 44}`, "#000", 13, 0.1);
      art.seam(`M${x + 12 * s},${y} C${x + 12 * s},${y + 22} ${x - 12 * s},${y + 22} ${x - 12 * s},${y + 44}`, dark, 12, 0.34);
      art.seam(`M${x + 12 * s},${y} C${x + 12 * s},${y + 22} ${x - 12 * s},${y + 22} ${x - 12 * s},${y + 44}`, colour, 9);
      art.seam(`M${x + 10 * s},${y} C${x + 10 * s},${y + 20} ${x - 13 * s},${y + 22} ${x - 13 * s},${y + 42}`, "#fff", 2.6, 0.35);
      art.seam(`M${x - 12 * s},${y} C${x - 12 * s},${y + 14} ${x - 6 * s},${y + 17} ${x - 4 * s},${y + 18} M${x + 5 * s},${y + 27} C${x + 10 * s},${y + 32} ${x + 12 * s},${y + 36} ${x + 12 * s},${y + 44}`, colour, 9);
    }
    art.seam(`M${x - 23},${m.top + 20} V${m.length} M${x + 23},${m.top + 20} V${m.length}`, dark, 2.4, 0.4);
  }
}

/** A jumper: `neck` "crew" or "roll"; `cable` or `yoke` (Fair Isle colours) for the figured ones. */
export function jumper(art, { colour, neck = "crew", cable = false, yoke, fine = false }) {
  const m = measures({ length: 562, sleeve: 508, pit: 126, waist: 122, hem: 116, cuff: 44, drop: neck === "roll" ? 22 : 38, neck: neck === "roll" ? 50 : 56 });
  const look = { fill: colour, tex: fine ? ["rib", 5] : ["knit", cable ? 0.9 : 0.8] };
  neckInside(art, m, { fill: colour });
  sleeves(art, m, yoke ? { ...look, inside: () => band(art, yoke, m) } : look, { cuff: { tex: ["rib", 7], depth: 44, inside: undefined } });
  front(art, m, { ...look, inside: () => (yoke ? band(art, yoke, m) : cable && cables(art, m, colour)) });
  hemBand(art, m, ribbed({ fill: colour }), 44);
  if (neck === "roll") rollNeck(art, m, colour);
  else neckBand(art, m, ribbed({ fill: colour }, 6), 20);
}

/** The figured yoke of a Fair Isle jumper. */
function band(art, colours, m) {
  art.group(`transform="translate(0 ${m.top + 30})"`, () =>
    art.add(`<rect x="-300" y="0" width="600" height="192" fill="${art.texture(["fairisle", ...colours])}"/>`));
}

function rollNeck(art, m, colour) {
  const look = ribbed({ fill: colour }, 7);
  art.piece(sym(`M0,${m.top - 62} Q40,${m.top - 62} 53,${m.top - 54} C60,${m.top - 20} 62,${m.top} 64,${m.top + 14} Q34,${m.top + 42} 0,${m.top + 42}`), { ...look, form: "round", folds: [] });
  art.piece(sym(`M0,${m.top - 52} Q34,${m.top - 52} 46,${m.top - 57} Q36,${m.top - 66} 0,${m.top - 66}`), { fill: darker(colour, 0.5), form: null });
  art.seam(`M-58,${m.top - 8} Q0,${m.top + 22} 58,${m.top - 8}`, "#000", 3, 0.22);
}

/** A hooded sweatshirt with a pouch pocket. */
export function hoodie(art, { colour, cord = "#efe8da", tex = "weave" }) {
  const m = measures({ length: 556, sleeve: 512, pit: 128, waist: 124, hem: 116, cuff: 46, drop: 40, neck: 54 });
  const look = { fill: colour, tex: [tex] };
  sleeves(art, m, look, { cuff: { tex: ["rib", 7], depth: 40 } });
  front(art, m, look);
  hemBand(art, m, ribbed({ fill: colour }, 7), 42);
  art.piece(sym("M0,398 L62,398 L96,470 L96,512 Q48,520 0,520"), { ...look, folds: [["M-60,402 L-94,470", "dark", 7], ["M62,402 L98,474", "dark", 8]] });
  art.stitch("M-59,404 L-91,472 M59,404 L91,472", edge(colour), 1.3);
  hood(art, m, look);
  drawcords(art, m, cord);
}

/** A collarless henley with a short buttoned opening. */
export function henley(art, { colour, buttons = "#efe6d6" }) {
  const m = measures({ length: 566, sleeve: 510, drop: 40 });
  const look = { fill: colour, tex: ["rib", 6] };
  neckInside(art, m, look);
  sleeves(art, m, look, { cuff: { tex: ["rib", 4], depth: 38 } });
  front(art, m, look);
  placket(art, m, { fill: colour, tex: ["weave"] }, { to: m.top + m.drop + 122, width: 30, buttons: 4, colour: lightness(colour) > 0.8 ? "#c9b28d" : buttons, r: 5.4 });
  art.seam(`M-15,${m.top + m.drop + 122} h30 M-15,${m.top + m.drop + 114} h30`, edge(colour), 1.4);
  neckBand(art, m, { fill: colour, tex: ["rib", 4] }, 14);
}
