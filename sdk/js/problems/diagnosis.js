/** Why a request had no answer of the edge's that this page could read. */
import { TEXTS } from './texts.js';

/**
 * What was wrong. An edge on another host hides its refusal from pages that it does not know, so it is asked once, by a route that
 * answers every page and says nothing secret.
 *
 * `status`: what was answered instead, or 0; `once(key)`: whether this is the first time.
 */
export async function diagnosis(status, { base, source }, once) {
  if (status) return { code: 'no_edge', message: TEXTS.no_edge.replace('{value}', `status ${status} came from ${base}/e`) };
  if (!once('diagnosis')) return undefined;
  try {
    const url = `${base}/diagnosis?${new URLSearchParams({ source })}`;
    const { error } = await (await fetch(url, { credentials: 'omit' })).json();
    return error;
  } catch {
    // Nothing answers: the network, an ad blocker, or a host name without an edge.
    return { code: 'unreachable', message: TEXTS.unreachable.replace('{value}', base) };
  }
}
