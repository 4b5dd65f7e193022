/** As much of Protocol Buffers' wire format as Chromium's push connection needs. */

/** @typedef {[field: number, value: bigint | Buffer]} Field */

/** @param {bigint | number} value */
export function varint(value) {
  let rest = BigInt(value);
  const bytes = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest ? low | 128 : low);
  } while (rest);
  return Buffer.from(bytes);
}

/** @param {number} field @param {bigint | number} value */
export const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);

/** @param {number} field @param {bigint} value */
export function fixed64(field, value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

/** @param {number} field @param {string | Buffer} value */
export function bytes(field, value) {
  const content = Buffer.from(/** @type {string} */ (value));
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

/**
 * Reads a varint; null while its end has not arrived.
 *
 * @param {Buffer} buffer
 * @param {number} start
 * @returns {{value: bigint, end: number} | null}
 */
export function readVarint(buffer, start) {
  let value = 0n;
  for (let at = start, shift = 0n; at < buffer.length; at += 1, shift += 7n) {
    value |= BigInt(buffer[at] & 127) << shift;
    if (buffer[at] < 128) return { value, end: at + 1 };
  }
  return null;
}

/**
 * Reads the fields of a message; those of unknown wire types end it.
 *
 * @param {Buffer} message
 * @returns {Field[]}
 */
export function fieldsOf(message) {
  /** @type {Field[]} */
  const fields = [];
  for (let at = 0; at < message.length; ) {
    const key = readVarint(message, at);
    if (!key) break;
    const [field, type] = [Number(key.value >> 3n), Number(key.value & 7n)];
    const length = type === 2 ? readVarint(message, key.end) : null;
    if (type === 0) {
      const number = readVarint(message, key.end);
      if (!number) break;
      fields.push([field, number.value]);
      at = number.end;
    } else if (type === 1) {
      fields.push([field, message.readBigUInt64LE(key.end)]);
      at = key.end + 8;
    } else if (length) {
      at = length.end + Number(length.value);
      fields.push([field, message.subarray(length.end, at)]);
    } else break;
  }
  return fields;
}
