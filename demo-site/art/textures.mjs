// Weaves and prints as SVG patterns. Most are drawn in transparent black and white, so that one
// pattern fits every colour of cloth; those that take colours are prints.

const tile = (id, w, h, inner, transform = "") =>
  `<pattern id="${id}" width="${w}" height="${h}" patternUnits="userSpaceOnUse"${transform ? ` patternTransform="${transform}"` : ""}>${inner}</pattern>`;
const line = (d, colour, opacity, width) =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-opacity="${opacity}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`;
const band = (x, y, w, h, colour, opacity) => `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${colour}" fill-opacity="${opacity}"/>`;

/** Tufts of pile: dots in a fixed scatter, dark below, light above. */
function tufts() {
  const dots = [];
  for (let i = 0; i < 16; i++) {
    const [x, y, r] = [(i * 17) % 40, (i * 29 + (i % 3) * 5) % 40, 3.4 + (i % 4)];
    dots.push(`<circle cx="${x + 1.5}" cy="${y + 2}" r="${r}" fill="#000" fill-opacity=".1"/><circle cx="${x}" cy="${y}" r="${r}" fill="#fff" fill-opacity=".14"/>`);
  }
  return dots.join("");
}

/** One row of Fair Isle motifs, 60 by 96, in three colours. */
function fairIsle(a, b, c) {
  const cells = [];
  const dot = (x, y, colour) => cells.push(`<rect x="${x * 6}" y="${y * 6}" width="5.4" height="5.4" rx="1.6" fill="${colour}"/>`);
  for (let x = 0; x < 10; x++) {
    if (x % 2 === 0) dot(x, 0, b);
    dot(x, 1, b);
    if (x % 2) dot(x, 12, c);
    dot(x, 11, c);
    for (let y = 3; y < 10; y++) if (Math.abs(x - 4.5) + Math.abs(y - 6) < 4 && (Math.abs(x - 4.5) + Math.abs(y - 6)) % 2 > 0.4) dot(x, y, a);
    if (x === 0 || x === 9) dot(x, 6, c);
  }
  return cells.join("");
}

export const textures = {
  weave: (id) => tile(id, 6, 6, band(0, 0, 3, 3, "#000", 0.05) + band(3, 3, 3, 3, "#fff", 0.07)),
  twill: (id) => tile(id, 6, 6, band(0, 0, 6, 2, "#000", 0.1) + band(0, 3, 6, 1, "#fff", 0.08), "rotate(-52)"),
  denim: (id) => tile(id, 7, 7, band(0, 0, 7, 2.4, "#fff", 0.13) + band(0, 4, 4, 1.4, "#000", 0.14) + band(2, 5, 2, 2, "#fff", 0.1), "rotate(-58)"),
  cord: (id, pitch = 10) => tile(id, pitch, 10, band(0, 0, pitch * 0.3, 10, "#000", 0.24) + band(pitch * 0.5, 0, pitch * 0.24, 10, "#fff", 0.14)),
  rib: (id, pitch = 8) => tile(id, pitch, 10, band(0, 0, pitch * 0.34, 10, "#000", 0.17) + band(pitch * 0.5, 0, pitch * 0.3, 10, "#fff", 0.13)),
  knit: (id, scale = 1) => tile(id, 14, 11, line("M1,1 L7,8 L13,1", "#000", 0.17, 2.6) + line("M1,-1 L7,6 L13,-1", "#fff", 0.13, 2), `scale(${scale})`),
  pile: (id) => tile(id, 40, 40, tufts()),
  ripstop: (id) => tile(id, 16, 16, band(0, 0, 16, 1, "#000", 0.1) + band(0, 0, 1, 16, "#000", 0.1) + band(1, 1, 15, 1, "#fff", 0.06)),
  herringbone: (id) => tile(id, 28, 14, line("M0,14 L14,0 M-7,7 L7,-7 M7,21 L21,7", "#000", 0.001, 1) + line("M0,0 L14,14 M0,7 L7,14 M7,0 L14,7 M28,0 L14,14 M28,7 L21,14 M21,0 L14,7", "#000", 0.22, 1.8) + line("M0,3 L11,14 M28,3 L17,14", "#fff", 0.13, 1.4)),
  melange: (id) => tile(id, 18, 18, [...Array(14).keys()].map((i) => band((i * 7) % 18, (i * 11) % 18, 3, 1.2, i % 2 ? "#000" : "#fff", 0.13)).join("")),
  stripe: (id, colour, pitch = 30, width = 12) => tile(id, 20, pitch, band(0, 0, 20, width, colour, 0.92)),
  check: (id, a, b, c) => tile(id, 84, 84, band(0, 0, 34, 84, a, 0.55) + band(0, 0, 84, 34, a, 0.55) + band(52, 0, 9, 84, b, 0.6) + band(0, 52, 84, 9, b, 0.6) + band(70, 0, 3, 84, c, 0.75) + band(0, 70, 84, 3, c, 0.75)),
  bands: (id, a, b) => tile(id, 300, 220, band(0, 20, 300, 34, a, 1) + band(0, 64, 300, 8, b, 1) + band(0, 84, 300, 8, a, 1)),
  fairisle: (id, a, b, c) => tile(id, 60, 96, fairIsle(a, b, c)),
  speckle: (id, colour = "#000") => tile(id, 60, 60, [...Array(22).keys()].map((i) => `<circle cx="${(i * i * 7.3 + i * 3) % 60}" cy="${(i * i * 4.1 + i * 17) % 60}" r="${0.8 + (i % 3) * 0.5}" fill="${colour}" fill-opacity=".38"/>`).join("")),
  grain: (id) => tile(id, 120, 26, line("M0,5 C30,2 60,9 120,5 M0,13 C40,17 80,9 120,13 M0,21 C30,24 70,18 120,21", "#3a220e", 0.22, 1.4)),
};
