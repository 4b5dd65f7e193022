/**
 * Content security policies that shops have: under each of them what the page tracks arrives and a pop-up opens, as
 * WebAssembly where the policy allows it and as JavaScript where not, and nothing is reported as a violation but the one
 * attempt to compile.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { Edge } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { TARGET } from '../harness/paths.mjs';
import { until } from '../harness/until.mjs';

const NONCE = 'c29tZS1ub25jZQ';
/** The shop's own question about notifications would wait over the page. */
const QUIET = { push_prompt: { enabled: false } };
const DIALOG = 'endcap-popup >>> [role=dialog]';

/** Keeps what the browser reports; a page loads it before everything else, as a script that its policy allows. */
const WATCH = `window.violations = [];
addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective + ' ' + event.blockedURI));`;

/** @param {string | Buffer} content */
const hash = (content) => `sha384-${createHash('sha384').update(content).digest('base64')}`;
/** @type {Record<string, string>} Of what the build made, as it printed it. */
const INTEGRITY = JSON.parse(readFileSync(`${TARGET}/integrity.json`, 'utf8'));
/** The modules that are imported by the loader and by each other: an import map gives them their integrity. */
const MODULES = ['core.js', 'show.js', 'auto.js', 'banner.js', 'cross.js', 'problems.js', 'raw.js', 'subscribe.js'];
const IMPORT_MAP = JSON.stringify({ integrity: Object.fromEntries(MODULES.map((name) => [`/ec/${name}`, INTEGRITY[name]])) });
const MAPPED = `<script type="importmap">${IMPORT_MAP}</script>`;

/** The tag that a strict page uses for each of its scripts. */
const nonced = () => `nonce="${NONCE}"`;
/** @param {string} file */
const hashed = (file) => `integrity="${INTEGRITY[file] ?? hash(WATCH)}" crossorigin="anonymous"`;
const HASHES = [hash(IMPORT_MAP), hash(WATCH), ...['endcap.js', ...MODULES].map((name) => INTEGRITY[name])].map((one) => `'${one}'`).join(' ');

/**
 * @typedef {object} Case
 * @property {string} [policy] Nothing: the page has none.
 * @property {'core.wasm' | 'fallback.js'} loads What the page comes to run.
 * @property {(file: string) => string} [attributes] Attributes of a script's tag.
 * @property {string} [head] More in the page's head.
 * @property {boolean} [meta] The page says its policy itself instead of the server.
 * @property {string[]} [reports] What the browser reports. Default: nothing; for the fallback, one attempt to compile.
 */

/** @type {Record<string, Case>} */
const CASES = {
  'no policy': { loads: 'core.wasm' },
  'nonce, strict-dynamic, WebAssembly': {
    policy: `default-src 'none'; script-src 'nonce-${NONCE}' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self'; base-uri 'none'`,
    loads: 'core.wasm',
    attributes: nonced,
  },
  'nonce, strict-dynamic': {
    policy: `default-src 'none'; script-src 'nonce-${NONCE}' 'strict-dynamic'; connect-src 'self'; img-src 'self'; base-uri 'none'`,
    loads: 'fallback.js',
    attributes: nonced,
  },
  'nonce alone': {
    policy: `default-src 'none'; script-src 'nonce-${NONCE}'; style-src 'nonce-${NONCE}'; connect-src 'self'; img-src 'self'`,
    loads: 'fallback.js',
    attributes: nonced,
  },
  'allow-list of hosts': {
    policy: "default-src 'none'; script-src http://127.0.0.1:*/ec/ http://127.0.0.1:*/watch.js 'wasm-unsafe-eval'; connect-src http://127.0.0.1:*/ec/; img-src *",
    loads: 'core.wasm',
  },
  'hashes of all that runs': {
    policy: `default-src 'none'; script-src ${HASHES} 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self'`,
    loads: 'core.wasm',
    attributes: (file) => `${hashed(file)} data-integrity="${INTEGRITY['core.wasm']}"`,
    head: MAPPED,
  },
  'integrity, and the shop as a host': {
    policy: `script-src 'self' '${hash(IMPORT_MAP)}' 'wasm-unsafe-eval'`,
    loads: 'core.wasm',
    attributes: hashed,
    head: MAPPED,
  },
  'default-src self': { policy: "default-src 'self'", loads: 'fallback.js' },
  'default-src self, known to the tag': {
    policy: "default-src 'self'",
    loads: 'fallback.js',
    attributes: () => 'data-wasm="off"',
    reports: [],
  },
  'no styles at all': {
    policy: "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'none'",
    loads: 'core.wasm',
  },
  'connections to the shop only': {
    policy: "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self'; frame-src 'none'",
    loads: 'core.wasm',
  },
  'trusted types': {
    policy: "script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types endcap",
    loads: 'core.wasm',
  },
  'trusted types, without WebAssembly': {
    policy: "script-src 'self'; require-trusted-types-for 'script'; trusted-types endcap",
    loads: 'fallback.js',
  },
  'in the page itself': {
    policy: "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
    loads: 'core.wasm',
    meta: true,
  },
  sandbox: {
    policy: "sandbox allow-scripts allow-same-origin; default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
    loads: 'core.wasm',
  },
};

/** Pages that are not like the others: our module is not what it should be; storage and cookies throw. @type {Record<string, Case>} */
const ODD = {
  'wrong integrity': { loads: 'fallback.js', attributes: () => `data-integrity="${INTEGRITY['endcap.js']}"` },
  opaque: { policy: 'sandbox allow-scripts', loads: 'core.wasm' },
};

/** @param {string} name */
const path = (name) => `/${name.replace(/\W+/g, '-')}`;

/** @param {string} name @param {Case} one */
function pageOf(name, { policy, attributes = () => '', head = '', meta = false }) {
  const said = meta ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : '';
  const html = `<!doctype html><html lang="en"><head>${said}<title>${name}</title>${head}
    <script src="/watch.js" ${attributes('watch.js')}></script>
    <script async src="/ec/endcap.js" data-source="demo" data-consent="granted" ${attributes('endcap.js')}></script>
    </head><body><h1>${name}</h1></body></html>`;
  return { html, ...(policy && !meta && { headers: { 'Content-Security-Policy': policy } }) };
}

/** Runs no script at all, so that the browser shows what is meant for that. */
const SCRIPTLESS = {
  html: '<!doctype html><title>Without script</title><script src="/ec/endcap.js"></script><noscript><img src="/ec/p.gif?s=demo" alt=""></noscript>',
  headers: { 'Content-Security-Policy': 'sandbox allow-same-origin' },
};

const PAGES = {
  '/without-script': SCRIPTLESS,
  '/watch.js': { html: WATCH, headers: { 'Content-Type': 'text/javascript' } },
  ...Object.fromEntries(Object.entries({ ...CASES, ...ODD }).map(([name, one]) => [path(name), pageOf(name, one)])),
};

/** @type {Edge} */
let edge;
before(async () => {
  edge = await Edge.start({ pages: PAGES });
  await edge.api.set('/api/settings', QUIET);
  await edge.api.set('/api/campaigns/c', {
    name: 'For everybody',
    type: 'popup',
    trigger: { immediately: true },
    content: { template: 'card', title: 'Hello there', dismiss: 'No thanks' },
  });
});
after(() => edge.stop());

for (const Browser of [Chromium, Firefox]) {
  describe(`content security policies in ${Browser.name}`, () => {
    /** @type {Chromium | Firefox} */
    let browser;
    before(async () => {
      browser = await Browser.launch();
    });
    after(() => browser.close());

    for (const [name, one] of Object.entries(CASES)) {
      test(name, async () => {
        await browser.open(edge.origin + path(name));
        await browser.see(DIALOG, { text: /Hello there/ });
        const id = await browser.evaluate(track, name);
        await until(async () => (await eventsOf(id)).includes(name), { what: 'the event arrives' });
        const { loaded, violations } = await browser.evaluate(seen);
        assert.deepEqual(loaded.filter((/** @type {string} */ file) => /wasm|fallback/.test(file)), [one.loads]);
        assert.deepEqual(violations, one.reports ?? (one.loads === 'core.wasm' ? [] : ['script-src wasm-eval']));
      });
    }
  });
}

test('a module whose integrity is another one does not run, and the page works all the same', async () => {
  const browser = await Chromium.launch();
  try {
    await browser.open(edge.origin + path('wrong integrity'));
    await browser.see(DIALOG, { text: /Hello there/ });
    const { loaded } = await browser.evaluate(seen);
    assert.ok(loaded.includes('fallback.js'), loaded.join());
  } finally {
    await browser.close();
  }
});

test('the service worker is registered where addresses of scripts must be trusted', async (t) => {
  t.after(() => edge.api.set('/api/settings', QUIET));
  await edge.api.set('/api/settings', { push_prompt: { enabled: true, trigger: { dwell_seconds: 3600 } } });
  const browser = await Chromium.launch();
  try {
    await browser.allowNotifications(edge.origin);
    await browser.open(edge.origin + path('trusted types'));
    await browser.see(DIALOG);
    // Not waited for: this browser reaches no push service to subscribe at.
    await browser.evaluate(() => void /** @type {any} */ (window).endcap.requestPush());
    const scope = () => navigator.serviceWorker.getRegistration('/endcap-sw/').then((found) => found?.scope);
    assert.equal(await until(() => browser.evaluate(scope)), `${edge.origin}/endcap-sw/`);
    assert.deepEqual((await browser.evaluate(seen)).violations, []);
  } finally {
    await browser.close();
  }
});

test('where no script runs, the pixel counts the page view of a visitor who agreed', async () => {
  const browser = await Chromium.launch();
  try {
    await browser.open(edge.origin + path('no policy'));
    await browser.see(DIALOG);
    const id = await browser.evaluate(track, 'before');
    await browser.open(`${edge.origin}/without-script`);
    await until(async () => {
      const { events } = await edge.api.profile({ anonymous_id: id });
      return events.some((/** @type {any} */ one) => one.name === 'Page Viewed' && one.about === '/without-script');
    });
  } finally {
    await browser.close();
  }
});

test('a page that no origin stands for gets no error', async () => {
  const browser = await Chromium.launch();
  try {
    await browser.open(edge.origin + path('opaque'));
    await until(() => browser.evaluate(() => Boolean(/** @type {any} */ (window).endcap?.flush)), { what: 'the SDK is there' });
    await browser.evaluate(track, 'lost');
    assert.deepEqual(browser.errors.filter((text) => /exception|Uncaught|SecurityError/.test(text)), []);
  } finally {
    await browser.close();
  }
});

/** @param {string} id @returns {Promise<string[]>} Names of the visitor's events. */
const eventsOf = async (id) =>
  (await edge.api.profile({ anonymous_id: id })).events.map((/** @type {{name: string}} */ event) => event.name);

/** Runs in the page. @param {string} name */
async function track(name) {
  const { endcap } = /** @type {any} */ (window);
  endcap.track(name);
  await endcap.flush();
  return endcap.anonymousId();
}

/** Runs in the page: the edge's files that it loaded, and what the browser reported. */
function seen() {
  const names = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
  const loaded = names.flatMap((one) => /^\/ec\/([\w.-]+\.(?:js|wasm))$/.exec(one)?.[1] ?? []);
  return { loaded: [...new Set(loaded)], violations: /** @type {any} */ (window).violations };
}
