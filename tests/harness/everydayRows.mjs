/** What everyday batches write. */
import { Visitor } from './visitor.mjs';

/**
 * Rows that ten everyday batches of a visitor write: the least of several counts, because what the objects do by themselves at times is
 * none of a batch.
 *
 * @param {import('./edge.mjs').Edge} edge
 * @returns {Promise<number>}
 */
export async function everydayRows(edge) {
  const rows = async () => (await (await edge.fetch('/ec/dev/rows')).json()).rows_written;
  const everyday = async () => {
    const visitor = new Visitor(edge);
    await visitor.send([visitor.product('Viewed', 'p-0')]);
    const before = await rows();
    for (let n = 1; n <= 10; n += 1) await visitor.send([visitor.product('Viewed', `p-${n}`), visitor.page(`https://shop.example/p/${n}`)]);
    return (await rows()) - before;
  };
  return Math.min(await everyday(), await everyday(), await everyday(), await everyday());
}
