/** Identifiers as the SDK makes them. */
import { randomBytes, randomUUID } from 'node:crypto';

/**
 * A UUIDv7 (RFC 9562 §5.7).
 *
 * @param {number} [at] Unix time in milliseconds.
 */
export function uuidv7(at = Date.now()) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(at, 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** A random identifier for a device, an anonymous visitor or a session. @returns {string} */
export const uuid = () => randomUUID();

const BUCKETS = 1024;

/**
 * The virtual bucket of an identifier: FNV-1a with the murmur3 finaliser, written here independently of the Rust code
 * so that a change there shows as a failing test.
 *
 * @param {string} id
 */
export function bucketOf(id) {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % BUCKETS;
}
