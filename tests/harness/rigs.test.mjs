/**
 * Proof that the rigs themselves work: real Firefox and the push service, with an independent sender in the place of
 * the edge. When these fail, what other suites say about push means nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import webpush from 'web-push';
import { Chromium } from './chromium.mjs';
import { ChromiumPush } from './chromiumPush.mjs';
import { Firefox } from './firefox.mjs';
import { pushPrefs } from './firefoxPrefs.mjs';
import { PushService } from './pushService.mjs';
import { Receiver } from './receiver.mjs';
import { StaticSite } from './staticSite.mjs';
import { until } from './until.mjs';

const VAPID = webpush.generateVAPIDKeys();
const SUBJECT = 'mailto:ops@shop.example';

const ASKING_PAGE = `<!doctype html><title>Rig</title>
  <button onclick="Notification.requestPermission()">Ask</button>`;

const WORKER = `
  self.addEventListener('push', (event) => {
    const { title, body } = event.data.json();
    event.waitUntil(self.registration.showNotification(title, { body, data: '/opened' }));
  });
  self.addEventListener('notificationclick', (event) => {
    event.notification.close();
    event.waitUntil(clients.openWindow(event.notification.data));
  });`;

/**
 * Sends as an application server would.
 *
 * @param {any} subscription
 * @param {string} payload
 * @param {{vapid?: {publicKey: string, privateKey: string}, headers?: Record<string, string>, TTL?: number}} [options]
 */
async function send(subscription, payload, { vapid = VAPID, headers = {}, TTL = 60 } = {}) {
  const vapidDetails = { subject: SUBJECT, ...vapid };
  const request = webpush.generateRequestDetails(subscription, payload, { TTL, vapidDetails });
  const sent = { ...withoutLength(request.headers), ...headers };
  const response = await fetch(request.endpoint, { method: 'POST', headers: sent, body: request.body });
  return { status: response.status, text: await response.text() };
}

test('the push service takes a correct message and an independent library decrypts it', async (t) => {
  const service = await PushService.start();
  t.after(() => service.close());
  const receiver = new Receiver(service, VAPID.publicKey);
  assert.equal((await send(receiver.subscription, '{"title":"Ünïcode ✓"}')).status, 201);
  const [message] = receiver.messages;
  assert.equal(message.payload.title, 'Ünïcode ✓');
  assert.equal(message.claims?.aud, service.origin);
  assert.equal(message.ttl, 60);
});

test('the push service refuses what the real ones refuse', async (t) => {
  const service = await PushService.start();
  t.after(() => service.close());
  const { subscription, id } = new Receiver(service, VAPID.publicKey);
  const { authorization } = await headersFor(subscription);
  const [head, body, signature] = authorization.split('t=')[1].split(',')[0].split('.');
  const forged = `${head}.${body}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`;
  const cases = [
    [401, 'signature', { headers: { authorization: `vapid t=${forged}, k=${VAPID.publicKey}` } }],
    [401, 'k is no', { headers: { authorization: `vapid t=${head}.${body}.${signature}, k=AAAA` } }],
    [401, 'not a vapid', { headers: { authorization: 'Bearer x' } }],
    [403, 'not the key', { vapid: webpush.generateVAPIDKeys() }],
    [400, 'Topic', { headers: { topic: 'a topic' } }],
    [400, 'Topic', { headers: { topic: 'abcde' } }],
    [400, 'Urgency', { headers: { urgency: 'asap' } }],
    [400, 'TTL', { headers: { ttl: 'soon' } }],
    [400, 'Content-Encoding', { headers: { 'content-encoding': 'aesgcm' } }],
  ];
  for (const [status, reason, options] of /** @type {[number, string, object][]} */ (cases)) {
    const answer = await send(subscription, '{}', options);
    assert.deepEqual([answer.status, answer.text.includes(reason)], [status, true], `${reason}: ${answer.text}`);
  }
  assert.equal((await send({ ...subscription, endpoint: `${subscription.endpoint}x` }, '{}')).status, 404);
  service.fail(id, { status: 503, times: 1, headers: { 'Retry-After': '1' } });
  assert.deepEqual([(await send(subscription, '{}')).status, (await send(subscription, '{}')).status], [503, 201]);
  service.end(id);
  assert.equal((await send(subscription, '{}')).status, 410);
  assert.equal(service.messages.length, 1);
});

/** @param {any} subscription */
async function headersFor(subscription) {
  const vapidDetails = { subject: SUBJECT, ...VAPID };
  const { headers } = webpush.generateRequestDetails(subscription, '{}', { TTL: 1, vapidDetails });
  return { authorization: String(headers.Authorization) };
}

test('Firefox subscribes, shows a message as an alert, and a click on it opens its page', async (t) => {
  const service = await PushService.start();
  const site = await StaticSite.start({
    '/': ['text/html', ASKING_PAGE],
    '/opened': ['text/html', '<!doctype html><title>Opened</title>'],
    '/sw.js': ['text/javascript', WORKER],
  });
  const firefox = await Firefox.launch({ prefs: pushPrefs(service.webSocketUrl) });
  t.after(async () => {
    await firefox.close();
    await site.close();
    await service.close();
  });
  await firefox.open(site.origin);
  assert.equal(await firefox.evaluate(() => Notification.permission), 'default');
  await firefox.click('button');
  await firefox.allow();
  const text = await firefox.evaluate(subscribe, VAPID.publicKey);
  const subscription = JSON.parse(text);
  assert.equal((await send(subscription, JSON.stringify({ title: 'Left behind', body: 'Two things' }))).status, 201);
  const alert = await firefox.alerts.see(({ title }) => title === 'Left behind');
  assert.equal(alert.body, 'Two things');
  await firefox.alerts.screenshot('rig-alert');
  await firefox.alerts.click('Left behind');
  await until(async () => (await firefox.tabs()).includes(`${site.origin}/opened`), { what: 'the click opens a tab' });
  await firefox.switchToTab(/opened$/);
  assert.equal(service.acknowledgements.length, 1);
});

/** Runs in the page. @param {string} key */
async function subscribe(key) {
  await navigator.serviceWorker.register('/sw.js');
  const registration = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  return JSON.stringify(await registration.pushManager.subscribe(options));
}

// After a profile's first subscription Chromium stops its messaging client and starts it again. In one of some thirty
// runs no message was shown, probably one that came in that moment: then a new browser is tried, and what was seen is said.
test('Chromium subscribes at its push service and shows a message', async (t) => {
  const site = await StaticSite.start({
    '/': ['text/html', '<!doctype html><title>Rig</title>'],
    '/sw.js': ['text/javascript', WORKER],
  });
  t.after(() => site.close());
  for (let browsers = 3; ; browsers--) {
    const service = await ChromiumPush.start();
    const chromium = await Chromium.launch({ flags: service.flags });
    try {
      return await showsMessage(chromium, service, site.origin);
    } catch (error) {
      t.diagnostic(`${error}: ${service.events.join(', ')}`);
      if (browsers === 1) throw error;
    } finally {
      await chromium.close();
      await service.close();
    }
  }
});

/**
 * @param {Chromium} chromium
 * @param {ChromiumPush} service
 * @param {string} origin
 */
async function showsMessage(chromium, service, origin) {
  await chromium.allowNotifications(origin);
  await chromium.open(origin);
  const subscription = JSON.parse(await chromium.evaluate(subscribe, VAPID.publicKey));
  const vapidDetails = { subject: SUBJECT, ...VAPID };
  const { endpoint, headers, body } = webpush.generateRequestDetails(subscription, '{"title":"Hello"}', { TTL: 60, vapidDetails });
  const sent = new Request(endpoint, { method: 'POST', headers: withoutLength(headers), body });
  assert.deepEqual(await service.receive(sent), { status: 201, reason: 'accepted' });
  const shown = async () => (await chromium.notifications()).some(({ title }) => title === 'Hello');
  await until(shown, { what: 'the notification', within: 20_000 });
  const wrong = new Request(`${endpoint}x`, { method: 'POST', headers: withoutLength(headers), body });
  assert.equal((await service.receive(wrong)).status, 410);
}

/** @param {Record<string, unknown>} headers */
function withoutLength(headers) {
  const own = Object.entries(headers).filter(([name]) => !/length/i.test(name));
  return Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

test('Chromium sees, types and presses what a person would, through open shadow roots', async (t) => {
  const page = `<!doctype html><title>Rig</title><x-card></x-card><p id=echo></p><script>
    customElements.define('x-card', class extends HTMLElement {
      connectedCallback() {
        this.attachShadow({ mode: 'open' }).innerHTML = '<label>Name <input></label><button hidden>Hidden</button>';
        this.shadowRoot.querySelector('input').oninput = (event) => (echo.textContent = event.target.value);
        addEventListener('keydown', ({ key }) => { if (key === 'Escape') this.remove(); });
      }
    });</script>`;
  const site = await StaticSite.start({ '/': ['text/html', page] });
  const chromium = await Chromium.launch();
  t.after(async () => {
    await chromium.close();
    await site.close();
  });
  await chromium.open(site.origin);
  assert.equal(await chromium.see('x-card'), 'Name');
  assert.equal(await chromium.sees('x-card button, button'), false);
  await chromium.fill('input', 'Ada');
  assert.equal(await chromium.focusIsIn('x-card'), true);
  assert.equal(await chromium.see('#echo'), 'Ada');
  await chromium.press('Escape');
  await chromium.seeGone('x-card');
});
