/** The npm package as people get it: the packed tarball, not the sources. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { ROOT, TARGET } from '../harness/paths.mjs';

const TARBALL = `${TARGET}/pack/endcap.tgz`;
const KB = 1024;

/** A project of its own in which the tarball is installed, far from the repository's node_modules. */
let project = '';
let installed = '';
before(() => {
  assert.ok(existsSync(TARBALL), `${TARBALL} is missing: run \`cargo xtask build\` first`);
  project = mkdtempSync(join(tmpdir(), 'endcap-package-'));
  writeFileSync(join(project, 'package.json'), '{"name":"consumer","private":true,"type":"module"}');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', TARBALL], { cwd: project, stdio: 'pipe' });
  installed = join(project, 'node_modules/endcap');
});
after(() => rmSync(project, { recursive: true, force: true }));

/** @param {string} folder @returns {string[]} */
const filesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));

/** @param {string} file */
const brotli = (file) =>
  brotliCompressSync(readFileSync(join(installed, file)), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

/**
 * Runs a script in the consumer's project.
 *
 * @param {string} code
 * @param {...string} flags
 */
const run = (code, ...flags) =>
  execFileSync(process.execPath, [...flags, '--input-type=module', '-e', code], { cwd: project, encoding: 'utf8' });

test('it holds what is needed and nothing else', () => {
  const files = filesBelow(installed);
  for (const needed of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/endcap.js']) {
    assert.ok(files.includes(needed), `${needed} is missing`);
  }
  const allowed = /^(package\.json|README\.md|LICENSE|dist\/integrity\.json|dist\/[\w.-]+\.(js|wasm|d\.ts))$/;
  assert.deepEqual(files.filter((file) => !allowed.test(file)), []);
  assert.equal(files.filter((file) => file.endsWith('.wasm')).length, 1, 'one copy of the WebAssembly');
});

test('every file that package.json names is there', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const named = [manifest.main, manifest.module, manifest.types, ...leaves(manifest.exports)];
  for (const file of named) assert.ok(existsSync(join(installed, file)), file);
  assert.deepEqual([manifest.dependencies, manifest.scripts], [undefined, undefined]);
  assert.equal(manifest.license, 'Apache-2.0');
});

/** @param {unknown} tree @returns {string[]} */
function leaves(tree) {
  if (typeof tree === 'string') return [tree];
  return Object.values(/** @type {object} */ (tree)).flatMap(leaves);
}

test('nothing in it names the machine that built it, and no source map is left dangling', () => {
  for (const file of filesBelow(installed)) {
    const text = readFileSync(join(installed, file), 'latin1');
    assert.ok(!text.includes(ROOT), `${file} names ${ROOT}`);
    assert.ok(!/\/(root|home)\/[\w.]+\/\.(cargo|rustup)/.test(text), `${file} names a home folder`);
    assert.ok(!/sourceMappingURL=(?!data:)/.test(text), `${file} refers to a source map`);
  }
});

test('importing it on a server does nothing and breaks nothing', () => {
  const code = `
    const before = Reflect.ownKeys(globalThis).length;
    const endcap = await import('endcap');
    endcap.init({ source: 'shop' });
    endcap.page();
    endcap.track('Product Viewed', { product_id: 'a' });
    endcap.identify('u');
    endcap.consent('granted');
    endcap.reset();
    const off = endcap.on('decision', () => {});
    off();
    await endcap.flush();
    const push = await endcap.requestPush();
    console.log(JSON.stringify([Reflect.ownKeys(globalThis).length - before, push, endcap.anonymousId()]));`;
  assert.deepEqual(JSON.parse(run(code)), [0, 'unsupported', null]);
});

/**
 * What the compiler says of code in the consumer's project; nothing where its types are right.
 *
 * @param {string} file
 * @param {string} code
 * @param {...string} more Options.
 */
function typed(file, code, ...more) {
  writeFileSync(join(project, file), code);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', ...more];
  try {
    execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, ...options, file], { cwd: project });
    return '';
  } catch (error) {
    return String(/** @type {any} */ (error).stdout);
  }
}

test('its types accept right calls and refuse wrong ones', () => {
  const compile = (/** @type {string} */ code) => typed('check.ts', code);
  const right = `
    import { init, track, identify, consent, on, requestPush, anonymousId } from 'endcap';
    init({ source: 'shop', consent: 'pending' });
    track('Product Viewed', { product_id: 'a', price: 1 });
    interface Line { product_id: string; price: string; quantity: number }
    const line: Line = { product_id: 'a', price: '1.299,00 €', quantity: 0.5 };
    track('Product Viewed', line);
    track('Product Added', line);
    track('Order Completed', { order_id: 7, revenue: 10, products: [line] });
    interface Size { size: number }
    const size: Size = { size: 42 };
    track('Size Guide Opened', size);
    const name: string = 'Product Viewed';
    track(name, { anything: true });
    identify({ email: 'a@b.example' });
    identify('u', { email: 'a@b.example' }, { proof: 'ff' });
    consent({ analytics: true, personalization: false, marketing: false });
    const off: () => void = on('decision', () => {});
    const asked: Promise<'granted' | 'denied' | 'dismissed' | 'unsupported'> = requestPush();
    const id: string | null = anonymousId();
    export { off, asked, id };`;
  assert.equal(compile(right), '');
  const ofProduct = ['Product Viewed', 'Product Clicked', 'Product Added', 'Product Removed'].map((name) => `track('${name}', { prodct_id: 'a' })`);
  const ofOthers = ['Cart Viewed', 'Checkout Started', 'Order Completed', 'Product List Viewed', 'Products Searched'].map((name) => `track('${name}', { prodcts: [] })`);
  for (const wrong of [...ofProduct, ...ofOthers, "init({})", "track(7)", "consent('perhaps')", "on('nothing', () => {})",
    "track('Order Completed', { order_id: {} })", "track('Cart Viewed', { products: 'a' })"]) {
    const name = wrong.split('(')[0];
    assert.match(compile(`import { ${name} } from 'endcap';\n${wrong};`), /error TS/, wrong);
  }
});

test('the slot is known to JSX', () => {
  const types = join(project, 'node_modules/@types');
  mkdirSync(types, { recursive: true });
  for (const [name, place] of [['react', 'node_modules'], ['csstype', 'node_modules'], ['@types/react', 'node_modules']])
    if (!existsSync(join(project, String(place), String(name)))) symlinkSync(`${ROOT}node_modules/${name}`, join(project, String(place), String(name)));
  const compile = (/** @type {string} */ element) => typed('check.tsx', `import 'endcap/react';\nexport const view = ${element};`, '--jsx', 'react-jsx');
  assert.equal(compile('<endcap-slot name="home" limit={4} heading="Picked for you" className="slot" />'), '');
  assert.match(compile('<endcap-slot limit={4} />'), /error TS.*name/s);
});

test('it carries the very files that the edge serves, and their integrity', () => {
  /** @type {Record<string, string>} */
  const integrity = JSON.parse(readFileSync(join(installed, 'dist/integrity.json'), 'utf8'));
  for (const name of ['endcap.js', 'core.js', 'core.wasm', 'fallback.js', 'endcap-sw.js']) {
    const packed = readFileSync(join(installed, 'dist', name));
    const served = name === 'endcap-sw.js' ? name : `ec/${name}`;
    assert.ok(packed.equals(readFileSync(`${TARGET}/edge-assets/${served}`)), `${name} is another file`);
    assert.equal(integrity[name], `sha384-${createHash('sha384').update(packed).digest('base64')}`, name);
  }
});

test('its React bindings are small and bring no React', () => {
  assert.ok(brotli('dist/react.js') < 0.5 * KB);
  assert.match(readFileSync(join(installed, 'dist/react.js'), 'utf8'), /from "react"/);
});

test('the worker fits into the free plan', () => {
  const wrangler = `${ROOT}node_modules/wrangler/bin/wrangler.js`;
  const folder = join(project, 'deploy');
  const flags = ['deploy', '--dry-run', '--config', `${ROOT}edge/wrangler.toml`, '--outdir', folder];
  const environment = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' };
  const text = execFileSync(process.execPath, [wrangler, ...flags], { encoding: 'utf8', env: environment });
  const [, size, unit] = /gzip: ([\d.]+) (KiB|MiB)/.exec(text) ?? [];
  assert.ok(size, text);
  // Three megabytes of gzip; `cargo xtask size` says the same of the files before they are bundled.
  assert.ok(Number(size) * (unit === 'MiB' ? 1024 : 1) < 3_000_000 / 1024, `${size} ${unit}`);
  assert.ok(statSync(folder).isDirectory());
});
