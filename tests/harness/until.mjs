/**
 * Waiting for things to become true.
 *
 * A test never sleeps for a length of time that somebody guessed: it names a condition and the longest that it may
 * take, and goes on in the moment the condition holds.
 */

const STEP_MS = 25;
/** Long, because machines that run tests for others can be slow; what holds is seen at once all the same. */
const WITHIN_MS = 15_000;

/**
 * Calls `probe` until it returns something truthy and resolves to that value.
 *
 * @template T
 * @param {() => T | Promise<T>} probe May throw while the thing is not there yet; the last error is reported.
 * @param {{what?: string, within?: number, every?: number}} [options] `within` and `every` are milliseconds.
 * @returns {Promise<Exclude<NonNullable<T>, false | 0 | ''>>}
 */
export async function until(probe, { what = probe.toString(), within = WITHIN_MS, every = STEP_MS } = {}) {
  const deadline = Date.now() + within;
  for (;;) {
    const { value, error } = await attempt(probe);
    if (value) return value;
    if (Date.now() >= deadline) {
      throw new Error(`not within ${within} ms: ${what}`, { cause: error ?? new Error(`last value: ${show(value)}`) });
    }
    await pause(every);
  }
}

/**
 * Fails when `promise` is not settled within `within` milliseconds.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what
 * @param {number} within
 * @returns {Promise<T>}
 */
export async function deadline(promise, what, within) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${within} ms: ${what}`)), within);
  });
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * @template T
 * @param {() => T | Promise<T>} probe
 * @returns {Promise<{value?: any, error?: unknown}>}
 */
async function attempt(probe) {
  try {
    return { value: await probe() };
  } catch (error) {
    return { error };
  }
}

/** @param {unknown} value */
function show(value) {
  return JSON.stringify(value)?.slice(0, 400) ?? String(value);
}
