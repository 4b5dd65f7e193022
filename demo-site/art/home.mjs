// Things for the house and the camp; all of them stand on a floor.

import { darker, edge, lighter, mix } from "./color.mjs";
import { flip, sym } from "./kit.mjs";

/** An ellipse as a path, so that it can be a piece. */
const oval = (x, y, rx, ry) => `M${x - rx},${y} C${x - rx},${y - ry * 1.33} ${x + rx},${y - ry * 1.33} ${x + rx},${y} C${x + rx},${y + ry * 1.33} ${x - rx},${y + ry * 1.33} ${x - rx},${y} Z`;

const STEAM = ["M-20,250 C-40,220 0,200 -20,160", "M22,240 C2,205 42,180 22,136"];
const steam = (art) => {
  for (const d of STEAM) art.add(`<path d="${d}" fill="none" stroke="#fff" stroke-opacity=".6" stroke-width="10" stroke-linecap="round" filter="${art.blur(7)}"/>`);
};

/** A stoneware mug, its glaze poured over bare clay. */
export function mug(art, { colour, clay = "#b98a62" }) {
  art.ground(16, 588, 170);
  art.seam("M126,372 C220,352 226,500 112,498", edge(colour), 38).seam("M126,372 C220,352 226,500 112,498", colour, 34).seam("M130,362 C206,346 218,430 190,466", "#fff", 5, 0.4);
  const glaze = () => art.add(`<path d="M-150,310 H150 V520 C120,506 96,534 60,520 C20,504 -10,536 -50,522 C-90,508 -110,534 -150,518 Z" fill="${colour}"/><path d="M-150,518 C-110,534 -90,508 -50,522 C-10,536 20,504 60,520 C96,534 120,506 150,520" fill="none" stroke="${darker(colour, 0.3)}" stroke-width="4" opacity=".55"/><rect x="-150" y="310" width="300" height="300" fill="${art.texture(["speckle", "#3a2c1e"])}"/>`);
  art.piece(sym("M0,330 L134,330 C132,420 132,500 116,566 Q110,588 76,590 L0,592"), { fill: clay, form: "round", inside: glaze });
  art.piece(oval(0, 330, 134, 24), { fill: lighter(colour, 0.2), form: null });
  art.piece(oval(0, 333, 120, 18), { fill: darker(colour, 0.35), form: "fall" });
  art.piece(oval(2, 338, 108, 12), { fill: "#4a2c1a", form: null, line: "none" });
  steam(art);
}

/** An enamel kettle with a wooden grip. */
export function kettle(art, { colour, wood = "#a9713f", rim = "#22252a" }) {
  art.ground(0, 600, 200);
  art.seam("M-120,360 C-150,140 150,140 120,360", "#2a2825", 11);
  art.seam("M-66,232 C-30,196 30,196 66,232", darker(wood, 0.3), 27).seam("M-66,230 C-30,194 30,194 66,230", wood, 23).seam("M-56,222 C-26,196 26,196 56,222", "#fff", 4, 0.35);
  art.piece("M132,430 C180,420 190,350 232,318 L258,340 C236,420 210,500 140,520 Z", { fill: colour, form: "cloth" });
  art.seam("M230,316 L260,341", rim, 7);
  art.piece(sym("M0,346 C96,346 150,400 168,480 C176,530 172,570 156,594 Q80,606 0,606"), { fill: colour, form: "gloss", inside: () => art.add(`<rect x="-200" y="330" width="400" height="300" fill="${art.texture(["speckle", "#ffffff"])}"/>`), folds: [["M-150,590 Q0,612 160,588", "dark", 18]] });
  art.piece(sym("M0,330 Q60,330 92,356 Q60,374 0,374"), { fill: colour, form: "gloss" });
  art.seam("M-92,357 Q0,388 92,357", rim, 4);
  art.piece(oval(0, 322, 17, 17), { fill: wood, form: "round" });
  art.seam("M-156,594 Q0,612 156,594", rim, 5);
}

/** Folded blankets: a thick one with bands and fringe. */
export function blanket(art, { colour, a, b }) {
  art.ground(0, 580, 232);
  const layers = [[520, 64], [456, 64], [392, 66]];
  for (const [y, h] of layers) {
    for (let x = 214; x < 238; x += 5) art.seam(`M206,${y + 8 + ((x * 7) % 40)} q20,4 36,-2`, lighter(colour, 0.1), 4);
    art.piece(`M-214,${y + h / 2} C-222,${y - 2} -200,${y - 4} -170,${y} L206,${y - 2} Q214,${y + h / 2} 206,${y + h - 2} L-176,${y + h} C-206,${y + h} -218,${y + h - 4} -214,${y + h / 2} Z`, { fill: colour, tex: ["herringbone"], form: "fall", folds: [[`M-200,${y + 12} H190`, "light", 12], [`M-206,${y + h - 4} H200`, "dark", 14]], inside: () => {
      for (const [x, w, c] of [[-120, 52, a], [-54, 12, b], [-30, 12, a], [96, 30, b], [136, 10, a]]) art.add(`<path d="M${x},${y - 8} h${w} v${h + 14} h${-w} z" fill="${c}"/>`);
      art.add(`<rect x="-220" y="${y - 8}" width="440" height="${h + 12}" fill="${art.texture(["herringbone"])}"/>`);
    } });
  }
  art.piece("M-214,392 C-206,360 -150,346 -80,342 L120,338 C170,338 200,356 206,392 Q0,404 -214,392 Z", { fill: colour, tex: ["herringbone"], form: "cloth", folds: [["M-160,366 C-60,352 60,350 150,362", "light", 14]], inside: () => {
    for (const [x, w, c] of [[-120, 52, a], [-54, 12, b], [-30, 12, a], [96, 30, b], [136, 10, a]]) art.add(`<path d="M${x},396 L${x + 14},330 h${w} L${x + w},398 z" fill="${c}"/>`);
  } });
  art.piece("M60,470 h86 v54 h-86 z", { fill: "#f0e9da", form: "fall", line: "#b8ab92" });
  art.add('<path d="M78,510 l16,-22 11,13 7,-9 16,18 z" fill="#5d564b"/>');
}

/** A linen cushion, dented at the top, piped along its edge. */
export function cushion(art, { colour, stripe, piping }) {
  art.ground(0, 590, 200);
  const d = "M-196,250 C-120,262 -40,286 0,282 C50,284 120,262 198,246 C186,330 186,480 204,582 C110,570 -100,570 -204,586 C-184,480 -184,340 -196,250 Z";
  art.piece(d, { fill: colour, tex: stripe ? [["bands", ...stripe], ["weave"]] : [["weave"]], folds: [["M-180,262 C-130,330 -120,400 -124,470", "light", 26], ["M184,262 C130,340 130,440 150,560", "dark", 34], ["M0,286 C-14,340 8,380 -6,430", "dark", 18], ["M-190,574 C-120,520 -60,500 0,506", "dark", 20], ["M60,300 C100,340 110,380 104,420", "light", 20]], soft: 14 });
  art.seam(d, darker(piping, 0.3), 9).seam(d, piping, 6);
}

/** A candle in a tumbler of tinted glass, alight. */
export function candle(art, { colour: glass, wax = "#f3e8d2", label = "#f4efe4" }) {
  art.ground(0, 596, 132);
  art.add(`<ellipse cx="0" cy="270" rx="150" ry="170" fill="#ffd98a" opacity=".34" filter="${art.blur(34)}"/>`);
  art.piece(sym("M0,320 L112,320 L108,576 Q104,598 70,600 L0,600"), { fill: glass, form: "gloss", inside: () => art.add(`<rect x="-104" y="372" width="208" height="212" fill="${wax}" opacity=".32"/><ellipse cx="0" cy="372" rx="104" ry="16" fill="#ffe6ad" opacity=".8"/>`) });
  art.piece(oval(0, 320, 112, 18), { fill: lighter(glass, 0.45), form: null });
  art.piece(oval(0, 321, 104, 14), { fill: mix(glass, "#ffdf9c", 0.5), form: "fall", line: "none" });
  art.seam("M0,372 V342", "#2c241c", 4);
  art.add(`<path d="M0,272 C18,300 20,318 12,334 C6,346 -6,346 -12,334 C-20,318 -10,300 0,272 Z" fill="#ffc65a"/><path d="M0,300 C9,316 10,326 5,336 C2,342 -2,342 -5,336 C-10,326 -6,314 0,300 Z" fill="#fff3cf"/>`);
  art.piece("M-62,440 h124 v96 h-124 z", { fill: label, form: "fall", line: "#c9bda4" });
  art.add('<path d="M-24,482 l18,-24 12,14 8,-9 18,19 z" fill="#5d564b"/><path d="M-36,498 h72 M-24,510 h48" stroke="#8f8573" stroke-width="4"/>');
}

/** A storm lantern. */
export function lantern(art, { colour }) {
  art.ground(0, 640, 132);
  art.seam("M-96,300 C-130,90 130,90 96,300", "#6f6a62", 5);
  for (const turn of [flip, (d) => d]) art.seam(turn("M70,560 C132,540 124,330 84,268"), edge(colour), 17).seam(turn("M70,560 C132,540 124,330 84,268"), colour, 14).seam(turn("M74,548 C124,530 118,340 82,276"), "#fff", 3, 0.4);
  art.add(`<ellipse cx="0" cy="420" rx="150" ry="170" fill="#ffd27a" opacity=".4" filter="${art.blur(36)}"/>`);
  art.piece(sym("M0,300 L46,300 C92,360 92,470 54,530 L0,532"), { fill: "#f6e7c2", form: "gloss", folds: [] });
  art.add('<path d="M0,384 C22,416 26,444 16,464 C8,478 -8,478 -16,464 C-26,444 -14,416 0,384 Z" fill="#ffb63d"/><path d="M0,420 C11,438 12,450 7,462 C3,470 -3,470 -7,462 C-12,450 -8,438 0,420 Z" fill="#fff6da"/><path d="M-84,420 Q0,438 84,420 M-78,370 Q0,386 78,370" fill="none" stroke="#5f5a50" stroke-opacity=".7" stroke-width="3"/>');
  art.piece(sym("M0,196 L38,196 L44,226 L84,262 L84,282 L52,304 L0,306"), { fill: colour, form: "gloss" });
  for (const x of [-44, -22, 0, 22, 44]) art.add(`<circle cx="${x}" cy="272" r="5" fill="#000" opacity=".5"/>`);
  art.piece(sym("M0,176 Q30,176 40,196 L0,200"), { fill: colour, form: "gloss" });
  art.piece(sym("M0,524 L62,524 L76,556 L108,566 C118,590 118,620 108,640 L0,642"), { fill: colour, form: "gloss" });
  art.add(`<circle cx="84" cy="594" r="13" fill="#c9a968" stroke="#7a6236" stroke-width="2"/><path d="M84,548 v-14 h30 v10" fill="none" stroke="#6f6a62" stroke-width="6"/>`);
}

/** A thrown vase with a few dry stems. */
export function vase(art, { colour, stem = "#8a7a52", bloom = "#d8b98a" }) {
  art.ground(0, 620, 136);
  const stems = [["M0,360 C-10,270 -60,200 -96,96", 14], ["M4,360 C10,260 20,180 16,60", 16], ["M8,360 C30,290 90,210 128,132", 12]];
  for (const [d] of stems) art.seam(d, stem, 4);
  for (const [x, y, turn] of [[-96, 96, -24], [16, 60, 0], [128, 132, 28]]) {
    art.group(`transform="translate(${x} ${y}) rotate(${turn})"`, () => {
      for (let i = 0; i < 7; i++) for (const s of [-1, 1]) art.add(`<path d="M0,${i * 18} q${s * 26},-8 ${s * 20},-34 q${-s * 20},8 ${-s * 20},34" fill="${mix(bloom, s > 0 ? "#5a3d22" : "#ffffff", 0.16)}"/>`);
    });
  }
  art.piece(sym("M0,352 L40,352 C36,392 44,410 84,446 C130,490 128,570 84,610 Q50,622 0,622"), { fill: colour, form: "round", inside: () => art.add(`<rect x="-150" y="340" width="300" height="300" fill="${art.texture(["speckle", "#3a2c1e"])}"/><path d="M-150,500 Q0,524 150,500 V640 H-150 Z" fill="#000" opacity=".08"/>`) });
  for (const y of [466, 486, 506]) art.seam(`M${-106 + (486 - y) * 0.2},${y} Q0,${y + 18} ${106 - (486 - y) * 0.2},${y}`, "#000", 2.4, 0.16);
  art.piece(oval(0, 352, 40, 9), { fill: darker(colour, 0.45), form: null });
}

/** An insulated bottle with a loop on its cap. */
export function bottle(art, { colour, capColour = "#2f2d2a" }) {
  art.ground(0, 650, 96);
  art.seam("M-28,150 C-30,100 30,100 28,150", darker(capColour, 0.1), 15).seam("M-26,148 C-26,108 26,108 26,148", lighter(capColour, 0.25), 4);
  art.piece("M-44,148 h88 v58 h-88 z", { fill: capColour, form: "gloss", tex: ["rib", 9] });
  art.piece("M-40,206 h80 v16 h-80 z", { fill: "#c9c4ba", form: "gloss" });
  art.piece(sym("M0,222 L42,222 C48,258 86,270 88,318 L88,620 Q84,650 56,652 L0,652"), { fill: colour, form: "gloss", tex: ["melange"] });
  art.seam("M-87,606 Q0,618 87,606", "#000", 3, 0.28);
  art.add('<path d="M-30,440 l23,-32 15,19 10,-13 24,26 z" fill="#f4efe4" opacity=".94"/><path d="M-34,456 q9,-6 18,0 t18,0 18,0 14,0" fill="none" stroke="#f4efe4" stroke-width="4" opacity=".94"/>');
}

/** Nesting bowls in a stack. */
export function bowls(art, { colours, wood = "#b98a5a" }) {
  art.ground(0, 604, 210);
  const bowl = (y, r, colour) => {
    art.piece(`M${-r},${y} C${-r + 8},${y + r * 0.52} ${-r * 0.5},${y + r * 0.72} ${-r * 0.34},${y + r * 0.74} L${r * 0.34},${y + r * 0.74} C${r * 0.5},${y + r * 0.72} ${r - 8},${y + r * 0.52} ${r},${y} Z`, { fill: colour, form: "round", inside: () => art.add(`<rect x="-240" y="${y}" width="480" height="200" fill="${art.texture(["speckle", "#3a2c1e"])}"/>`) });
    art.piece(oval(0, y, r, r * 0.13), { fill: lighter(colour, 0.24), form: null });
    art.piece(oval(0, y + 3, r - 9, r * 0.1), { fill: darker(colour, 0.3), form: "fall", line: "none" });
  };
  bowl(456, 196, colours[0]);
  bowl(386, 168, colours[1]);
  bowl(322, 140, colours[2]);
  art.seam("M-60,318 C20,250 120,210 196,188", darker(wood, 0.35), 15).seam("M-60,316 C20,248 120,208 196,186", wood, 11);
  art.piece("M190,168 C230,150 258,160 252,178 C246,198 214,206 194,202 C180,196 178,176 190,168 Z", { fill: wood, form: "cloth", tex: ["grain"] });
  art.add(`<path d="M-139,324 A140 14 0 0 0 139,324" fill="none" stroke="${lighter(colours[2], 0.3)}" stroke-width="5"/>`);
}
