/**
 * What goes to the edge on a host name that it shares with a shop's pages: the browser's routes below their prefix, the
 * service worker, and, because local development has one host name for all, what a deployment answers on its own.
 *
 * @param {string} prefix With a slash in front and none behind.
 */
export function edgeRoutes(prefix) {
  return [`*${prefix}/*`, '*/endcap-sw.js*', '*/api/*', '*/healthz', '*/v1/*', '*/beacon/*', '*/sourceConfig*'];
}
