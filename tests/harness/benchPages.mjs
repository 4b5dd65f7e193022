/**
 * One page of a shop, alone and with each tracker as its vendor's script tag loads it, on one port: the trackers' files
 * come from their npm packages, compressed, and whatever they send is answered here. Ours is passed on to the edge.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { brotliCompressSync, constants } from 'node:zlib';
import { ROOT } from './paths.mjs';

const KEY = 'bench';
const FOLDERS = /** @type {Record<string, string>} */ ({
  '/static/': `${ROOT}node_modules/posthog-js/dist/`,
  '/analytics-next/bundles/': `${ROOT}node_modules/@segment/analytics-next/dist/umd/`,
});

/** What each tracker is told: a page view, two products, one of them put into the cart. */
const EVENTS = ['fulmar-parka', 'scree-boot'].flatMap((product_id, index) => {
  const properties = { product_id, category: 'jackets', price: 89.5, currency: 'EUR', quantity: 1 };
  return [['Product Viewed', properties], ...(index ? [['Product Added', properties]] : [])];
});
const calls = (/** @type {(name: string, properties: string) => string} */ call) =>
  EVENTS.map(([name, properties]) => call(JSON.stringify(name), JSON.stringify(properties))).join('\n');

/** Each tracker's tags, and the path at which its events arrive. @type {Record<string, {head: string, sends?: string}>} */
export const TRACKERS = {
  none: { head: '' },
  endcap: {
    head: `<script>window.endcap = []; ${calls((name, properties) => `endcap.push(['track', [${name}, ${properties}], 0, Date.now()]);`)}</script>
      <script async src="/ec/endcap.js" data-source="demo" data-consent="granted"></script>`,
    sends: '/ec/e',
  },
  'analytics-next': {
    head: `<script>window.analytics = []; analytics._writeKey = '${KEY}'; analytics._cdn = location.origin; analytics.SNIPPET_VERSION = '5.2.0';
      analytics.push(['page']); ${calls((name, properties) => `analytics.push(['track', ${name}, ${properties}]);`)}</script>
      <script async src="/analytics-next/bundles/standalone.js"></script>`,
    sends: '/segment/v1/',
  },
  'posthog-js': {
    head: `<script>window.posthog = []; posthog._i = [['${KEY}', { api_host: location.origin, person_profiles: 'always', opt_out_useragent_filter: true }, 'posthog']]; posthog.__SV = 1;
      ${calls((name, properties) => `posthog.push(['capture', ${name}, ${properties}]);`)}</script>
      <script async src="/static/array.js"></script>`,
    sends: '/e/',
  },
};

/** What the vendors' servers would say about a shop that uses only the tracking. */
const SETTINGS = (/** @type {string} */ host) => ({
  integrations: { 'Segment.io': { apiKey: KEY, apiHost: `${host}/segment/v1`, protocol: 'http' } },
  plan: {},
  edgeFunction: {},
});
const REMOTE = {
  supportedCompression: ['gzip', 'gzip-js'],
  hasFeatureFlags: false,
  captureDeadClicks: false,
  capturePerformance: false,
  autocaptureExceptions: false,
  analytics: { endpoint: '/i/v0/e/' },
  sessionRecording: false,
  heatmaps: false,
  surveys: false,
};

/** Sixty products, so that there is something to lay out. @param {string} head */
const shop = (head) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>${head}
  <link rel="icon" href="data:,"><style>body{font:16px/1.5 sans-serif;margin:2rem}ul{display:grid;grid-template-columns:repeat(4,1fr);gap:1rem;padding:0;list-style:none}
  li{border:1px solid #ddd;padding:1rem}span{display:block;aspect-ratio:4/5;background:linear-gradient(#eee,#ccc)}</style></head>
  <body><h1>Jackets</h1><ul>${Array.from({ length: 60 }, (_, n) => `<li><a href="/p/${n}"><span></span>Jacket ${n}</a> <b>${n + 40}.00 €</b></li>`).join('')}</ul></body></html>`;

export class BenchPages {
  #agent = new Agent({ keepAlive: true });
  #server;
  /** @type {Map<string, Buffer>} */
  #packed = new Map();

  /** Paths of the requests that carried events. @type {string[]} */
  sent = [];

  /** @param {string} edge The edge's origin. */
  constructor(edge) {
    this.#server = createServer((incoming, response) => {
      const { pathname } = new URL(incoming.url ?? '', 'http://page');
      if (incoming.method === 'POST') this.sent.push(pathname);
      if (pathname.startsWith('/ec/')) this.#pass(edge, incoming, response);
      else this.#answer(pathname, incoming, response);
    });
  }

  /** @param {string} edge */
  static async start(edge) {
    const pages = new BenchPages(edge);
    await new Promise((resolve) => pages.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    return pages;
  }

  get host() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `127.0.0.1:${port}`;
  }

  async close() {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * @param {string} edge
   * @param {import('node:http').IncomingMessage} incoming
   * @param {import('node:http').ServerResponse} response
   */
  #pass(edge, incoming, response) {
    const { method, headers, url = '' } = incoming;
    const onward = request(edge + url, { method, headers, agent: this.#agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  }

  /**
   * @param {string} path
   * @param {import('node:http').IncomingMessage} incoming
   * @param {import('node:http').ServerResponse} response
   */
  #answer(path, incoming, response) {
    incoming.resume();
    const tracker = TRACKERS[path.slice(1)];
    const folder = Object.keys(FOLDERS).find((one) => path.startsWith(one));
    const file = folder && FOLDERS[folder] + path.slice(folder.length);
    if (tracker) this.#send(response, 'text/html; charset=utf-8', path, () => shop(tracker.head));
    else if (file && existsSync(file)) this.#send(response, 'text/javascript', path, () => readFileSync(file, 'utf8'));
    else if (path.endsWith('/settings')) this.#send(response, 'application/json', path, () => JSON.stringify(SETTINGS(this.host)));
    else if (path.endsWith('/config.js')) this.#send(response, 'text/javascript', path, () => remote());
    else if (path.endsWith('/config')) this.#send(response, 'application/json', path, () => JSON.stringify(REMOTE));
    else this.#send(response, 'application/json', '/any', () => '{"success":true,"status":1,"featureFlags":{}}');
  }

  /**
   * Sends a text, compressed once at the best setting.
   *
   * @param {import('node:http').ServerResponse} response
   * @param {string} type
   * @param {string} name
   * @param {() => string} text
   */
  #send(response, type, name, text) {
    const level = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
    const packed = this.#packed.get(name) ?? brotliCompressSync(text(), level);
    this.#packed.set(name, packed);
    response.writeHead(200, { 'Content-Type': type, 'Content-Encoding': 'br', 'Content-Length': packed.length }).end(packed);
  }
}

/** PostHog's remote configuration as a script. */
function remote() {
  const one = JSON.stringify({ config: { token: KEY, ...REMOTE }, siteApps: [] });
  return `(window._POSTHOG_REMOTE_CONFIG ??= {})['${KEY}'] = ${one};`;
}
