/** A long test told as named steps; the first that fails ends it, with a picture of what the person saw then. */

/**
 * @param {import('node:test').TestContext} t
 * @param {import('./browserPage.mjs').BrowserPage & {name: string}} browser
 * @returns {(name: string, run: () => Promise<unknown>) => Promise<void>}
 */
export function stepsOf(t, browser) {
  return async (name, run) => {
    const start = Date.now();
    try {
      await run();
    } catch (error) {
      await browser.screenshot(`${browser.name}-failed`).catch(() => {});
      throw new Error(`step "${name}": ${reasonOf(error)}`, { cause: error });
    }
    t.diagnostic(`${browser.name}: ${name} (${Date.now() - start} ms)`);
  };
}

/**
 * The message of an error with those of its causes, which the test runner does not print.
 *
 * @param {unknown} error
 * @returns {string}
 */
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
}
