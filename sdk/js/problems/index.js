/**
 * What developers are told, in words: why a call could not be used, what the edge refused and why, and in debug mode everything.
 * A part of its own, which a page fetches when there is something to say.
 *
 * What is wrong in the shop's own code is a warning in the console, once per page, and reaches `error` listeners.
 */
import { diagnosis } from './diagnosis.js';
import { nearest } from './nearest.js';
import { EVENTS, TEXTS, WORDS } from './texts.js';

/** So many letters are a slip; more make another word. */
const SLIP = 3;
/** Longest piece of the page's own data that is shown. */
const SHOWN = 60;

/** Data of the page's own as text. An object may have none, or throw. */
function plain(value) {
  try {
    return String(value);
  } catch {
    return 'an object without text';
  }
}

/** The same for a sentence. */
function show(value) {
  const text = typeof value === 'string' ? `"${value}"` : value === undefined ? 'nothing' : plain(value);
  return text.length > SHOWN ? text.slice(0, SHOWN) + '…' : text;
}

/** What is wrong with a call of the page, in words, with the known word that was probably meant. */
function explain({ code, path, value, problem }) {
  // A member of an object is said by its name, and by its value only where the name is one.
  const [whole, member] = path.split('.');
  const kind = member === undefined ? whole : whole + '.';
  const known = WORDS[kind];
  const isNamed = member !== undefined && known?.includes(member);
  const word = member === undefined || isNamed ? value : member;
  const text = (isNamed && TEXTS[`${code} ${kind}true`]) || TEXTS[`${code} ${kind}`] || TEXTS[code] || code;
  const meant = known && !isNamed && nearest(plain(word), known, SLIP);
  const said = text.replace('{value}', show(word)) + (problem ? `: ${problem}` : '');
  return meant ? `${said}. Did you mean \`${meant}\`?` : said;
}

/** Starts it; `emit(topic, detail)` notes something for listeners, `deliver` tells them. Returns what says a thing of a kind. */
export function start(emit, deliver, now) {
  /** What was said already. */
  const said = new Set();
  const once = (key) => !said.has(key) && said.add(key);

  /** A problem or a warning as a line of the console. */
  const worded = ({ code, path, message, event, message_id: id }) => {
    const where = [event && `event "${event}"`, path, id && `message ID ${id}`].filter(Boolean).join(', ');
    return `endcap: ${message} (${[code, where].filter(Boolean).join(': ')})`;
  };
  /** Tells listeners of an error, and the console once for each kind of it. */
  const tell = (problem) => {
    emit('error', problem);
    emit('debug', { kind: 'error', at: now(), detail: problem });
    if (once([problem.code, problem.path, problem.event].join())) console.warn(worded(problem));
  };

  const kinds = {
    /** A call of the page. */
    error: (given) => {
      const { code, path, problem } = given;
      const event = given.event && plain(given.event);
      tell({ code, path, message: explain(given), ...(event && { event }), ...(problem && { problem }) });
    },

    /** Events that the edge refused, in its words. Their places in the batch say nothing to who called `track`. */
    rejected: ({ rejected, sent }) => {
      for (const { index, code, path, message } of rejected) {
        const { name, type, message_id } = JSON.parse(sent[index]?.text ?? '{}');
        tell({ code, path: path.replace(/^(events|raw)\[\d+\]\.?/, ''), message, event: name ?? type, message_id });
      }
    },

    /** A batch that the edge refused, or that reached none: said once, though every batch may find the same. */
    refused: async ({ status, answer, page }) => {
      const problem = answer?.error?.code ? answer.error : (await diagnosis(status, page, once));
      // The edge and the page agree on that between themselves.
      if (!problem || problem.code === 'new_token') return;
      const { code, path = '', message } = problem;
      if (once(['batch', code, path].join())) tell({ code, path, message });
    },

    /** A listener of the page threw. It is not told to `error` listeners, one of which may be the one that throws. */
    listener: ({ topic, problem }) => {
      if (once(['listener', topic, problem].join())) console.error(`endcap: a listener of "${topic}" threw`, problem);
    },

    /** Debug mode. */
    debug: ({ kind, detail }) => {
      console.info('endcap', kind, detail);
      for (const warning of detail?.answer?.warnings ?? []) console.info(worded(warning));
      if (kind !== 'captured' || EVENTS.includes(detail.name)) return;
      // Names of events share words, so less is a slip among them.
      const meant = nearest(detail.name, EVENTS, SLIP - 1);
      if (meant && once(['name', detail.name].join()))
        console.warn(`endcap: "${detail.name}" is an event of your own. Did you mean "${meant}"?`);
    },
  };

  return (kind, detail) => {
    const done = kinds[kind](detail);
    deliver();
    return done?.then(deliver);
  };
}
