/** Who listens to what, and what they were not told yet. What happens is noted first and told when the core's turn ends:
 * a listener is the page's own code, which may call back, and may throw. */
import { now } from './clock.js';
import { TOPICS } from './words.js';

const listeners = new Set();
let untold = [];
let loud = false;
/** What puts things into words for developers (`sdk/js/problems`): a part of its own, fetched when there is something to say. */
let words;

/** Adds a listener; returns what removes it. */
export function listen(topic, listener) {
  if (!TOPICS.includes(topic) || typeof listener !== 'function') return error('invalid_field', 'on', { value: topic });
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

/** Has something said in the console, and told to listeners where they hear of it. Where the words cannot be had, without them. */
export function report(kind, detail) {
  words ??= import('./problems.js').then((module) => module.start(emit, deliver, now));
  words
    .then((say) => say(kind, detail))
    .catch(() => {
      console.warn('endcap', kind, detail);
      if (kind === 'error') emit(kind, detail);
      deliver();
    });
}

/** Notes something for developers. */
export function debug(kind, detail) {
  if (loud) report('debug', { kind, detail });
  emit('debug', { kind, at: now(), detail });
}

/** Notes that a call could not be used, or not as it is. `code` is stable; `more` is what the words are made of. */
export function error(code, path, more) {
  report('error', { code, path, ...more });
}

/** Tells what was noted, also what is noted meanwhile. */
export function deliver() {
  while (untold.length) {
    const { topic, detail } = untold.shift();
    for (const one of [...listeners]) {
      if (one.topic !== topic) continue;
      try {
        one.listener(detail);
      } catch (problem) {
        report('listener', { topic, problem });
      }
    }
  }
}
