/**
 * The JSON writer that the loader brings (`wasm-pkg/src/json.ts`): whatever it is given, it ends soon, within its room, in JSON.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { build } from 'esbuild';
import { ROOT } from '../harness/paths.mjs';

const ROOM = 24 * 1024;

/** @type {(value: unknown, out?: string[], room?: number) => string} */
let json;
before(async () => {
  const { outputFiles } = await build({ entryPoints: [`${ROOT}wasm-pkg/src/json.ts`], bundle: true, format: 'esm', write: false });
  ({ json } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`));
});

/** What is written of a value, and what was left out. @param {unknown} value */
function written(value) {
  /** @type {string[]} */
  const left = [];
  return { read: JSON.parse(json(value, left, ROOM)), left };
}

test('what JSON holds is written as JSON has it', () => {
  const data = { a: 'x"\\\n\t\u2028😀', b: [1, -0.5, 1e21, true, null, [], {}], c: { 'd e': ' ' } };
  assert.deepEqual(written(data), { read: data, left: [] });
  assert.deepEqual(written([undefined, () => 1, 1]), { read: [1], left: [] });
  assert.equal(json(undefined), 'null');
  // Sparse lists, and lists with members.
  assert.deepEqual(written(Object.assign([1, , 3], { index: 4 })).read, [1, 3]);
});

test('what it cannot hold becomes text or is left out, and is named', () => {
  const cycle = { name: 'round', list: /** @type {unknown[]} */ ([]) };
  cycle.list.push(cycle, 1);
  const { read, left } = written({
    big: 10n, when: new Date(0), not: new Date(NaN), half: 'a\ud800', error: new Error('no'), url: new URL('https://a.example/'),
    get thrower() { throw new Error('a getter'); }, cycle, gone: undefined, act() {}, symbol: Symbol('s'), proxy: new Proxy({}, { ownKeys() { throw new Error('a trap'); } }),
  });
  assert.deepEqual(read, { big: '10', when: '1970-01-01T00:00:00.000Z', half: 'a\ud800', error: 'Error: no', url: 'https://a.example/', cycle: { name: 'round', list: [1] } });
  assert.deepEqual(left.sort(), ['cycle', 'not', 'proxy', 'symbol', 'thrower']);
});

test('room is in bytes, a list is cut, an object that has none is left out, and the rest stays', () => {
  const line = (/** @type {number} */ at) => ({ id: at, name: '長い名前' });
  const { read, left } = written({ lines: Array.from({ length: 5000 }, (_, at) => line(at)), note: '長'.repeat(9000), numbers: Array.from({ length: 20_000 }, (_, at) => at), last: 'kept' });
  assert.ok(read.lines.length > 300 && read.lines.every((/** @type {any} */ one, /** @type {number} */ at) => one.id === at && one.name));
  assert.deepEqual([read.note, read.last], [undefined, 'kept']);
  assert.ok(Buffer.byteLength(JSON.stringify(read)) < ROOM + 1024);
  assert.deepEqual(left, ['lines', 'note', 'numbers']);
});

test('objects that name each other end soon', () => {
  const web = Array.from({ length: 14 }, (_, id) => ({ id, related: /** @type {unknown[]} */ ([]) }));
  for (const one of web) one.related.push(...web);
  let reads = 0;
  const counted = new Proxy(web[0], { get: (target, key) => ((reads += 1), Reflect.get(target, key)) });
  const { read } = written({ web: [counted, ...web], price: 5 });
  assert.equal(read.price, 5);
  assert.ok(reads < 100_000, `${reads} reads`);
});

test('random members cost no other member', () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  /** @param {number} below A number from 0 on (Lehmer's generator). */
  const random = (below) => ((state = (state * 48271) % 2147483647), state % below);
  const bad = () => { throw new Error('odd'); };
  /** @type {((depth: number) => unknown)[]} */
  const odd = [
    () => undefined, () => null, () => NaN, () => -Infinity, () => 10n ** 40n, () => Symbol('odd'), () => bad, () => new Date(NaN), () => new Date(),
    () => 'x'.repeat(random(2) ? random(40) : 60_000), () => '\ud83d'.repeat(random(9)), () => new Map([[1, 2]]), () => new Error('odd'), () => new Proxy({}, { ownKeys: bad, get: bad }),
    () => Object.create(null), () => Object.defineProperty({}, 'a', { enumerable: true, get: bad }), () => ({ toJSON: bad }), () => ({ toISOString: 5 }),
    () => new Uint8Array(random(20)), () => new Array(random(50_000)), () => { const one = /** @type {any} */ ({ list: [] }); one.list.push(one, [one]); return one; },
    (depth) => Array.from({ length: random(5) }, () => value(depth)),
    (depth) => Object.fromEntries(Array.from({ length: random(5) }, (_, at) => [`${at}"\u0000`, value(depth)])),
  ];
  /** @param {number} depth @returns {unknown} */
  const value = (depth) => (depth > 3 ? 1 : odd[random(odd.length)](depth + 1));
  for (let round = 0; round < 3000; round += 1) {
    const given = { first: 'kept', odd: value(0), amount: 12.5, more: value(0), last: { kept: ['yes'] } };
    const { read } = written(given);
    assert.deepEqual([read.first, read.amount, read.last], ['kept', 12.5, { kept: ['yes'] }], `seed ${seed}, round ${round}`);
  }
});
