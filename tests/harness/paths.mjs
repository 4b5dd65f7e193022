/** Where things are, as absolute paths. */
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Everything generated. */
export const TARGET = `${ROOT}target`;
/** What the browser tests saw, for people to look at. */
export const SCREENSHOTS = `${TARGET}/screenshots`;
