// Footwear, from the side, toe to the left; a pair is the near shoe with its fellow behind it.

import { darker, edge, lighter, mix } from "./color.mjs";

/** Draws the far shoe smaller, higher and to the right, then the near one over it. */
function pair(art, draw, { lift = 70, shift = 78, floor = 560 } = {}) {
  art.group('transform="translate(-16 66) scale(.9)"', () => {
    art.ground(shift + 10, floor - lift + 10, 196, 20, 0.2);
    art.group(`transform="translate(${shift} ${-lift + 40}) scale(.93)"`, draw);
    art.ground(-44, floor, 226, 26);
    art.group('transform="translate(-52 0)"', draw);
  });
}

/** Laces across the instep between two lines of eyelets. */
function laces(art, rows, colour) {
  for (const [x1, y1, x2, y2] of rows) {
    art.seam(`M${x1},${y1 + 2.4} L${x2},${y2 + 2.4}`, "#000", 8, 0.25).seam(`M${x1},${y1} L${x2},${y2}`, darker(colour, 0.12), 7.4).seam(`M${x1},${y1 - 1} L${x2},${y2 - 1}`, colour, 5);
    art.add(`<circle cx="${x2}" cy="${y2}" r="3.6" fill="#000" opacity=".45"/>`);
  }
}

/** A low leather court shoe. */
export function court(art, { colour, accent, sole = "#f1ece1", lace = "#f7f3ea" }) {
  pair(art, () => {
    const look = { fill: colour, form: "fall" };
    art.piece("M92,394 C120,372 168,366 194,380 C206,420 208,470 206,520 L92,520 Z", { fill: darker(colour, 0.4), form: "fall" });
    art.piece("M-214,520 C-222,486 -206,462 -168,450 C-116,434 -70,414 -34,380 C-24,370 -8,366 6,374 C40,396 80,412 120,402 C150,394 178,382 196,376 C212,404 218,460 214,524 Z", { ...look, folds: [["M-110,440 C-96,458 -92,478 -96,500", "dark", 8], ["M-180,470 C-150,456 -110,448 -80,430", "light", 12], ["M40,420 C60,450 70,490 70,520", "dark", 14]], soft: 6 });
    art.piece("M-214,520 C-222,486 -206,462 -168,450 C-150,462 -132,486 -128,522 Z", { ...look, folds: [] });
    for (const [x, y] of [[-176, 474], [-160, 478], [-186, 490], [-168, 494], [-150, 492]]) art.add(`<circle cx="${x}" cy="${y}" r="2.4" fill="#000" opacity=".35"/>`);
    art.piece("M150,394 C176,386 188,380 196,376 C212,404 217,440 216,474 C190,470 164,452 150,394 Z", { fill: accent, form: "fall" });
    art.seam("M-40,392 C-16,436 20,470 44,524 M-28,384 C0,426 40,462 62,524", edge(colour), 1.6, 0.6).stitch("M-128,516 C-130,488 -148,466 -164,454", edge(colour), 1.3);
    art.piece("M-66,418 C-40,402 -24,384 -8,374 C4,368 10,350 0,338 C-16,330 -30,344 -44,366 C-56,384 -64,400 -66,418 Z", { ...look, folds: [] });
    laces(art, [[-62, 408, -36, 440], [-46, 392, -18, 424], [-30, 376, 0, 406], [-16, 358, 16, 390]], lace);
    art.piece("M-222,514 C-100,528 100,528 218,512 C226,530 224,548 214,556 C90,566 -90,566 -206,556 C-222,550 -226,530 -222,514 Z", { fill: sole, form: "fall" });
    art.seam("M-222,534 C-100,546 100,546 222,532", edge(sole), 1.6, 0.7).seam("M-205,556 C-90,566 90,566 213,556", darker(sole, 0.6), 5, 0.7);
  });
}

/** A canvas high-top with a rubber toe cap. */
export function hightop(art, { colour, sole = "#f1ece1", lace = "#f7f3ea" }) {
  pair(art, () => {
    const look = { fill: colour, form: "cloth", tex: ["weave"] };
    art.piece("M40,270 C90,256 150,256 190,266 L196,300 L40,310 Z", { fill: darker(colour, 0.5), form: "fall" });
    art.piece("M-212,520 C-216,486 -190,470 -150,456 C-90,436 -40,400 -8,342 C6,316 18,290 24,262 C40,258 52,262 60,270 C100,284 150,282 192,262 C200,300 198,340 204,390 C210,440 212,480 212,522 Z", { ...look, folds: [["M-40,420 C-10,440 30,440 60,428", "dark", 9], ["M196,390 C160,404 110,402 76,386", "dark", 9], ["M40,300 C56,380 70,450 72,510", "light", 13], ["M188,280 C182,360 190,440 196,510", "dark", 14]], soft: 6 });
    art.piece("M-214,522 C-220,490 -196,470 -152,456 C-128,470 -120,500 -118,524 Z", { fill: sole, form: "fall" });
    art.seam("M32,268 C26,330 -20,410 -86,448", edge(colour), 1.8).stitch("M42,272 C36,336 -10,420 -78,458", lighter(colour, 0.6), 1.5);
    art.stitch("M196,392 C170,410 140,470 136,520", lighter(colour, 0.6), 1.5);
    art.seam("M186,262 L196,524", lighter(colour, 0.55), 7);
    laces(art, [[-76, 428, -56, 462], [-52, 408, -30, 444], [-30, 384, -6, 420], [-10, 356, 14, 392], [6, 326, 32, 360], [18, 296, 46, 328]], lace);
    art.add(`<circle cx="118" cy="356" r="27" fill="${sole}" stroke="${edge(sole)}"/><path d="M104,364 l10,-16 8,10 5,-6 9,12 z" fill="${colour}"/>`);
    art.piece("M-222,510 C-100,526 100,526 218,510 C224,530 222,548 214,556 C90,564 -90,564 -206,556 C-222,548 -226,528 -222,510 Z", { fill: sole, form: "fall" });
    art.seam("M-222,524 C-100,538 100,538 220,522", colour, 3.4);
  });
}

/** A laced hiking boot with a lugged sole. */
export function boot(art, { colour, accent, sole = "#2c2723", lace = "#c9433a" }) {
  pair(art, () => {
    const look = { fill: colour, form: "cloth" };
    art.piece("M22,266 C60,246 140,246 186,262 L190,300 L30,310 Z", { fill: accent, form: "fall", tex: ["pile"] });
    art.piece("M-212,516 C-222,476 -196,450 -150,438 C-96,424 -46,398 -14,346 C2,318 12,292 16,264 C60,282 140,284 192,262 C204,310 198,350 208,400 C216,450 216,480 214,522 Z", { ...look, folds: [["M-20,410 C10,430 50,430 80,416", "dark", 10], ["M-180,462 C-140,448 -90,440 -60,420", "light", 13], ["M60,300 C66,370 64,440 70,510", "light", 12], ["M196,290 C186,370 200,440 204,510", "dark", 15], ["M90,392 C130,404 170,402 200,388", "dark", 8]], soft: 6 });
    art.piece("M16,264 C60,282 140,284 192,262 L196,296 C140,316 70,314 12,294 Z", { fill: accent, form: "cloth", tex: ["rib", 12] });
    art.piece("M-214,520 C-226,474 -196,448 -148,437 C-128,456 -120,486 -120,522 Z", { fill: darker(colour, 0.22), form: "fall", folds: [["M-190,468 C-176,456 -160,452 -146,450", "light", 8]] });
    art.piece("M132,522 C132,470 160,420 206,396 C214,440 216,480 214,522 Z", { fill: darker(colour, 0.22), form: "fall" });
    art.stitch("M-112,516 C-114,482 -124,456 -140,440 M124,518 C126,466 154,414 202,388", lighter(colour, 0.5), 1.6);
    art.stitch("M34,312 C24,366 -10,424 -60,448", lighter(colour, 0.5), 1.5);
    laces(art, [[-70, 420, -46, 452], [-44, 400, -20, 434], [-22, 374, 4, 408], [-4, 344, 22, 378], [8, 316, 36, 346]], lace);
    art.piece("M-224,508 C-100,522 100,522 220,506 L224,536 L216,562 L-204,562 C-222,552 -230,530 -224,508 Z", { fill: sole, form: "fall" });
    for (let x = -196; x < 210; x += 34) art.add(`<path d="M${x},562 l5,-15 h15 l5,15 z" fill="#000" opacity=".55"/>`);
    art.seam("M-224,519 C-100,533 100,533 221,517", lighter(sole, 0.3), 2.4);
  });
}

/** A Chelsea boot with elastic sides. */
export function chelsea(art, { colour, elastic = "#2a2724", sole = "#2c2723" }) {
  pair(art, () => {
    art.piece("M44,262 C90,250 150,250 186,262 L186,290 L44,290 Z", { fill: darker(colour, 0.55), form: "fall" });
    art.piece("M-218,524 C-226,494 -204,474 -160,462 C-100,446 -34,420 10,366 C32,338 38,300 42,260 C90,276 146,276 190,260 C198,310 190,352 200,404 C208,450 208,490 206,526 Z", { fill: colour, form: "cloth", folds: [["M-186,484 C-150,470 -96,460 -50,436", "light", 11], ["M58,290 C58,340 40,390 10,420", "light", 9], ["M0,420 C30,440 70,436 96,424", "dark", 9], ["M192,300 C184,380 196,450 198,516", "dark", 14], ["M-90,456 C-80,480 -82,500 -88,518", "dark", 8]], soft: 5 });
    art.piece("M82,272 C96,275 138,275 152,271 C152,330 140,380 120,400 C98,376 84,330 82,272 Z", { fill: elastic, form: "cloth", tex: ["rib", 6] });
    art.stitch("M76,272 C78,334 94,384 120,410 C146,386 158,334 158,271", lighter(colour, 0.45), 1.4);
    art.piece("M180,236 C196,232 206,240 204,262 L200,296 L190,296 L188,262 Z", { fill: elastic, form: "fall" });
    art.piece("M-224,516 C-100,528 60,528 208,520 L210,542 C120,546 20,546 -60,544 C-120,542 -180,546 -212,540 C-222,536 -226,526 -224,516 Z", { fill: sole, form: "fall" });
    art.piece("M112,540 L210,540 L208,564 L116,564 Z", { fill: sole, form: "fall" });
    art.seam("M-222,524 C-100,535 60,535 208,528", "#b98f5c", 1.6, 0.9);
  }, { floor: 562 });
}

/** A laced derby shoe with a brogued cap. */
export function derby(art, { colour, sole = "#3a2a20" }) {
  pair(art, () => {
    art.piece("M70,396 C110,372 170,372 196,384 L200,430 L70,430 Z", { fill: darker(colour, 0.55), form: "fall" });
    art.piece("M-222,520 C-232,492 -210,472 -168,460 C-110,444 -60,426 -20,396 C20,402 70,414 108,404 C150,392 176,384 198,378 C210,420 212,470 208,524 Z", { fill: colour, form: "gloss", folds: [["M-196,480 C-160,466 -110,458 -70,440", "light", 9], ["M20,430 C40,460 46,490 44,518", "dark", 12], ["M-104,452 C-92,474 -90,496 -94,518", "dark", 8]], soft: 5 });
    art.piece("M-88,448 C-40,428 -16,398 0,372 C20,364 44,372 62,392 C70,430 60,470 30,500 C-10,498 -60,480 -88,448 Z", { fill: mix(colour, "#ffffff", 0.04), form: "cloth", folds: [] });
    art.stitch("M-80,448 C-40,470 0,490 26,492 C52,466 62,430 54,396", lighter(colour, 0.5), 1.5);
    art.seam("M-150,456 C-128,472 -120,498 -122,522", edge(colour), 1.8);
    for (let i = 0; i < 7; i++) art.add(`<circle cx="${-142 + i * 2.6 - (i > 3 ? (i - 3) * 1.5 : 0)}" cy="${462 + i * 9}" r="2" fill="#000" opacity=".5"/>`);
    laces(art, [[-46, 428, -14, 456], [-28, 408, 6, 438], [-12, 388, 24, 420]], darker(colour, 0.45));
    art.piece("M-228,514 C-100,526 60,526 210,516 L212,538 C120,542 20,542 -60,540 C-120,540 -180,544 -216,538 C-228,534 -230,524 -228,514 Z", { fill: sole, form: "fall" });
    art.piece("M108,538 L212,538 L210,562 L112,562 Z", { fill: sole, form: "fall" });
    art.stitch("M-224,520 C-100,532 60,532 208,522", "#c9a36a", 1.6);
  }, { floor: 562 });
}

/** A trail running shoe: mesh, welded overlays, deep sole. */
export function trail(art, { colour, accent, sole = "#f0ebe0", lug = "#34302c" }) {
  pair(art, () => {
    art.piece("M70,384 C110,360 168,356 200,364 L206,420 L70,430 Z", { fill: darker(colour, 0.5), form: "fall" });
    art.piece("M-220,512 C-230,478 -196,462 -156,448 C-100,430 -56,404 -22,366 C-6,352 14,354 26,366 C60,396 100,398 130,384 C158,370 184,350 206,344 C222,400 222,460 216,516 Z", { fill: colour, form: "cloth", tex: ["ripstop"], folds: [["M-180,468 C-140,452 -90,438 -60,414", "light", 12], ["M60,410 C76,440 84,480 80,510", "dark", 12]], soft: 6 });
    art.piece("M-222,512 C-232,480 -204,464 -168,452 C-150,468 -132,490 -96,508 L-96,516 Z", { fill: accent, form: "fall" });
    art.piece("M-60,412 C-40,440 -6,480 30,514 L74,514 C30,480 0,440 -16,402 Z M12,384 C40,430 80,480 116,514 L150,514 C110,470 70,420 44,384 Z", { fill: accent, form: "fall" });
    art.piece("M146,376 C170,362 190,350 206,344 C218,390 222,430 220,470 C190,470 158,440 146,376 Z", { fill: accent, form: "fall" });
    laces(art, [[-66, 402, -44, 430], [-48, 386, -22, 416], [-30, 370, -2, 402], [-12, 354, 16, 386]], "#f4efe4");
    art.seam("M196,346 C206,330 218,330 220,346 C222,362 212,372 206,372", darker(accent, 0.2), 6);
    art.piece("M-232,502 C-190,520 -60,506 20,512 C110,518 180,508 226,490 C236,520 234,540 222,552 L-200,552 C-228,546 -240,524 -232,502 Z", { fill: sole, form: "fall" });
    art.seam("M-226,524 C-150,538 -40,522 40,530 C120,536 180,528 228,516", accent, 4);
    art.piece("M-206,550 L222,550 L214,566 L-190,566 C-200,564 -206,558 -206,550 Z", { fill: lug, form: null });
    for (let x = -180; x < 206; x += 24) art.add(`<path d="M${x},567 v-9 h9 v9 z" fill="#000" opacity=".6"/>`);
  });
}

/** A two-strap sandal on a cork footbed. */
export function sandal(art, { colour, cork = "#c39a6b", sole = "#3a322b" }) {
  pair(art, () => {
    art.piece("M-222,500 C-190,474 -120,486 -40,486 C60,486 120,450 190,446 C220,450 228,480 222,512 L-210,520 C-222,516 -226,508 -222,500 Z", { fill: lighter(cork, 0.42), form: "fall", tex: ["speckle", "#5a3d22"] });
    const strap = (d) => art.piece(d, { fill: colour, form: "cloth", folds: [] });
    strap("M-176,508 C-178,440 -140,402 -92,408 C-64,414 -50,460 -52,508 L-100,510 Z");
    strap("M-16,508 C-22,440 10,384 62,386 C100,392 112,450 108,504 L50,508 Z");
    art.seam("M-176,506 C-176,446 -144,412 -100,414 M-14,506 C-18,446 12,394 58,394", lighter(colour, 0.4), 2, 0.6);
    for (const [x, y] of [[-112, 448], [46, 428]]) {
      art.piece(`M${x - 26},${y - 12} L${x + 34},${y - 22} L${x + 40},${y + 6} L${x - 20},${y + 16} Z`, { fill: darker(colour, 0.14), form: "fall", folds: [] });
      art.add(`<rect x="${x - 12}" y="${y - 24}" width="32" height="42" rx="5" fill="none" stroke="#c8a560" stroke-width="5" transform="rotate(-8 ${x} ${y})"/><path d="M${x - 10},${y - 2} l34,-5" stroke="#e4c98b" stroke-width="4"/>`);
    }
    art.piece("M-224,500 C-120,522 40,516 130,500 C170,492 206,492 226,484 C232,510 230,530 222,540 L-206,540 C-222,532 -228,516 -224,500 Z", { fill: cork, form: "fall", tex: ["speckle", "#5a3d22"] });
    art.piece("M-212,538 L224,538 L218,560 L-196,560 C-206,556 -212,548 -212,538 Z", { fill: sole, form: "fall" });
  }, { lift: 92 });
}

/** A tall rubber boot. */
export function welly(art, { colour, sole = "#d8c8a6" }) {
  pair(art, () => {
    art.piece("M6,168 C60,152 140,152 184,168 L184,196 L6,196 Z", { fill: darker(colour, 0.6), form: "fall" });
    art.piece("M-204,524 C-214,490 -190,470 -148,458 C-90,442 -28,420 0,370 C16,330 6,240 4,166 C60,184 140,184 186,166 C194,240 182,330 196,400 C206,450 208,490 204,526 Z", { fill: colour, form: "gloss", folds: [["M0,404 C40,422 80,416 110,404", "dark", 9], ["M-10,430 C40,446 80,440 116,424", "dark", 7], ["M-176,482 C-140,466 -96,456 -56,438", "light", 10]], soft: 5 });
    art.piece("M4,166 C60,184 140,184 186,166 L187,192 C140,208 60,208 5,194 Z", { fill: darker(colour, 0.15), form: "gloss" });
    art.piece("M150,206 L176,202 L176,290 L156,296 Z", { fill: darker(colour, 0.12), form: "fall" });
    art.add('<rect x="148" y="232" width="34" height="26" rx="4" fill="none" stroke="#c9b27d" stroke-width="5"/>');
    art.add(`<rect x="54" y="226" width="60" height="32" rx="3" fill="#f2ece0"/><path d="M66,246 l10,-14 7,9 5,-5 10,10 z" fill="${darker(colour, 0.2)}"/>`);
    art.piece("M-212,514 C-100,530 60,528 206,518 L208,560 L108,560 L104,546 L8,546 L-4,560 L-196,560 C-212,550 -218,530 -212,514 Z", { fill: sole, form: "fall" });
  }, { lift: 64, shift: 84 });
}

/** A felt slipper-clog with a stitched edge. */
export function clog(art, { colour, lining = "#efe4cf", sole = "#b98d60" }) {
  pair(art, () => {
    art.piece("M-6,440 C60,414 160,424 204,452 C214,480 212,500 208,520 L-10,520 Z", { fill: lining, form: "fall", tex: ["pile"] });
    art.piece("M-220,522 C-236,470 -200,424 -128,408 C-70,396 -10,404 18,438 C28,458 52,474 100,478 C150,480 190,466 206,456 C214,480 214,500 212,526 Z", { fill: colour, form: "cloth", tex: ["melange"], folds: [["M-190,470 C-160,432 -110,424 -60,426", "light", 18], ["M-60,520 C-30,500 20,490 60,494", "dark", 12]], soft: 8 });
    art.seam("M-10,412 C20,430 30,462 100,470 C150,472 190,460 206,450", lighter(colour, 0.35), 7);
    art.stitch("M-16,418 C10,438 24,474 98,482 C150,484 190,472 208,462", "#f2e7d0", 2);
    art.piece("M-228,512 C-100,528 80,528 220,510 C226,534 222,550 212,558 L-204,558 C-226,550 -232,530 -228,512 Z", { fill: sole, form: "fall", tex: ["speckle", "#4a2f18"] });
    art.stitch("M-226,520 C-100,536 80,536 220,518", "#f2e7d0", 2);
  }, { lift: 84 });
}
