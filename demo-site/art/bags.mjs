// Bags, and the small things of wool and cotton.

import { darker, edge, lighter } from "./color.mjs";
import { flip, sym } from "./kit.mjs";

/** A strap with light along its upper edge. */
function strap(art, d, colour, width = 20) {
  art.seam(d, darker(colour, 0.45), width + 2).seam(d, colour, width).seam(d, "#fff", width * 0.25, 0.18).stitch(d, lighter(colour, 0.4), 1.2);
}

/** A buckle of two bars. */
const buckle = (art, x, y, colour = "#c9b27d") =>
  art.add(`<rect x="${x - 15}" y="${y - 10}" width="30" height="22" rx="4" fill="none" stroke="${darker(colour, 0.25)}" stroke-width="5"/><rect x="${x - 15}" y="${y - 11}" width="30" height="22" rx="4" fill="none" stroke="${colour}" stroke-width="3.6"/>`);

/** A backpack whose top rolls down and buckles. */
export function rolltop(art, { colour, leather = "#8a5a34" }) {
  art.ground(0, 650, 180);
  art.seam("M-36,150 C-30,96 30,96 36,150", darker(colour, 0.3), 12);
  const body = sym("M0,180 L128,180 C150,300 158,460 152,622 Q146,648 112,650 L0,652");
  for (const turn of [flip, (d) => d]) art.piece(turn("M140,420 C184,430 190,470 188,600 Q180,626 150,624 Z"), { fill: darker(colour, 0.1), tex: ["weave"], dim: turn === flip ? 0 : 0.1 });
  art.piece(body, { fill: colour, tex: ["weave"], folds: [["M-118,220 C-90,300 -120,400 -104,560", "light", 18], ["M110,240 C90,330 130,470 118,620", "dark", 20], ["M-40,200 C-30,240 30,250 60,210", "dark", 14]], soft: 9 });
  art.piece(sym("M0,132 Q90,128 132,140 L140,206 Q70,216 0,214"), { fill: colour, tex: ["weave"], form: "fall", folds: [["M-136,204 Q0,222 140,202", "dark", 14], ["M-120,150 Q0,142 120,150", "light", 10]] });
  art.seam("M-136,170 Q0,178 136,168", "#000", 3, 0.3);
  art.piece(sym("M0,412 L104,412 L108,588 Q106,600 92,600 L0,600"), { fill: colour, tex: ["weave"], form: "fall", folds: [["M-110,604 H112", "dark", 9]] });
  art.piece(sym("M0,402 L110,402 L112,450 Q60,466 0,466"), { fill: leather, form: "fall", folds: [["M-110,468 H112", "dark", 7]] });
  for (const turn of [flip, (d) => d]) strap(art, turn("M74,132 C80,220 78,320 78,394"), leather, 15);
  for (const x of [-78, 78]) buckle(art, x, 300);
  art.piece("M-13,440 h26 v58 q-13,10 -26,0 z", { fill: darker(leather, 0.15), form: "fall" });
  buckle(art, 0, 478);
  art.stitch(sym("M0,420 L98,420 L101,582 L0,592").replace(" Z", ""), edge(colour));
  art.add(`<rect x="-34" y="246" width="68" height="34" rx="2" fill="#f0e9da"/><path d="M-20,270 l12,-15 8,10 6,-7 14,14" fill="none" stroke="#5d564b" stroke-width="2.4"/>`);
}

/** A rounded everyday backpack with a zipped pocket. */
export function daypack(art, { colour, accent }) {
  art.ground(0, 650, 176);
  art.seam("M-30,160 C-28,96 28,96 30,160", darker(accent, 0.1), 14);
  const body = sym("M0,140 C92,138 138,190 146,300 C154,420 156,540 150,606 Q146,648 106,650 L0,652");
  art.piece(body, { fill: colour, tex: ["ripstop"], folds: [["M-112,220 C-120,340 -122,460 -112,600", "light", 20], ["M116,230 C134,360 132,500 120,620", "dark", 22]], soft: 10 });
  art.seam("M-138,330 C-134,210 -82,166 0,166 C82,166 134,210 138,330", "#000", 10, 0.22).seam("M-138,330 C-134,210 -82,166 0,166 C82,166 134,210 138,330", darker(colour, 0.55), 5);
  art.piece(sym("M0,372 C70,370 112,386 116,420 L120,590 Q118,618 90,620 L0,622"), { fill: colour, tex: ["ripstop"], form: "fall", folds: [["M-120,624 H124", "dark", 10], ["M-96,410 C-100,470 -98,540 -92,590", "light", 12]] });
  art.seam("M-108,426 C-96,396 -60,392 0,392 C60,392 96,396 108,426", darker(colour, 0.55), 5).seam("M84,408 l14,20", accent, 6);
  art.seam("M-64,186 l-16,22", accent, 6);
  art.piece("M-28,262 L28,262 L34,330 L-34,330 Z", { fill: accent, form: "fall" });
  art.add(`<path d="M-18,312 l12,-17 8,11 6,-8 13,14 z" fill="${lighter(accent, 0.8)}"/>`);
  for (const turn of [flip, (d) => d]) art.piece(turn("M146,440 C178,446 184,480 182,590 Q178,612 150,612 Z"), { fill: darker(colour, 0.18), tex: ["rib", 9], dim: turn === flip ? 0 : 0.1 });
}

/** A canvas tote with leather handles. */
export function tote(art, { colour, leather = "#a06a3c", print }) {
  art.ground(0, 640, 190);
  strap(art, "M-72,330 C-78,130 78,130 72,330", darker(leather, 0.25), 16);
  const body = sym("M0,300 L168,300 L178,600 Q176,640 130,642 L0,644");
  art.piece(body, { fill: colour, tex: ["weave"], folds: [["M-140,320 C-120,420 -150,520 -130,620", "light", 20], ["M120,310 C100,420 150,520 130,640", "dark", 20], ["M-60,310 C-40,380 -70,440 -50,520", "dark", 13], ["M40,310 C30,380 60,420 46,500", "dark", 11]], soft: 10 });
  art.stitch("M-168,316 H168 M-169,322 H169", edge(colour));
  art.piece(sym("M0,572 L176,566 L178,600 Q176,640 130,642 L0,644"), { fill: leather, form: "cloth", folds: [] });
  art.stitch("M-172,580 H172", "#f0ddb8");
  strap(art, "M-82,372 V306 C-84,104 84,104 82,306 V372", leather, 18);
  for (const x of [-82, 82]) art.add(`<circle cx="${x}" cy="362" r="4" fill="#c9a968"/><circle cx="${x}" cy="338" r="4" fill="#c9a968"/>`);
  if (print) art.add(`<g fill="none" stroke="${print}" stroke-width="5" stroke-linejoin="round" stroke-linecap="round"><path d="M-70,500 L-20,432 L12,474 L34,448 L74,500 Z"/><path d="M-84,518 q14,-9 28,0 t28,0 28,0 28,0 28,0 28,0"/><circle cx="44" cy="420" r="13"/></g>`);
}

/** A weekend duffel with a shoulder strap. */
export function duffel(art, { colour, leather = "#7a4a2a" }) {
  art.ground(0, 590, 250);
  strap(art, "M-206,440 C-150,220 150,220 206,440", darker(colour, 0.35), 15);
  art.piece(sym("M0,352 L176,352 C232,356 246,420 246,480 C246,550 228,588 176,590 L0,592"), { fill: colour, tex: ["weave"], folds: [["M-200,390 C-140,376 -60,380 20,384", "light", 22], ["M-190,570 C-60,584 100,580 210,560", "dark", 24], ["M-30,400 C-20,440 -30,500 -22,560", "dark", 12], ["M40,400 C54,450 46,510 52,560", "dark", 10]], soft: 10 });
  for (const turn of [flip, (d) => d]) art.piece(turn("M182,352 C232,356 246,420 246,480 C246,550 228,588 182,590 C200,520 200,420 182,352 Z"), { fill: leather, form: "cloth", dim: turn === flip ? 0 : 0.12 });
  art.seam("M-178,372 Q0,362 178,372", "#000", 8, 0.25).seam("M-178,372 Q0,362 178,372", darker(colour, 0.6), 5).seam("M-160,372 l-6,20", "#c9a968", 5);
  for (const turn of [flip, (d) => d]) strap(art, turn("M96,590 V372"), leather, 20);
  strap(art, "M-96,420 V372 C-92,250 92,250 96,372 V420", leather, 18);
  art.piece("M-34,262 h68 v22 q-34,10 -68,0 z", { fill: darker(leather, 0.1), form: "round" });
  art.piece("M-58,452 h116 v96 q-58,10 -116,0 z", { fill: colour, tex: ["weave"], form: "fall", folds: [["M-60,554 h124", "dark", 8]] });
  art.piece("M-61,446 h122 v30 q-61,12 -122,0 z", { fill: leather, form: "fall" });
  art.button(0, 470, "#c9a968", 6);
}

/** A small bag worn across the body. */
export function sling(art, { colour, accent }) {
  art.ground(0, 560, 190);
  strap(art, "M-166,420 C-260,150 180,60 178,420", accent, 24);
  buckle(art, 100, 196, "#3a3733");
  art.piece(sym("M0,384 L150,384 C186,388 196,430 192,490 C188,546 160,562 120,562 L0,564"), { fill: colour, tex: ["ripstop"], folds: [["M-150,416 C-90,404 0,404 70,410", "light", 18], ["M-130,548 C-20,560 90,556 160,530", "dark", 20]], soft: 9 });
  art.seam("M-166,420 Q0,408 166,420", darker(colour, 0.55), 6).seam("M132,420 l18,24", accent, 7);
  art.piece(sym("M0,452 L140,452 Q160,456 158,490 Q154,530 120,532 L0,534"), { fill: colour, tex: ["ripstop"], form: "fall", folds: [["M-150,538 H156", "dark", 9]] });
  art.seam("M-138,466 Q0,458 138,466", darker(colour, 0.55), 5).seam("M-112,466 l-14,20", accent, 6);
  art.add(`<rect x="-38" y="484" width="76" height="28" rx="3" fill="${accent}"/><path d="M-16,506 l10,-13 7,8 5,-6 11,11 z" fill="${lighter(accent, 0.8)}"/>`);
}

/** A ribbed beanie with a deep cuff. */
export function beanie(art, { colour, pompom }) {
  art.ground(0, 560, 172);
  if (pompom) art.piece("M0,178 C52,176 76,214 66,250 C56,284 -56,284 -66,250 C-76,214 -52,176 0,178 Z", { fill: pompom, tex: ["pile"], form: "round", line: "none" });
  art.piece(sym("M0,232 C110,230 166,310 170,452 L0,452"), { fill: colour, tex: ["rib", 17], folds: [["M-110,300 C-130,350 -136,400 -134,440", "light", 26], ["M110,300 C134,350 140,400 142,450", "dark", 30], ["M-40,240 C-20,270 20,270 44,242", "dark", 16]], soft: 10 });
  art.piece(sym("M0,430 L174,430 Q186,494 176,552 Q90,568 0,568"), { fill: colour, tex: ["rib", 17], form: "round", folds: [["M-176,436 H178", "light", 9], ["M-170,560 H176", "dark", 14]] });
  art.seam("M-174,431 H174", "#000", 4, 0.32);
  art.piece("M68,476 h74 v46 h-74 z", { fill: "#efe7d6", form: "fall", line: "#b8ab92" });
  art.add('<path d="M84,510 l14,-20 10,12 7,-9 14,17 z" fill="#5d564b"/>');
}

/** A six-panel cap from three quarters. */
export function cap(art, { colour, brim = colour, tex = "twill" }) {
  art.ground(-10, 552, 214);
  art.piece("M-120,486 C-214,470 -262,500 -256,538 C-200,560 -90,552 -10,520 C-40,506 -80,494 -120,486 Z", { fill: brim, tex: [tex], form: "cloth", folds: [["M-240,524 C-190,506 -130,500 -70,508", "light", 12]] });
  art.stitch("M-232,534 C-190,546 -100,538 -30,516 M-216,522 C-180,530 -110,526 -50,510", edge(brim));
  art.piece("M-128,492 C-144,360 -70,268 30,266 C140,266 208,340 206,452 C206,500 190,526 160,536 C90,528 -40,520 -128,492 Z", { fill: colour, tex: [tex], folds: [["M-90,400 C-70,340 -30,310 20,296", "light", 26], ["M170,360 C190,420 190,480 160,526", "dark", 26]], soft: 10 });
  art.seam("M30,266 C-36,330 -60,420 -50,508 M30,266 C70,340 80,440 66,526 M30,266 C110,300 150,380 152,470", edge(colour), 1.8, 0.8);
  art.stitch("M24,272 C-42,336 -66,424 -57,506 M38,270 C78,344 87,440 74,527", edge(colour));
  for (const [x, y] of [[-66, 372], [10, 352], [112, 368]]) art.add(`<circle cx="${x}" cy="${y}" r="5" fill="none" stroke="${edge(colour)}" stroke-width="2.4"/>`);
  art.button(30, 268, brim, 10);
  art.piece("M-22,408 h66 v48 h-66 z", { fill: "#efe7d6", form: "fall", line: "#b8ab92" });
  art.add('<path d="M-8,444 l13,-20 10,12 6,-8 14,16 z" fill="#5d564b"/>');
}

/** One tail of a scarf, from `x` and `w` wide down to `y`, with its fringe. */
function tail(art, x, w, y, look, fringe, lean) {
  for (let i = 3; i < w; i += 9) {
    const d = `M${x + i},${y - 4} q${lean},22 ${lean * 0.4},46`;
    art.seam(d, darker(fringe, 0.12), 5).seam(d, fringe, 3);
  }
  const along = (part) => `M${x + w * part},280 C${x + w * part - 8},400 ${x + w * part + 6},500 ${x + w * part - 2},${y}`;
  art.piece(`M${x + 24},262 C${x + 4},360 ${x - 4},480 ${x},${y} L${x + w},${y} C${x + w + 3},480 ${x + w - 4},360 ${x + w - 22},262 Z`, { ...look, folds: [[along(0.34), "dark", 14], [along(0.62), "light", 14], [along(0.94), "dark", 14]], soft: 7 });
}

/** A long scarf, knotted once, its two tails hanging. */
export function scarf(art, { colour, check, fringe = colour }) {
  const look = { fill: colour, tex: check ? [["check", ...check], ["twill"]] : [["herringbone"]] };
  art.piece("M-122,190 C-128,84 128,84 122,190 L70,206 C64,150 -64,150 -70,206 Z", { ...look, dim: 0.3, folds: [["M-96,176 C-80,110 80,110 96,176", "light", 10]] });
  tail(art, 6, 118, 590, look, fringe, -4);
  tail(art, -120, 118, 626, look, fringe, 4);
  const side = "M122,178 C134,240 96,300 26,318 L-22,276 C30,262 62,230 68,186 Z";
  art.piece(side, { ...look, dim: 0.08, folds: [["M104,200 C100,250 60,288 10,298", "dark", 13], ["M84,200 C80,240 50,268 6,280", "light", 10]] });
  art.piece(flip(side), { ...look, folds: [["M-108,200 C-104,250 -60,290 -10,302", "light", 12], ["M-84,204 C-78,244 -46,270 -2,282", "dark", 12]] });
  art.piece("M-52,262 C-20,248 26,250 54,266 C66,296 58,332 40,350 C10,362 -24,360 -46,346 C-62,326 -64,290 -52,262 Z", { ...look, folds: [["M-24,262 C-30,296 -24,330 -14,350", "dark", 11], ["M18,262 C26,296 22,330 14,350", "light", 11], ["M44,270 C52,300 48,330 38,346", "dark", 12]], soft: 6 });
}

/** A pair of ribbed socks. */
export function socks(art, { colour, accent, bands = true }) {
  const sock = () => {
    art.piece("M-70,170 L50,170 L54,420 C58,450 40,470 6,490 C-50,524 -96,570 -150,586 C-196,596 -224,566 -208,532 C-190,498 -120,480 -84,430 C-70,410 -70,380 -70,340 Z", { fill: colour, tex: [["melange"], ["rib", 9]], folds: [["M-50,190 V400 C-60,450 -110,490 -170,530", "light", 20], ["M44,190 V420 C40,470 -20,490 -70,540", "dark", 20]], soft: 8, inside: () => {
      if (!bands) return;
      for (const y of [236, 258]) art.add(`<rect x="-90" y="${y}" width="180" height="10" fill="${accent}"/>`);
    } });
    art.piece("M-206,536 C-192,510 -170,502 -150,490 C-124,510 -124,550 -138,580 C-190,600 -224,570 -206,536 Z", { fill: accent, tex: ["rib", 9], form: "cloth" });
    art.piece("M54,410 C60,450 40,472 2,492 C-10,470 4,430 54,410 Z", { fill: accent, tex: ["rib", 9], form: "cloth" });
    art.piece("M-74,160 Q-10,150 54,160 L55,212 Q-10,222 -75,212 Z", { fill: darker(colour, 0.06), tex: ["rib", 6], form: "cloth" });
  };
  art.group(`filter="${art.hung()}" transform="translate(130 -6) rotate(4 0 380)"`, sock);
  art.group(`filter="${art.hung()}" transform="translate(6 40)"`, sock);
}
