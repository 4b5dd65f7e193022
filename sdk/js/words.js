/** The words that calls take: said once, for what reads them and for what explains a wrong one (`sdk/js/problems`). */

/** What can be listened to. */
export const TOPICS = ['decision', 'popup', 'slot', 'push', 'sent', 'debug', 'error'];

/** What can be consented to, in the order of their bits; and what may be said of all at once, as bits (-1: it is open). */
export const PURPOSES = ['analytics', 'personalization', 'marketing'];
export const CONSENTS = { __proto__: null, granted: 7, denied: 0, pending: -1 };

/** What is captured automatically. */
export const PARTS = /* @__PURE__ */ 'pages engagement scroll clicks forms search dataLayer structured consent'.split(' ');
