/**
 * React bindings, `endcap/react`: starting Endcap with the application, what the edge decided as state, and the slot as
 * a component. On a server they render the slot's empty element and do nothing else.
 */
import { createElement, useEffect, useState, type DetailedHTMLProps, type HTMLAttributes, type ReactElement } from 'react';
// The built file stays beside this one, so that an application has one client whichever entry it uses.
import * as endcap from './index.js';
import type { Decision, InitOptions } from './types';

/** What an `<endcap-slot>` is told. */
export interface SlotProps {
  /** Which products: `'home'`, `'product'`, `'cart'` or a name of your own. */
  name: string;
  /** How many products at most, 1 to 24. Default 4. */
  limit?: number | undefined;
  /** Text above the products. */
  heading?: string | undefined;
}

/** What `<endcap-slot>` takes in JSX. */
export type SlotElement = DetailedHTMLProps<HTMLAttributes<HTMLElement>, HTMLElement> & SlotProps;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'endcap-slot': SlotElement;
    }
  }
}

/** Starts Endcap once the component is in the page, and returns its functions. Only the first options count. */
export function useEndcap(options?: InitOptions): typeof endcap {
  useEffect(() => {
    if (options) endcap.init(options);
  }, []);
  return endcap;
}

/** The edge's latest decision; undefined until there is one. */
export function useDecision(): Decision | undefined {
  const [decision, setDecision] = useState<Decision>();
  useEffect(() => endcap.on('decision', setDecision), []);
  return decision;
}

/** A recommendation slot. */
export function Slot({ name, limit, heading }: SlotProps): ReactElement {
  // The element reserves its height by a style of its own, which the server did not send.
  return createElement('endcap-slot', { name, limit, heading, suppressHydrationWarning: true });
}
