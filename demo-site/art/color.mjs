// Colour arithmetic on #rrggbb, used by every drawing to derive its highlights and shadows.

const parse = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** Mixes two #rrggbb colours; `part` (0 to 1) is how much of `b` there is. */
export function mix(a, b, part) {
  const [from, to] = [parse(a), parse(b)];
  const channel = (i) => Math.round(from[i] + (to[i] - from[i]) * part);
  return `#${[0, 1, 2].map((i) => channel(i).toString(16).padStart(2, "0")).join("")}`;
}

/** The colour in light: mixed towards a warm white. */
export const lighter = (hex, part) => mix(hex, "#fffaf0", part);

/** The colour in shade: mixed towards a warm near-black, so that shadows never look grey. */
export const darker = (hex, part) => mix(hex, "#1a1613", part);

/** Perceived lightness, 0 (black) to 1 (white). */
export function lightness(hex) {
  const [r, g, b] = parse(hex);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

/** An outline that shows on the colour without turning into a cartoon's black line. */
export const edge = (hex) => darker(hex, lightness(hex) > 0.75 ? 0.3 : 0.42);
