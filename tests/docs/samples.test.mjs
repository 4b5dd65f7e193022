/**
 * The samples of the book, run in order against a fresh `cargo xtask dev`, as somebody who reads it would.
 *
 * Fenced blocks say by their first word what they are: `sh` is run by a shell that keeps its variables, and what it prints
 * last has to contain the `json` block after it; `html` is a page of one's own, opened in a browser; `js` runs in that
 * page; `js node`, `python` and `php` are run by themselves. Anything else, such as `console`, is only shown. A comment
 * `test: see SELECTOR | TEXT` loads the page again and waits.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { DevServer } from '../harness/devServer.mjs';
import { ROOT } from '../harness/paths.mjs';
import { StaticSite } from '../harness/staticSite.mjs';
import { until } from '../harness/until.mjs';

/** In the order in which a newcomer reads them. */
const PAGES = [
  'docs/src/start.md',
  'docs/src/server-api.md',
  'docs/src/events.md',
  'docs/src/repairs.md',
  'docs/src/identify.md',
  'docs/src/pop-ups.md', 'docs/src/segments.md', 'docs/src/conditions.md',
  'docs/src/models.md',
  'docs/src/recommendations.md',
  'docs/src/webhooks.md',
  'docs/src/messages.md',
  'docs/src/operate.md',
  'README.md',
];
/** What the book says `cargo xtask dev` answers at. */
const WRITTEN = 'http://127.0.0.1:8787';
/** Who is identified in the page. */
const USER = 'c-1001';

/** @typedef {{kind: string, text: string, line: number}} Block */

/** @type {DevServer} */
let server;
/** Where the reader's shell is. */
const folder = mkdtempSync(join(tmpdir(), 'endcap-reader-'));
before(async () => {
  server = await DevServer.start();
  symlinkSync(server.home, join(folder, '.endcap'));
  writeFileSync(join(folder, 'variables'), '');
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a shop has set up. */
async function configuration() {
  const paths = ['campaigns', 'products', 'settings', 'webhooks'];
  return Promise.all(paths.map(async (path) => (await server.api.get(`/api/${path}`)).body));
}

/** The blocks of a page, and its remarks to this test. @param {string} file @returns {Block[]} */
function blocks(file) {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  /** @type {Block[]} */
  const found = [];
  /** @type {Block | undefined} */
  let open;
  for (const [at, line] of lines.entries()) {
    const remark = /^<!-- test: (.+) -->$/.exec(line);
    if (open) {
      if (line.startsWith('```')) open = undefined;
      else open.text += `${line.replaceAll(WRITTEN, server.origin)}\n`;
    } else if (line.startsWith('```')) found.push((open = { kind: line.slice(3), text: '', line: at + 1 }));
    else if (remark) found.push({ kind: 'remark', text: remark[1], line: at + 1 });
  }
  return found;
}

/** Runs a block in the reader's shell. @param {string} text @param {string} visitor Their anonymous ID. @returns {string} What it prints. */
function shell(text, visitor) {
  const script = `set -euo pipefail -o allexport
    source ./variables
    ANON=$1
    curl() { command curl --silent --show-error --fail-with-body --write-out '\\n' "$@"; }
    ${text}
    unset -f curl; export -p > ./variables`;
  const ran = spawnSync('bash', ['-c', script, 'reader', visitor], { cwd: folder, encoding: 'utf8' });
  assert.equal(ran.status, 0, `${text}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

/** @param {any} actual @param {any} expected Everything that it says holds. @returns {boolean} */
function contains(actual, expected) {
  if (Array.isArray(expected)) return actual?.length === expected.length && expected.every((one, at) => contains(actual[at], one));
  if (expected === null || typeof expected !== 'object') return actual === expected;
  return Object.entries(expected).every(([name, value]) => contains(actual?.[name], value));
}

/** A browser with a page of one's own. */
class Reader {
  /** @type {Chromium | undefined} */
  #browser;
  /** @type {StaticSite | undefined} */
  #site;

  /** Whether a page is open. */
  get isOpen() {
    return Boolean(this.#browser);
  }

  get browser() {
    if (!this.#browser) throw new Error('no page is open');
    return this.#browser;
  }

  /** Opens a page, and waits until its first events arrived. @param {string} html @returns {Promise<string>} Its anonymous ID. */
  async open(html) {
    await this.close();
    this.#site = await StaticSite.start({ '/': ['text/html', html] });
    this.#browser = await Chromium.launch();
    return this.load();
  }

  async load() {
    const { browser } = this;
    await browser.open(`${this.#site?.origin}/`);
    await browser.evaluate(listen);
    const id = await until(() => browser.evaluate(anonymousId), { what: 'the page knows who its visitor is' });
    const profile = `/api/profiles?anonymous_id=${id}`;
    await until(async () => (await server.api.get(profile)).status === 200, { what: 'its first events arrived' });
    return id;
  }

  /** @param {string} code @param {string} proof */
  async run(code, proof) {
    const errors = await this.browser.evaluate(runInPage, code, proof);
    assert.deepEqual(errors, [], code);
  }

  /** Loads the page again, as often as it takes until the edge knows what was changed. @param {string} selector @param {RegExp} text */
  async sees(selector, text) {
    await this.load();
    return this.browser.see(selector, { text, within: 5000 });
  }

  async close() {
    await this.#browser?.close();
    await this.#site?.close();
  }
}

/** In the page: remembers what Endcap complains about. */
function listen() {
  const { endcap } = /** @type {any} */ (window);
  endcap.on('error', (/** @type {unknown} */ error) => (/** @type {any} */ (window).complaints ??= []).push(error));
}

/** In the page: the anonymous ID, once the edge knows it. */
async function anonymousId() {
  const { endcap } = /** @type {any} */ (window);
  if (typeof endcap.anonymousId !== 'function') return '';
  await endcap.flush();
  return endcap.anonymousId();
}

/** In the page: asks about notifications, as a button of the shop's would. */
function ask() {
  return /** @type {any} */ (window).endcap.requestPush();
}

/** In the page: runs a sample, and waits until the edge answered. @param {string} code @param {string} proof */
async function runInPage(code, proof) {
  const { endcap } = /** @type {any} */ (window);
  new Function('proof', code)(proof);
  await endcap.flush();
  return /** @type {any} */ (window).complaints ?? [];
}

/** Runs a sample of a server's language. @param {string} program @param {string} name @param {string} text */
function program(program, name, text) {
  const file = join(folder, name);
  writeFileSync(file, text);
  const ran = spawnSync(program, [file], { encoding: 'utf8', env: { ...process.env, ENDCAP_IDENTITY_SECRET: 'Jefe' } });
  if (ran.error) return undefined;
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stdout.trim();
}

const PROGRAMS = new Map([
  ['js node', ['node', 'sample.mjs']],
  ['python', ['python3', 'sample.py']],
  ['php', ['php', 'sample.php']],
  ['ruby', ['ruby', 'sample.rb']],
]);

/** The page of one's own that `js` samples run in, where a page of the book has none itself. */
const own = () => blocks('docs/src/start.md').find(({ kind }) => kind === 'html')?.text ?? '';

for (const file of PAGES) {
  test(`${file}: every sample does what it says`, { timeout: 120_000 }, async (t) => {
    const before = await configuration();
    const reader = new Reader();
    t.after(() => reader.close());
    let visitor = '';
    const { ENDCAP_IDENTITY_SECRET } = JSON.parse(readFileSync(join(server.home, 'dev.json'), 'utf8'));
    const proof = createHmac('sha256', ENDCAP_IDENTITY_SECRET).update(USER).digest('hex');
    let printed = '';
    for (const { kind, text, line } of blocks(file)) {
      const where = `${file}:${line}`;
      if (kind === 'sh') {
        if (!/xtask|wrangler/.test(text)) printed = shell(text.replaceAll('PASTE-THE-ID', '$ANON'), visitor);
      } else if (kind === 'json') {
        const last = JSON.parse(printed.trim().split('\n').at(-1) ?? '');
        assert.ok(contains(last, JSON.parse(text)), `${where}: ${JSON.stringify(last, null, 1)}`);
      } else if (kind === 'html' && text.startsWith('<!doctype')) {
        visitor = await reader.open(text);
      } else if (kind === 'js') {
        if (!reader.isOpen) visitor = await reader.open(own());
        await reader.run(text, proof);
      } else if (kind === 'remark') {
        const [, selector, shown] = /^see (.+) \| (.+)$/.exec(text) ?? [];
        await until(() => reader.sees(selector, new RegExp(shown)), { what: `${where}: ${text}`, within: 30_000 });
      } else if (PROGRAMS.has(kind)) {
        const [command, name] = /** @type {string[]} */ (PROGRAMS.get(kind));
        const said = program(command, name, text);
        if (said === undefined) t.diagnostic(`${where}: there is no ${command} here`);
        else assert.match(readFileSync(join(ROOT, file), 'utf8'), new RegExp(`prints \`${said}\``), where);
      }
    }
    assert.deepEqual(await configuration(), before, `${file} leaves the demo as it was`);
  });
}

test('a page on another host than the edge is not asked about notifications, which it could not get', async (t) => {
  const reader = new Reader();
  t.after(() => reader.close());
  const visitor = await reader.open(own());
  assert.equal(await reader.browser.evaluate(ask), 'unsupported');
  await server.api.delete(`/api/profiles?anonymous_id=${visitor}`);
});

test('nobody whom the samples made up is left', async () => {
  for (const query of ['user_id=c-1001', 'user_id=c-9', 'email=ada@example.org']) {
    assert.equal((await server.api.get(`/api/profiles?${query}`)).status, 404, query);
  }
});
