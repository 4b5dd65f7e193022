// "What Endcap sees": a drawer for developers with what is captured and sent, the profile that the edge keeps, and
// the decisions with their reasons. Closed until asked for; below every pop-up, so that it covers none of their buttons.

import { el } from '../dom';
import { decisionView } from './decisions';
import { laterControl } from './later';
import { liveView } from './live';
import { chip, data, text, type Data } from './parts';
import { fetchProfile, profileView } from './profile';
import { allEntries, clearEntries, latestDecision, startRecorder, whenChanged } from './recorder';

const TABS = ['Live', 'Profile', 'Decisions'] as const;
type Tab = (typeof TABS)[number];

const KEY = 'skerry.drawer';
/** The profile is asked for this long after the last sign of change, in milliseconds. */
const SETTLE = 400;

interface Look {
  open: boolean;
  tab: Tab;
}

function readLook(): Look {
  try {
    const kept = data(JSON.parse(sessionStorage.getItem(KEY) ?? '{}'));
    return { open: kept.open === true, tab: TABS.find((tab) => tab === kept.tab) ?? 'Live' };
  } catch {
    return { open: false, tab: 'Live' };
  }
}

class Drawer {
  private look = readLook();
  private profile: Data | string | null = null;
  private asking = 0;
  private readonly count = el('span', { class: 'ec-count', hidden: true });
  private readonly toggle = el('button', { type: 'button', class: 'ec-toggle', 'data-testid': 'endcap-drawer-toggle', 'aria-expanded': 'false', 'aria-controls': 'endcap-drawer', onclick: () => this.open(!this.look.open) },
    el('span', { class: 'ec-eye', 'aria-hidden': 'true' }), el('span', { class: 'ec-toggle-text' }, 'What Endcap sees'), this.count);
  private readonly stage = el('span');
  private readonly body = el('div', { class: 'ec-body', role: 'tabpanel', 'aria-label': 'What Endcap sees', tabindex: 0 });
  private readonly tabs = TABS.map((tab) => el('button', { type: 'button', role: 'tab', onclick: () => this.show(tab) }, tab));
  private readonly panel = el('aside', { id: 'endcap-drawer', class: 'ec-drawer', 'data-testid': 'endcap-drawer', 'aria-label': 'What Endcap sees', hidden: true },
    el('header', { class: 'ec-head' }, el('span', { class: 'ec-eye', 'aria-hidden': 'true' }), el('h2', {}, 'What Endcap sees'), this.stage,
      el('button', { type: 'button', class: 'ec-close', 'aria-label': 'Close', onclick: () => this.open(false) }, '×')),
    el('div', { class: 'ec-tabs' },
      el('div', { role: 'tablist', 'aria-label': 'What is shown', onkeydown: (event) => this.arrows(event as KeyboardEvent) }, ...this.tabs),
      el('button', { type: 'button', class: 'ec-clear', onclick: clearEntries }, 'Clear')),
    this.body);

  start(): void {
    document.body.append(this.toggle, this.panel);
    this.panel.addEventListener('keydown', (event) => event.key === 'Escape' && this.open(false));
    whenChanged(() => this.changed());
    if (this.look.open) this.open(true, false);
    else this.badge();
  }

  private open(open: boolean, focus = true): void {
    this.look.open = open;
    this.panel.hidden = !open;
    this.toggle.setAttribute('aria-expanded', String(open));
    document.documentElement.classList.toggle('ec-open', open);
    this.remember();
    if (open) this.show(this.look.tab);
    if (focus) (open ? this.tabs[TABS.indexOf(this.look.tab)] : this.toggle)?.focus();
    this.badge();
  }

  private show(tab: Tab): void {
    this.look.tab = tab;
    this.tabs.forEach((button, i) => {
      button.setAttribute('aria-selected', String(TABS[i] === tab));
      button.tabIndex = TABS[i] === tab ? 0 : -1;
    });
    this.remember();
    this.render();
    this.askSoon(0);
  }

  private arrows(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (TABS.indexOf(this.look.tab) + step + TABS.length) % TABS.length;
    this.show(TABS[next] ?? 'Live');
    this.tabs[next]?.focus();
  }

  private render(): void {
    const view = { Live: () => liveView(allEntries()), Profile: () => el('div', {}, laterControl(() => this.askSoon(0)), profileView(this.profile)), Decisions: () => decisionView(latestDecision(), allEntries()) }[this.look.tab]();
    // A new text must not fold what the reader has unfolded in the same place of the list.
    const folded = this.look.tab === 'Live' ? '.ec-entry' : '.ec-segment';
    const opened = [...this.body.querySelectorAll(folded)].reverse().map((entry) => (entry as HTMLDetailsElement).open);
    const choosing = document.activeElement?.matches('.ec-later input') === true;
    this.body.replaceChildren(view);
    [...this.body.querySelectorAll<HTMLDetailsElement>(folded)].reverse().forEach((entry, i) => (entry.open = opened[i] ?? false));
    if (choosing) this.body.querySelector<HTMLElement>('.ec-later input:checked')?.focus();
    const stage = typeof this.profile === 'object' && this.profile ? text(data(this.profile.stage).current) : '';
    this.stage.replaceChildren(...(stage ? [chip(stage, 'violet')] : []));
  }

  private changed(): void {
    this.badge();
    if (!this.look.open) return;
    if (this.look.tab !== 'Profile') this.render();
    this.askSoon(SETTLE);
  }

  private askSoon(wait: number): void {
    clearTimeout(this.asking);
    this.asking = window.setTimeout(() => void fetchProfile().then((profile) => this.received(profile)), wait);
  }

  private received(profile: Data | string): void {
    if (JSON.stringify(profile) === JSON.stringify(this.profile)) return;
    this.profile = profile;
    this.render();
  }

  private badge(): void {
    const n = allEntries().length;
    this.count.textContent = String(n);
    this.count.hidden = n === 0 || this.look.open;
  }

  private remember(): void {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.look));
    } catch {
      // Forbidden: closed again on the next page.
    }
  }
}

export function startDrawer(): void {
  startRecorder();
  new Drawer().start();
}
