/** What the shop's own code told, so that nothing is captured twice. */

/** Calls from before the part that captures was there. */
export const told = [];
let part;

/** The part is there. */
export const start = (started) => (part = started);

/** The shop told something; true where the same was captured already. */
export function tracked(name, properties) {
  if (!part) told.push([name, properties]);
  return part?.tracked(name, properties);
}
