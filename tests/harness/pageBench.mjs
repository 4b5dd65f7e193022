/**
 * What a tracker costs a page: the same page alone and with each tracker, in Chromium slowed down as a phone of the
 * middle class is, cold each time, the trackers taking turns so that a busy moment of the machine meets all of them.
 *
 * Arguments: number of runs. Prints the median of each figure as JSON. `cargo xtask bench page` calls it.
 */
import { BenchPages, TRACKERS } from './benchPages.mjs';
import { Chromium } from './chromium.mjs';
import { Edge } from './edge.mjs';

const THROTTLE = 4;
/** Milliseconds from the navigation on that are measured: trackers that send in bundles wait up to three seconds. */
const WINDOW_MS = 6000;

/** @typedef {{task_ms: number, script_ms: number, blocking_ms: number, shift: number, bytes: number}} Figures */

/** Runs in the page before anything else. */
function observe() {
  const seen = { blocking: 0, shift: 0 };
  Object.assign(window, { seen });
  const on = (/** @type {string} */ type, /** @type {(entry: any) => void} */ take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  // Total blocking time as web.dev defines it: what of a task is over 50 ms.
  on('longtask', (entry) => (seen.blocking += Math.max(0, entry.duration - 50)));
  on('layout-shift', (entry) => (seen.shift += entry.value));
}

/**
 * @param {BenchPages} pages
 * @param {string} tracker
 * @returns {Promise<Figures>}
 */
async function measure(pages, tracker) {
  const browser = await Chromium.launch();
  try {
    const { context, page } = browser;
    await page.addInitScript(observe);
    const session = await context.newCDPSession(page);
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await session.send('Network.enable');
    await session.send('Performance.enable');
    await session.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
    pages.sent = [];
    await page.goto(`http://${pages.host}/${tracker}`);
    await page.waitForTimeout(WINDOW_MS);
    const { metrics } = await session.send('Performance.getMetrics');
    const seconds = (/** @type {string} */ name) => metrics.find((metric) => metric.name === name)?.value ?? NaN;
    const { blocking, shift } = await page.evaluate(() => /** @type {any} */ (window).seen);
    const { sends } = TRACKERS[tracker];
    if (sends && !pages.sent.some((path) => path.includes(sends))) throw new Error(`${tracker} sent nothing`);
    return { task_ms: seconds('TaskDuration') * 1000, script_ms: seconds('ScriptDuration') * 1000, blocking_ms: blocking, shift, bytes };
  } finally {
    await browser.close();
  }
}

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const runs = Number(process.argv[2]);
const sources = { ENDCAP_SOURCES: '{"demo":["*"]}', ENDCAP_DEV: '0', ENDCAP_SNAPSHOT_TTL_MS: '30000' };
const edge = await Edge.start({ variables: sources });
const pages = await BenchPages.start(edge.origin);
/** @type {Record<string, Figures[]>} */
const all = Object.fromEntries(Object.keys(TRACKERS).map((tracker) => [tracker, []]));
try {
  // The first round warms caches of the machine and is not counted.
  for (let run = 0; run <= runs; run += 1) {
    for (const [tracker, list] of Object.entries(all)) {
      const figures = await measure(pages, tracker);
      if (run) list.push(figures);
    }
  }
} finally {
  await pages.close();
  await edge.stop();
}
const medians = Object.entries(all).map(([tracker, list]) => {
  const names = /** @type {(keyof Figures)[]} */ (Object.keys(list[0]));
  return [tracker, Object.fromEntries(names.map((name) => [name, median(list.map((one) => one[name]))]))];
});
console.log(JSON.stringify({ throttle: THROTTLE, runs, pages: Object.fromEntries(medians) }));
