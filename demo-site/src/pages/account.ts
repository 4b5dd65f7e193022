// The account's page: signing in, notifications, privacy, orders.

import { identify, requestPush, reset } from 'endcap';
import { loggedIn } from '../analytics';
import { el, euros, find, findAll } from '../dom';
import { account, consents, orders, type Account } from '../store';
import { check } from './checkout';

/** The shop's customer number for an address: here its 64-bit FNV-1a hash, elsewhere what the shop's database says. */
export function customerNumber(email: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(email.trim().toLowerCase())) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return `c-${hash.toString(16).padStart(16, '0')}`;
}

/** Asks the development route for the proof that a shop's server would sign at login. */
async function proofOf(userId: string): Promise<string | undefined> {
  try {
    const reply = await fetch('/ec/dev/proof', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user_id: userId, source: 'demo' }) });
    return reply.ok ? ((await reply.json()) as { proof: string }).proof : undefined;
  } catch {
    return undefined;
  }
}

async function login(form: HTMLFormElement): Promise<void> {
  if (findAll<HTMLInputElement>('input', form).filter((input) => !check(input)).length) return;
  const data = new FormData(form);
  const who: Account = { userId: customerNumber(String(data.get('email'))), email: String(data.get('email')).trim(), name: String(data.get('name')).trim() };
  const proof = await proofOf(who.userId);
  account.set(who);
  identify(who.userId, { email: who.email, name: who.name }, proof ? { proof } : {});
  loggedIn();
  render();
}

function logout(): void {
  account.set(null);
  reset();
  render();
}

function showOrders(): void {
  const row = (order: ReturnType<typeof orders.all>[number]): HTMLElement =>
    el('li', { class: 'order' }, el('div', {}, el('b', {}, order.id), el('small', { class: 'muted' }, new Date(order.at).toLocaleDateString('en-GB', { dateStyle: 'long' }))), el('div', { class: 'order-pictures' }, ...order.lines.slice(0, 4).map(({ picture, name }) => el('img', { src: picture, alt: name, width: 48, height: 60 }))), el('span', { class: 'price' }, euros(order.total)));
  const all = orders.all();
  find('[data-orders]')?.replaceChildren(all.length ? el('ul', { class: 'orders' }, ...all.map(row)) : el('p', { class: 'muted' }, 'No orders yet.'));
}

function showConsent(): void {
  const state = consents.get();
  const allowed = state ? Object.entries(state).filter(([, on]) => on).map(([purpose]) => purpose) : [];
  const host = find('[data-consent-state]');
  if (host) host.textContent = !state ? 'You have not decided yet; until then nothing is kept.' : allowed.length ? `You allow: ${allowed.join(', ')}.` : 'You allow nothing, and nothing is kept.';
}

function render(): void {
  const who = account.get();
  const [form, profile, greeting] = [find('[data-login]'), find('[data-profile]'), find('[data-greeting]')];
  if (form) form.hidden = Boolean(who);
  if (profile) profile.hidden = !who;
  if (greeting) greeting.textContent = who ? `Hello, ${who.name.split(' ')[0] ?? who.name}` : 'Your account';
  const pair = (name: string, value: string): Node[] => [el('dt', {}, name), el('dd', {}, value)];
  if (who) find('[data-details]')?.replaceChildren(...pair('Name', who.name), ...pair('E-mail', who.email), ...pair('Customer number', who.userId));
  showOrders();
  showConsent();
}

const ANSWERS = {
  granted: 'Done. You will hear from us, rarely.',
  denied: 'Your browser does not allow notifications from this site. You can change that in its settings.',
  dismissed: 'As you like. The button stays here.',
  unsupported: 'This browser cannot receive notifications.',
};

export function accountPage(): void {
  render();
  const form = find<HTMLFormElement>('[data-login] form');
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    void login(form);
  });
  find('[data-testid=logout]')?.addEventListener('click', logout);
  find('[data-testid=notify-me]')?.addEventListener('click', () => {
    void requestPush().then((answer) => {
      const result = find('[data-notify-result]');
      if (result) result.textContent = ANSWERS[answer];
    });
  });
  document.addEventListener('consent', showConsent);
}
