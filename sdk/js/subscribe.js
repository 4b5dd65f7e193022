/** The push subscription of a browser whose visitor allowed notifications, kept in step with what the edge offers. */

/** The service worker's fixed address and scope; subscriptions bind to them. */
const [WORKER, SCOPE] = ['/endcap-sw.js', '/endcap-sw/'];

let policy;

/** The worker's address as pages under Trusted Types want it, who run no script whose address is plain text. */
function trusted(worker) {
  try {
    policy ??= window.trustedTypes?.createPolicy('endcap', { createScriptURL: (url) => (url.startsWith(WORKER) ? url : '') });
  } catch {
    // The policy allows no such name: the browser says what it thinks of plain text.
  }
  return policy?.createScriptURL(worker) ?? worker;
}

/** Subscribes unless that is done; returns whether it did. `known`: the edge has a subscription of this browser. */
export async function subscribe({ public_key: key, key_id }, known, { base, source, anonymous: id, json }) {
  // The worker's address carries what it needs when the browser renews a subscription while no page is open.
  const worker = `${WORKER}?${new URLSearchParams({ prefix: base, source, id, key, key_id })}`;
  const registration = await active(await navigator.serviceWorker.register(trusted(worker), { scope: SCOPE }));
  const { pushManager } = registration;
  let subscription = await pushManager.getSubscription();
  const same = subscription && encode(subscription.options.applicationServerKey) === key;
  if (same && known) return false;
  if (!same) {
    // Browsers refuse another key until the old subscription is gone.
    await subscription?.unsubscribe();
    subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  }
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const body = json({ anonymous_id: id, source, subscription, key_id, zone });
  const reply = await fetch(base + '/push', { method: 'POST', body });
  if (!reply.ok) throw new Error('the edge refused the subscription');
  // By this token the worker renews the subscription when no cookie shows whose it is.
  registration.active.postMessage({ renewal: (await reply.json()).renewal });
  return true;
}

/** Waits until a registration has an active worker. */
function active(registration) {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration;
  return new Promise((resolve, reject) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve(registration);
      else if (worker.state === 'redundant') reject(new Error('the service worker was replaced'));
    });
  });
}

/** Base64url (RFC 4648 section 5) without padding. */
function encode(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
