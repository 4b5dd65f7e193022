// Listens to Endcap from the first moment of a page and remembers what it said in this tab, so that the drawer's list
// survives a navigation.

import { on } from 'endcap';

/** One thing that Endcap reported. */
export interface Entry {
  kind: string;
  /** Unix time in milliseconds. */
  at: number;
  detail: Record<string, unknown>;
  /** The page it happened on. */
  path: string;
}

const KEY = 'skerry.seen';
const MOST = 150;
/** Longest text kept of a value: compiled rules are of no use to a reader. */
const LONGEST = 160;

let entries: Entry[] = [];
let decision: Record<string, unknown> | null = null;
const listeners = new Set<() => void>();

/** Copies plain data with long texts and lists cut. */
function shorten(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  if (Array.isArray(value)) return depth > 5 ? '…' : value.slice(0, 12).map((it) => shorten(it, depth + 1));
  if (value && typeof value === 'object') {
    if (depth > 5) return '…';
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'program' && key !== 'behaviour').map(([key, it]) => [key, shorten(it, depth + 1)]));
  }
  return value;
}

const asRecord = (value: unknown): Record<string, unknown> => (value && typeof value === 'object' ? (value as Record<string, unknown>) : {});

function save(): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(entries.slice(-60)));
  } catch {
    // Full or forbidden: the list then begins anew with each page.
  }
}

function restore(): Entry[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? (kept as Entry[]) : [];
  } catch {
    return [];
  }
}

function changed(): void {
  for (const listener of listeners) listener();
}

/** The page says that a condition does not hold; which one, the edge said in its latest decision. */
function explained(detail: Record<string, unknown>): Record<string, unknown> {
  if (!String(detail.why ?? '').startsWith('condition')) return detail;
  const campaigns = (decision?.campaigns ?? []) as { id?: string; why?: string }[];
  const leaf = /^not yet: (.+)/.exec(campaigns.find(({ id }) => id === detail.campaign_id)?.why ?? '')?.[1];
  return leaf ? { ...detail, condition: leaf } : detail;
}

function note(kind: string, at: number, detail: unknown): void {
  entries = [...entries, { kind, at, detail: explained(asRecord(shorten(detail))), path: location.pathname }].slice(-MOST);
  save();
  changed();
}

export function startRecorder(): void {
  entries = restore();
  on('debug', (event) => {
    const { kind, at, detail } = asRecord(event) as { kind?: string; at?: number; detail?: unknown };
    note(String(kind ?? 'debug'), Number(at ?? Date.now()), detail);
  });
  on('decision', (it) => {
    decision = asRecord(shorten(it));
    changed();
  });
}

/** Everything remembered, the earliest first. */
export const allEntries = (): Entry[] => entries;
/** The latest decision of this page. */
export const latestDecision = (): Record<string, unknown> | null => decision;

export function clearEntries(): void {
  entries = [];
  save();
  changed();
}

/** Calls back after every change. */
export function whenChanged(listener: () => void): void {
  listeners.add(listener);
}
