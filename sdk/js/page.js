/** What the page's half knows: what `init` said, and who the visitor is as the core worked it out. */
export const page = {
  /** Source ID of the shop's pages; undefined before `init`. */
  source: undefined,
  /** Endpoint and prefix, as `/ec`. */
  base: '',
  /** CSP nonce for style elements. */
  nonce: '',
  /** What was consented to, as bits (1 analytics, 2 personalization, 4 marketing); -1 while the visitor has not said. */
  consent: -1,
  /** Where that came from: the page's own call, or a signal that it reads. */
  consentSource: 'api',
  /** Device ID and anonymous ID; empty before consent. */
  device: '',
  anonymous: '',
  /** The user of the last identify; empty before. */
  user: '',
  /** Writes JSON; the loader hands over one that no page can break (`wasm-pkg/src/json.ts`). */
  json: (value) => JSON.stringify(value),
  /** The product that this page is about, by its last `Product Viewed`. */
  product: '',
};

/** Whether what the visitor does may be kept and sent. */
export const mayTrack = () => page.consent > 0 && !!(page.consent & 1);
