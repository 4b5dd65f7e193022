/** What the part that shows things needs of the part that decides (`present.js` hands it over). */
export let world;

/** Takes it. */
export function take(given) {
  world = given;
}
