/** On-site search, by the query parameters that GA4 takes for one. */

/** What the page at this address was searched for, if anything, as GA4 has it. */
export function readSearch() {
  const query = new URLSearchParams(location.search);
  const search_term = ['q', 's', 'search', 'query', 'keyword'].map((name) => query.get(name)).find(Boolean);
  return { event: 'search', search_term };
}
