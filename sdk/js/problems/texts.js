/** What is said of a call that could not be used, and the words that it may have meant. */
import { CONSENTS, PARTS, PURPOSES, TOPICS } from '../words.js';

/** The words of a setting, by its path. */
export const WORDS = { __proto__: null, consent: Object.keys(CONSENTS), 'consent.': PURPOSES, auto: PARTS, on: TOPICS };

/** The names of events that are more than a name to us, and of those that we capture ourselves. */
export const EVENTS = [
  'Product Viewed',
  'Product Clicked',
  'Product Added',
  'Product Removed',
  'Product Added to Wishlist',
  'Product List Viewed',
  'Products Searched',
  'Cart Viewed',
  'Checkout Started',
  'Checkout Step Completed',
  'Order Completed',
  'Order Refunded',
  'Order Cancelled',
  'Page Viewed',
  'Page Engaged',
  'Form Submitted',
  'File Downloaded',
  'Outbound Link Clicked',
  'Signed In',
  'Signed Up',
];

/**
 * What is said, by code and path (a dot for the members of an object, `.true` for those that have a known name). `{value}` stands
 * for what the page gave.
 */
export const TEXTS = {
  __proto__: null,
  'invalid_field source': 'the source has to be the name of one, of letters, digits, _ and -, not {value}',
  'invalid_field consent': 'consent is `granted`, `denied`, `pending`, or an object of purposes, not {value}; nothing changes',
  'invalid_field consent.': 'consent has no purpose {value}; it says nothing',
  'invalid_field consent.true': 'a purpose of consent is true or false, not {value}; it says nothing',
  'invalid_field auto': '{value} is nothing that is captured automatically; it turns nothing on or off',
  'invalid_field on': '`on` takes a topic and a function; {value} is no topic, or there is no function',
  'invalid_field name': '`track` takes the name of an event as text, not {value}',
  'invalid_field user_id': '`identify` takes a user ID of 1 to 256 characters, not {value}',
  'already_initialized init': 'only the first call of `init` counts',
  not_initialized: '`init` has to come first',
  too_large: 'an event has to stay under 32 KiB',
  member_dropped: 'what JSON cannot hold (cycles, getters that throw) or has no room (24 KiB) was left out of the event',
  push_failed: 'this browser could not be subscribed to push',
  unreachable: 'no answer came from the edge at {value}. Events wait, and are sent later. If this goes on: does the edge answer there?',
  no_edge: '{value}, which is not an answer of an Endcap edge. Events wait. Check the prefix and endpoint, and the route of the worker',
};
