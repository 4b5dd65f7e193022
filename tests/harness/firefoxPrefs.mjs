/** Preferences with which a headless Firefox receives push messages, shows alerts and makes no other connection. */

/** Nothing listens here, so what Firefox asks for in the background fails at once. */
const NOWHERE = 'http://127.0.0.1:9/';

/**
 * @param {string} pushUrl The push service, as a `ws:` URL.
 * @returns {Record<string, string | number | boolean>}
 */
export const pushPrefs = (pushUrl) => ({
  'dom.push.enabled': true,
  'dom.push.connection.enabled': true,
  'dom.push.serverURL': pushUrl,
  'dom.push.testing.allowInsecureServerURL': true,
  'dom.push.userAgentID': '',
  // The dialog that asks for permission takes a click at once, not only after a moment of being read.
  'security.notification_enable_delay': 0,
  // Alerts are the browser's own windows, which the driver can read and click.
  'alerts.useSystemBackend': false,
  // Time that a service worker has to open a window after a click on its notification.
  'dom.disable_open_click_delay': 5000,
});

/** @type {Record<string, string | number | boolean>} */
export const QUIET_PREFS = {
  'remote.prefs.recommended': true,
  'network.manage-offline-status': false,
  'network.proxy.type': 0,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage': 'about:blank',
  'browser.aboutwelcome.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'extensions.update.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'services.settings.server': NOWHERE,
};
