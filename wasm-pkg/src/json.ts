/**
 * JSON of whatever a page hands over. It takes nothing of the page's for granted: old libraries replace `JSON.stringify` or
 * give lists a `toJSON` of their own (Prototype.js), and properties hold elements, fibers, cycles and getters that throw.
 * What JSON cannot hold becomes text or is left out; the rest never suffers.
 */
import { hex, quietly } from './identity';

/** Longest text of an argument, in characters: what else an event holds has room beside it. */
export const MOST = 24 * 1024;
/** What an object or a list takes of it beside its members, at least. */
const OBJECT = 9;

const { propertyIsEnumerable, toString } = Object.prototype;
/** How much of the text at hand is written, and how much may be. */
let size: number;
let most: number;
/** Names of the members that are left out, whole or in part. */
let left: string[];
let loses = false;

/** A value as JSON; undefined where there is none of it, or no room. `above`: what it lies in. */
function write(value: any, above: unknown[]): string | undefined {
  const kind = typeof value;
  const isList = Array.isArray(value);
  let text = '';
  if (value === null || kind === 'boolean' || Number.isFinite(value)) return `${value}`;
  if (kind === 'string' || kind === 'bigint') {
    // Half a surrogate pair has an escape too.
    text = `"${`${value}`.replace(/["\\\p{Cc}\p{Cs}]/gu, (char) => '\\u' + hex(char.charCodeAt(0), 4))}"`;
    size += text.length;
  } else {
    if (kind !== 'object' || size > most || above.includes(value)) return undefined;
    const within = [...above, value];
    if (!isList) {
      // A date says its time, whatever a library made of its `toJSON`.
      const said = value.toISOString ?? value.toJSON;
      if (said) return write(said.call(value), within);
      // An element, a window, a map, an error.
      if (toString.call(value) !== '[object Object]') return write(String(value), within);
    }
    size += OBJECT;
    for (const key in value) {
      if (!propertyIsEnumerable.call(value, key) || (isList && isNaN(+key))) continue;
      const start = size;
      let member: unknown = key;
      let part = quietly(() => write((member = value[key]), within));
      if (!part) loses ||= member !== undefined && typeof member !== 'function';
      if (!isList) part &&= write(key, above) + ':' + part;
      else if (size <= most) part ??= 'null';
      if (part && size <= most) text += (text && ',') + part;
      // An object that has no room is left out whole, a list is cut.
      else if (isList || !above[0]) size = start;
      if (loses && !above[0]) loses = left.push(key) < 0;
    }
    text = isList ? `[${text}]` : `{${text}}`;
  }
  return size > most ? undefined : text;
}

/** Writes a value in `room` characters; adds to `out` the names of the members that it leaves out, whole or in part. */
export function json(value: unknown, out: string[] = [], room = Infinity): string {
  size = 0;
  most = room;
  left = out;
  return quietly(() => write(value, [])) ?? 'null';
}
