/** Reads `window.dataLayer`: what is there already, and what is pushed from now on, each entry once. */
import { quietly } from './quietly.js';

/** Entries that were read, and arrays that tell of new ones. */
const known = new WeakSet();

/** Calls `take` with every new entry, now and from now on. To be called again for a new array, and for entries that
 * bypassed us. */
export function readLayer(take) {
  const each = quietly((entry) => {
    known.add(entry); // Throws for what is no object, which means nothing to us.
    take(entry);
  });
  const layer = (window.dataLayer ??= []);
  for (const entry of layer.slice()) if (!known.has(entry)) each(entry);
  if (known.has(layer)) return;
  known.add(layer);
  const { push } = layer;
  // Whoever else wraps it (tag managers do), before or after, is called as ever.
  layer.push = function (...entries) {
    const result = push.apply(this, entries);
    entries.forEach(each);
    return result;
  };
}
