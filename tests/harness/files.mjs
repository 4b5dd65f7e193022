/** Looking into folders that a browser writes. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether some file below a folder holds a text.
 *
 * @param {string} folder
 * @param {string} text ASCII.
 */
export function holds(folder, text) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.some((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text));
}
