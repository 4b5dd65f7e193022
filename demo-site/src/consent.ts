// The consent banner: shown until the visitor decided, and again when they ask for it. Endcap holds everything in
// memory until then.

import { consent, on } from 'endcap';
import { find, findAll } from './dom';
import { consents, type Consent } from './store';

const ALL: Consent = { analytics: true, personalization: true, marketing: true };
const NONE: Consent = { analytics: false, personalization: false, marketing: false };

function decide(banner: HTMLElement, choice: Consent): void {
  consents.set(choice);
  banner.hidden = true;
  showPicks();
  consent(choice);
  document.dispatchEvent(new CustomEvent('consent'));
}

/** Without leave to look there is nothing to pick from, so the shop keeps no empty place for it. */
function showPicks(): void {
  document.body.classList.toggle('without-picks', consents.get()?.analytics === false);
}

const boxes = (banner: HTMLElement): HTMLInputElement[] => findAll<HTMLInputElement>('input[type=checkbox]', banner);

function chosen(banner: HTMLElement): Consent {
  const ticked = new Set(boxes(banner).filter(({ checked }) => checked).map(({ name }) => name));
  return { analytics: ticked.has('analytics'), personalization: ticked.has('personalization'), marketing: ticked.has('marketing') };
}

/** Opens the list of purposes; its button then saves what is ticked. */
function choose(banner: HTMLElement, button: HTMLElement): void {
  const list = find('.consent-choices', banner);
  if (!list) return;
  if (!list.hidden) return decide(banner, chosen(banner));
  list.hidden = false;
  button.textContent = 'Save my choice';
  button.setAttribute('aria-expanded', 'true');
  boxes(banner)[0]?.focus();
}

/** Brings the banner up with what was decided before. */
function open(banner: HTMLElement, focus: boolean): void {
  const now = consents.get() ?? NONE;
  for (const box of boxes(banner)) box.checked = now[box.name as keyof Consent] ?? false;
  banner.hidden = false;
  if (focus) find('button', banner)?.focus();
}

export function startConsent(): void {
  const banner = find('[data-endcap-consent]');
  if (!banner) return;
  showPicks();
  banner.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-consent]');
    if (button?.dataset.consent === 'accept') decide(banner, ALL);
    if (button?.dataset.consent === 'reject') decide(banner, NONE);
    if (button?.dataset.consent === 'choose') choose(banner, button);
  });
  banner.addEventListener('submit', (event) => event.preventDefault());
  for (const opener of findAll('[data-consent-open]')) opener.addEventListener('click', () => open(banner, true));
  on('slot', ({ slot }) => findAll(`endcap-slot[name="${CSS.escape(slot)}"]`).forEach((it) => it.setAttribute('data-filled', '')));
  if (!consents.get()) open(banner, false);
}
