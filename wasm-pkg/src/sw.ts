/**
 * The service worker `/endcap-sw.js`: shows what the edge pushes, then reports what became of it. It has a scope of its
 * own (`/endcap-sw/`), controls no page and caches nothing but the token of its own subscription.
 *
 * What it needs to know arrives in its URL's query, set at registration (`sdk/src/push.rs`): `prefix` of the routes,
 * and for a subscription that the browser renews by itself `source`, `id` (anonymous ID), `key` and `key_id`.
 */
declare const self: ServiceWorkerGlobalScope;
export {};

/** A notification as declarative web push writes it (`web_push: 8030`). */
interface Declared extends NotificationOptions {
  title: string;
  navigate?: string;
  data?: { token?: string };
}

/** What `data` of a shown notification holds. */
interface Kept {
  token?: string | undefined;
  navigate?: string | undefined;
}

/** `pushsubscriptionchange`, which TypeScript's library does not know yet. */
interface SubscriptionChange extends ExtendableEvent {
  oldSubscription?: PushSubscription | null;
  newSubscription?: PushSubscription | null;
}

const query = new URL(self.location.href).searchParams;
const prefix = query.get('prefix') ?? '/ec';

/** Where the token of the present subscription is kept. */
const [CACHE, RENEWAL] = ['endcap', '/endcap-sw/renewal'];

/** How long it waits before each try to renew a subscription, in milliseconds. */
const RENEWAL_WAITS_MS = [0, 1_000, 10_000];

function post(path: string, body: object): Promise<Response | undefined> {
  return fetch(prefix + path, { method: 'POST', body: JSON.stringify(body), keepalive: true }).catch(() => undefined);
}

/** The token by which this worker shows that the subscription which the browser replaced was its own. */
async function renewal(): Promise<string | undefined> {
  return (await (await caches.open(CACHE)).match(RENEWAL))?.text();
}

async function keepRenewal(token: unknown): Promise<void> {
  if (typeof token === 'string') await (await caches.open(CACHE)).put(RENEWAL, new Response(token));
}

function report(kept: Kept | undefined, outcome: 'shown' | 'clicked' | 'closed'): Promise<unknown> {
  return kept?.token ? post('/n', { token: kept.token, outcome, at: Date.now() }) : Promise.resolve();
}

/** Reads a push. One that cannot be read still gives a notification: browsers punish a silent push. */
function declared(data: PushMessageData | null): Declared {
  try {
    const { notification } = data?.json() as { notification?: Declared };
    if (notification?.title) return notification;
  } catch {
    // Falls through to the plain one.
  }
  return { title: self.location.hostname };
}

async function show(data: PushMessageData | null): Promise<void> {
  const { title, navigate, ...options } = declared(data);
  const kept: Kept = { token: options.data?.token, navigate };
  await self.registration.showNotification(title, { ...options, data: kept });
  await report(kept, 'shown');
}

/** Focuses a window that is there already, else opens one. Only web addresses are followed. */
async function open(target: string | undefined): Promise<void> {
  const url = new URL(target ?? '/', self.location.origin);
  if (!url.protocol.startsWith('http')) return;
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const there = windows.find((client) => client.url === url.href);
  await (there ? there.focus() : self.clients.openWindow(url.href));
}

/** Subscribes again where the browser did not, and tells the edge. */
async function tellRenewed(event: SubscriptionChange): Promise<void> {
  const applicationServerKey = event.oldSubscription?.options.applicationServerKey ?? query.get('key');
  const options: PushSubscriptionOptionsInit = { userVisibleOnly: true, applicationServerKey };
  const subscription = event.newSubscription ?? (await self.registration.pushManager.subscribe(options));
  const reply = await post('/push', {
    anonymous_id: query.get('id'),
    renewal: await renewal(),
    source: query.get('source'),
    subscription,
    key_id: query.get('key_id'),
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  if (!reply?.ok) throw new Error(reply ? `the edge refused it (${reply.status})` : 'the edge is out of reach');
  await keepRenewal(((await reply.json()) as { renewal?: unknown }).renewal);
}

/**
 * Sees that the edge has the subscription that the browser made in place of another. A push service or a network may fail for
 * a moment, and no page is there to try again. One that the edge never heard of is ended, so that the next page makes its own.
 */
async function renew(event: SubscriptionChange): Promise<void> {
  let problem: unknown;
  for (const wait of RENEWAL_WAITS_MS) {
    await new Promise((go) => setTimeout(go, wait));
    try {
      return await tellRenewed(event);
    } catch (error) {
      problem = error;
    }
  }
  console.warn('endcap: the browser replaced its push subscription, and the edge has not heard of it; the next page of the shop subscribes again.', problem);
  await (await self.registration.pushManager.getSubscription())?.unsubscribe();
}

self.addEventListener('install', () => void self.skipWaiting());
self.addEventListener('message', (event) => event.waitUntil(keepRenewal((event.data as { renewal?: unknown } | null)?.renewal)));
self.addEventListener('push', (event) => event.waitUntil(show(event.data)));
self.addEventListener('notificationclose', (event) => event.waitUntil(report(event.notification.data, 'closed')));
self.addEventListener('notificationclick', (event) => {
  const kept = event.notification.data as Kept | undefined;
  event.notification.close();
  event.waitUntil(Promise.all([open(kept?.navigate), report(kept, 'clicked')]));
});
self.addEventListener('pushsubscriptionchange', ((event: SubscriptionChange) =>
  event.waitUntil(renew(event))) as (event: Event) => void);
