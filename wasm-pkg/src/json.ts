/**
 * JSON of whatever a page hands over. It takes nothing of the page's for granted: old libraries replace `JSON.stringify` or
 * give lists a `toJSON` of their own (Prototype.js), and properties hold elements, fibers, cycles and getters that throw.
 * What JSON cannot hold becomes text or is left out; the rest never suffers.
 */
import { hex, quietly } from './identity';

/** Longest text of an argument, in bytes: what else an event holds has room beside it. */
export const MOST = 24 * 1024;
/** Most objects of one member: what has more is a part of the page, and objects that name each other have no end. */
const OBJECTS = 9999;

const { propertyIsEnumerable, toString } = Object.prototype;
const encoder = new TextEncoder();
/** Bytes of a text. */
export const sizeOf = (text: string) => encoder.encode(text).length;
/** Bytes that are written of the text at hand, how many may be, and objects of its member that were looked at. */
let size: number;
let most: number;
let objects: number;
/** Names of the members that are left out, whole or in part. */
let left: string[];
let loses = false;

/** A value as JSON; undefined where there is none of it, or no room. `above`: what it lies in. */
function write(value: any, above: unknown[]): string | undefined {
  const kind = typeof value;
  const isList = Array.isArray(value);
  let text = '';
  if (value === null || kind === 'boolean' || Number.isFinite(value)) text = `${value}`;
  else if (kind === 'string' || kind === 'bigint')
    // Half a surrogate pair has an escape too.
    text = `"${`${value}`.replace(/["\\\p{Cc}\p{Cs}]/gu, (char) => '\\u' + hex(char.charCodeAt(0), 4))}"`;
  else {
    if (kind !== 'object' || size > most || ++objects > OBJECTS || above.includes(value)) return undefined;
    const within = [...above, value];
    if (!isList) {
      // A date says its time, whatever a library made of its `toJSON`.
      const said = value.toISOString ?? value.toJSON;
      if (said) return write(said.call(value), within);
      // An element, a window, a map, an error.
      if (toString.call(value) !== '[object Object]') return write(String(value), within);
    }
    for (const key in value) {
      if (!propertyIsEnumerable.call(value, key) || (isList && isNaN(+key))) continue;
      const start = size;
      if (!above[0]) objects = 0;
      let member: unknown = key;
      let part = quietly(() => write((member = value[key]), within));
      if (!isList) part &&= write(key, above) + ':' + part;
      // A list is cut, and leaves a quarter of the room to others; another object that has none is left out whole.
      if (part && size <= (isList ? most * 0.75 : most)) text += (text && ',') + part;
      else {
        if (isList || !above[0]) size = start;
        loses ||= member !== undefined && typeof member !== 'function';
      }
      if (loses && !above[0]) loses = left.push(key) < 0;
    }
    return size > most ? undefined : isList ? `[${text}]` : `{${text}}`;
  }
  size += sizeOf(text) + 1;
  return size > most ? undefined : text;
}

/** Writes a value in `room` bytes; adds to `out` the names of the members that it leaves out, whole or in part. */
export function json(value: unknown, out: string[] = [], room = Infinity): string {
  size = objects = 0;
  most = room;
  left = out;
  return quietly(() => write(value, [])) ?? 'null';
}
