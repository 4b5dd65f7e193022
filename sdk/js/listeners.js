/** Who listens to what, and what they were not told yet. What happens is noted first and told when the core's turn ends:
 * a listener is the page's own code, which may call back, and may throw, which is dropped. */
const TOPICS = ['decision', 'popup', 'slot', 'push', 'sent', 'debug', 'error'];
const listeners = new Set();
let untold = [];
let loud = false;

/** Adds a listener; returns what removes it. */
export function listen(topic, listener) {
  if (!TOPICS.includes(topic) || typeof listener !== 'function') return error('invalid_field', 'on', 'takes topic and function');
  const one = { topic, listener };
  listeners.add(one);
  return () => void listeners.delete(one);
}

/** Debug mode: what `debug` listeners are told goes to the console too. */
export function shout(on) {
  loud = on;
}

/** Notes something for the listeners of a topic. */
export function emit(topic, detail) {
  untold.push({ topic, detail });
}

/** Notes something for developers. */
export function debug(kind, detail) {
  if (loud) console.debug('endcap', kind, detail);
  emit('debug', { kind, at: Date.now(), detail });
}

/** Notes that a call could not be used. `code` is stable. */
export function error(code, path, message) {
  const detail = { code, path, message };
  debug('error', detail);
  emit('error', detail);
}

/** Tells what was noted, also what is noted meanwhile. */
export function deliver() {
  while (untold.length) {
    const { topic, detail } = untold.shift();
    for (const one of [...listeners]) {
      if (one.topic !== topic) continue;
      try {
        one.listener(detail);
      } catch {
        // The page's own mistake.
      }
    }
  }
}
