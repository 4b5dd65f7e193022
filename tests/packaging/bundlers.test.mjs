/**
 * Shops that install the packed tarball and build their pages with Vite, with webpack, or not at all: each opened in
 * Chromium in front of the real edge, where what it tracks arrives.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { build, createLogger } from 'vite';
import webpack from 'webpack';
import { Chromium } from '../harness/chromium.mjs';
import { Edge } from '../harness/edge.mjs';
import { ROOT, TARGET } from '../harness/paths.mjs';
import { PRODUCTS } from '../harness/shopData.mjs';
import { until } from '../harness/until.mjs';

const TARBALL = `${TARGET}/pack/endcap.tgz`;

/** What each shop says of itself, so that its event cannot be another's. @param {string} shop */
const STARTS = (shop) => `import { init, page, track, flush, anonymousId } from 'endcap';
init({ source: 'demo', consent: 'granted' });
page('Home');
track('Opened ${shop}');
globalThis.shop = { flush, anonymousId };`;

const REACT = `import { createElement as h } from 'react';
import { createRoot } from 'react-dom/client';
import { track, flush, anonymousId } from 'endcap';
import { Slot, useDecision, useEndcap } from 'endcap/react';
function Shop() {
  useEndcap({ source: 'demo', consent: 'granted' });
  const decision = useDecision();
  return h('main', null, h('output', null, decision?.stage), h(Slot, { name: 'home', limit: 3, heading: 'For you' }));
}
createRoot(document.getElementById('root')).render(h(Shop));
track('Opened react');
globalThis.shop = { flush, anonymousId };`;

const SERVER = `import * as endcap from 'endcap';
import { renderToString } from 'react-dom/server';
import { createElement as h } from 'react';
import { Slot, useDecision, useEndcap } from 'endcap/react';
const before = Reflect.ownKeys(globalThis).length;
function Shop() {
  useEndcap({ source: 'demo' });
  return h('main', null, String(useDecision()), h(Slot, { name: 'home', limit: 3 }));
}
endcap.init({ source: 'demo', consent: 'granted' });
endcap.track('Opened');
const html = renderToString(h(Shop));
console.log(JSON.stringify([Reflect.ownKeys(globalThis).length - before, endcap.anonymousId(), html]));`;

/** @param {string} script */
const html = (script) =>
  `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><div id="root"></div>${script}</html>`;

/** Sources of the shops, by their path in the project. */
const SOURCES = {
  'package.json': '{"name":"shop","private":true,"type":"module"}',
  'vite/index.html': html('<script type="module" src="./main.js"></script>'),
  'vite/main.js': STARTS('vite'),
  'react/index.html': html('<script type="module" src="./main.js"></script>'),
  'react/main.js': REACT,
  'webpack/main.js': STARTS('webpack'),
  'server/main.js': SERVER,
};
const TYPES = /** @type {Record<string, string>} */ ({ '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' });

let project = '';
/** @type {Edge} */
let edge;
/** @type {Chromium} */
let chromium;
/** @type {string[]} What Vite had to say about the package. */
const warnings = [];

before(async () => {
  assert.ok(existsSync(TARBALL), `${TARBALL} is missing: run \`cargo xtask build\` first`);
  project = mkdtempSync(join(tmpdir(), 'endcap-shops-'));
  for (const [file, text] of Object.entries(SOURCES)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', TARBALL], { cwd: project, stdio: 'pipe' });
  for (const name of ['react', 'react-dom']) symlinkSync(`${ROOT}node_modules/${name}`, join(project, 'node_modules', name));
  await viteBuild('vite');
  await viteBuild('react');
  await webpackBuild();
  edge = await Edge.start({ pages: { ...built(), ...tagged() } });
  await edge.api.set('/api/products', { products: PRODUCTS.map((one) => ({ ...one, image: '/ec/none.svg' })) });
  await edge.api.set('/api/settings', { push_prompt: { enabled: false } });
  chromium = await Chromium.launch();
});
after(async () => {
  await chromium?.close();
  await edge?.stop();
  rmSync(project, { recursive: true, force: true });
});

/** @param {string} shop @param {import('vite').BuildOptions} [options] */
function viteBuild(shop, options) {
  const logger = createLogger('warn');
  logger.warn = (text) => warnings.push(text);
  logger.warnOnce = logger.warn;
  return build({
    root: join(project, shop),
    base: `/${shop}/`,
    configFile: false,
    customLogger: logger,
    build: { outDir: join(project, 'built', shop), emptyOutDir: true, ...options },
    ...(options?.ssr && { ssr: { noExternal: true } }),
  });
}

/** @returns {Promise<void>} */
function webpackBuild() {
  const output = { path: join(project, 'built/webpack'), filename: 'main.js' };
  const entry = join(project, 'webpack/main.js');
  return new Promise((resolve, reject) => {
    webpack({ mode: 'production', context: project, entry, output }, (error, stats) => {
      const said = stats?.toString({ all: false, errors: true, warnings: true });
      if (error || said) reject(error ?? new Error(said));
      else resolve();
    });
  });
}

/** What was built, as pages; webpack leaves the page itself to the shop. */
function built() {
  const folder = join(project, 'built');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const pages = files.map((one) => {
    const file = join(one.parentPath ?? one.path, one.name);
    const path = file.slice(folder.length).replace('index.html', '');
    return [path, { html: readFileSync(file, 'utf8'), headers: { 'Content-Type': TYPES[extname(file)] } }];
  });
  return { ...Object.fromEntries(pages), '/webpack/': { html: html('<script defer src="/webpack/main.js"></script>') } };
}

/** A shop that builds nothing and serves the package's script by itself. */
function tagged() {
  const script = readFileSync(join(project, 'node_modules/endcap/dist/endcap.js'), 'utf8');
  const stub = `<script>window.endcap = [['track', ['Opened tag'], 0, Date.now()]];</script>`;
  const tag = '<script async src="/js/endcap.js" data-prefix="/ec" data-source="demo" data-consent="granted"></script>';
  return {
    '/tag/': { html: html(stub + tag) },
    '/js/endcap.js': { html: script, headers: { 'Content-Type': 'text/javascript' } },
  };
}

/** @param {string} shop Opens the shop and waits until the edge has what it tracked. */
async function arrives(shop) {
  chromium.errors.length = 0;
  await chromium.context.clearCookies();
  await chromium.open(`${edge.origin}/${shop}/`);
  await until(() => chromium.evaluate(() => Boolean(/** @type {any} */ (window).shop ?? /** @type {any} */ (window).endcap?.flush)));
  const id = await until(() => chromium.evaluate(whoAfterFlush), { what: 'the page has an anonymous ID' });
  await until(async () => {
    const { events } = await edge.api.profile({ anonymous_id: id });
    return events.some((/** @type {any} */ one) => one.name === `Opened ${shop}`);
  });
  assert.deepEqual(chromium.errors.filter((text) => !text.includes('404')), []);
}

/** Runs in the page. */
async function whoAfterFlush() {
  const { shop, endcap } = /** @type {any} */ (window);
  const api = shop ?? endcap;
  await api.flush();
  return api.anonymousId();
}

test('built with Vite, without a warning', async () => {
  assert.deepEqual(warnings, []);
  await arrives('vite');
});

test('built with webpack', () => arrives('webpack'));

test('with the script tag alone, served by the shop', () => arrives('tag'));

test('with React: the decision is state, and the slot is filled', async () => {
  await arrives('react');
  await chromium.see('output', { text: /^\w+$/ });
  await until(async () => (await chromium.count('endcap-slot >>> a')) === 3, { what: 'three products' });
});

test('the core is fetched from the edge, not bundled', () => {
  const files = readdirSync(join(project, 'built'), { recursive: true }).map(String);
  assert.deepEqual(files.filter((file) => file.endsWith('.wasm')), []);
});

test('built for a server, it renders and leaves the process as it was', async () => {
  await viteBuild('server', { ssr: 'main.js' });
  const [file] = readdirSync(join(project, 'built/server')).filter((name) => name.startsWith('main'));
  const printed = execFileSync(process.execPath, [join(project, 'built/server', file)], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(printed), [0, null, '<main>undefined<endcap-slot name="home" limit="3"></endcap-slot></main>']);
});

test('the service worker starts from where the package says', async () => {
  await chromium.open(`${edge.origin}/tag/`);
  const state = await chromium.evaluate(async () => {
    const registration = await navigator.serviceWorker.register('/endcap-sw.js', { scope: '/endcap-sw/' });
    const worker = registration.installing ?? registration.waiting ?? registration.active;
    if (worker && worker.state !== 'activated') {
      await new Promise((resolve) => worker.addEventListener('statechange', () => worker.state === 'activated' && resolve(undefined)));
    }
    return worker?.state;
  });
  assert.equal(state, 'activated');
  const served = await (await edge.fetch('/endcap-sw.js')).text();
  assert.equal(served, readFileSync(join(project, 'node_modules/endcap/dist/endcap-sw.js'), 'utf8'));
});
