//! The TypeScript types of the public API. wasm-bindgen puts them into the declarations that it generates, and
//! `wasm-pkg/src/types.ts` is their copy for the loader and the npm package; a test keeps the two equal.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const SECTION: &str = TYPES;

/// The declarations.
#[allow(dead_code, reason = "only the macro above and the test read it")]
const TYPES: &str = r#"
/** Consent per purpose. */
export interface Consent {
  /** Measuring what visitors do. Without it nothing is kept or sent. */
  analytics: boolean;
  /** Fitting pop-ups and recommendations to the visitor. */
  personalization: boolean;
  /** Messages after the visit, such as web push. */
  marketing: boolean;
}

/** Consent as a page says it. `'pending'`: not decided yet, everything stays in memory. */
export type ConsentState = 'granted' | 'denied' | 'pending' | Consent;

/** What `init` takes. */
export interface InitOptions {
  /** Names these pages as a source of events, for example `'shop'`. */
  source: string;
  /** Path under which the edge answers. Default `'/ec'`. */
  prefix?: string | undefined;
  /** Origin of the edge, where it is not the page's own. Default `''`. */
  endpoint?: string | undefined;
  /** What the visitor consented to so far. Default `'pending'`. */
  consent?: ConsentState | undefined;
  /** Says in the console what was captured, sent, decided and not shown, and why. */
  debug?: boolean | undefined;
  /** CSP nonce for style elements, for browsers without constructed style sheets. */
  nonce?: string | undefined;
  /**
   * What is captured without the shop's code: `false` for nothing, or an object in which a part is `false`. Default: all.
   */
  auto?: false | string | Partial<Record<AutoPart, boolean>> | undefined;
  /**
   * Host names of the shop's other domains (with ports that are not the scheme's own): over links to them the visitor
   * stays the same one. The edge answers on each, and the source lists each.
   */
  domains?: string | string[] | undefined;
  /** How long a consent tool (TCF) that says nothing is waited for, in milliseconds. Default 3000. */
  consentWait?: number | undefined;
  /** `false` where the page's policy is known to forbid WebAssembly: the core is then loaded as JavaScript untried. */
  wasm?: boolean | undefined;
  /** Integrity of `core.wasm` (`sha384-…`), as the build prints it. */
  integrity?: string | undefined;
}

/** What can be captured without the shop's code. */
export type AutoPart =
  | 'pages'
  | 'engagement'
  | 'scroll'
  | 'clicks'
  | 'forms'
  | 'search'
  | 'dataLayer'
  | 'structured'
  | 'consent';

/** Properties of an event of your own: anything that JSON can hold. */
export type Properties = object;

/** An amount in major units: a number, or text as a person writes it. */
export type Amount = number | string;

/** A product in an event, as Segment's e-commerce specification has it. One of the IDs says which. */
export interface ProductProperties {
  product_id?: string | number | undefined;
  sku?: string | number | undefined;
  category?: string | undefined;
  name?: string | undefined;
  brand?: string | undefined;
  variant?: string | undefined;
  price?: Amount | undefined;
  quantity?: Amount | undefined;
  currency?: string | undefined;
  coupon?: string | undefined;
  position?: number | undefined;
  value?: Amount | undefined;
  url?: string | undefined;
  image_url?: string | undefined;
}

/** A cart or a checkout in an event. */
export interface CartProperties {
  cart_id?: string | undefined;
  checkout_id?: string | undefined;
  step?: number | string | undefined;
  currency?: string | undefined;
  value?: Amount | undefined;
  coupon?: string | undefined;
  products?: ProductProperties[] | undefined;
}

/** An order in an event. Its number, a product or a total is needed. */
export interface OrderProperties extends CartProperties {
  order_id?: string | number | undefined;
  affiliation?: string | undefined;
  /** What it brought, without shipping and tax; else `total` counts. */
  revenue?: Amount | undefined;
  total?: Amount | undefined;
  subtotal?: Amount | undefined;
  shipping?: Amount | undefined;
  tax?: Amount | undefined;
  discount?: Amount | undefined;
}

/** The events that Endcap understands, with the properties that each takes. */
export interface KnownEvents {
  'Product Viewed': ProductProperties;
  'Product Clicked': ProductProperties;
  'Product Added': ProductProperties & { cart_id?: string | undefined };
  'Product Removed': ProductProperties & { cart_id?: string | undefined };
  'Cart Viewed': CartProperties;
  'Checkout Started': OrderProperties;
  'Order Completed': OrderProperties;
  'Product List Viewed': {
    list_id?: string | undefined;
    category?: string | undefined;
    products?: ProductProperties[] | undefined;
  };
  'Products Searched': { query?: string | undefined; results?: number | undefined };
}

/** A product as the shop's catalogue has it. */
export interface Product {
  id: string;
  title: string;
  url: string;
  image: string;
  category: string;
  brand?: string;
  /** `amount` in minor units: 1999 is 19.99 EUR. */
  price: { amount: number; currency: string };
  available: boolean;
}

/** What the edge decided. */
export interface Decision {
  stage: 'prospect' | 'new' | 'active' | 'sleep' | 'lost' | 'deep';
  /** A name for the profile: equal for all browsers of one person. It is not the ID that the server API shows. */
  profile_id: string;
  campaigns: { id: string; version: number; eligible: boolean; why: string }[];
  slots: Record<string, { reason: string; items: Product[] }>;
}

/** What became of one event that the edge refused. */
export interface Rejection {
  index: number;
  message_id: string | null;
  code: string;
  path: string;
  message: string;
}

/**
 * What the edge did not take as it was meant, in an event that it kept: such as an identify that proves nothing, or a price
 * that is text. The book's page "What we repair and what we refuse" lists the codes.
 */
export interface Warning {
  message_id: string;
  /** The event's name. */
  event?: string;
  code: string;
  path: string;
  message: string;
}

/** What listeners are told, by topic. */
export interface Events {
  decision: Decision;
  popup: { action: 'shown' | 'clicked' | 'dismissed'; campaign_id: string; version: number };
  slot: { slot: string; reason: string; product_ids: string[] };
  push: { state: 'prompted' | 'dismissed' | 'denied' | 'subscribed' };
  /** `anonymous_id`: the new one that this browser takes, because it could not show that the old one is its own. */
  sent: { accepted: string[]; duplicate: string[]; rejected: Rejection[]; warnings?: Warning[]; anonymous_id?: string };
  debug: { kind: string; at: number; detail: Record<string, unknown> };
  /** `event` and `message_id`: of the event that it is about; `problem`: what the browser says. */
  error: { code: string; path: string; message: string; event?: string; message_id?: string; problem?: string };
}

/** What became of asking for notifications. */
export type PushOutcome = 'granted' | 'denied' | 'dismissed' | 'unsupported';

/** The public API: `window.endcap` with the script tag, named exports of the npm package. */
export interface Endcap {
  /** Starts Endcap on this page. Only the first call counts. */
  init(options: InitOptions): void;
  /** Records a page view. */
  page(name?: string, properties?: Properties): void;
  page(properties: Properties): void;
  /** Records something the visitor did. Events named as in Segment's e-commerce specification take its properties. */
  track<N extends keyof KnownEvents>(name: N, properties?: KnownEvents[N]): void;
  /** Records something the visitor did, by a name of your own. */
  track<N extends string>(name: N extends keyof KnownEvents ? never : N, properties?: Properties): void;
  /** Says who the visitor is. `proof`: what the shop's server vouches with, `v2.EXPIRY.HMAC`. */
  identify(userId: string | number, traits?: Properties, options?: { proof?: string | undefined }): void;
  /** Says what is known of somebody whom the page cannot name, or of the user that it named before. */
  identify(traits: Properties): void;
  /** Takes the visitor's decision. */
  consent(state: ConsentState): void;
  /** The visitor logged out: what follows belongs to a new anonymous ID. */
  reset(): void;
  /** Listens; returns the function that stops listening. */
  on<T extends keyof Events>(topic: T, listener: (event: Events[T]) => void): () => void;
  /** Asks for permission to send notifications. Call it from a click. */
  requestPush(): Promise<PushOutcome>;
  /** Sends what is queued; resolves when the edge answered or could not be reached. */
  flush(): Promise<void>;
  /** The browser's anonymous ID; null before consent. */
  anonymousId(): string | null;
}
"#;

#[cfg(test)]
mod tests {
    use super::TYPES;

    /// `ENDCAP_UPDATE=1 cargo test -p endcap-sdk` writes the copy anew.
    #[test]
    fn the_package_has_these_types() {
        let copy = concat!(env!("CARGO_MANIFEST_DIR"), "/../wasm-pkg/src/types.ts");
        let wanted = format!("// Generated from sdk/src/types.rs; change it there.\n{TYPES}");
        if std::env::var_os("ENDCAP_UPDATE").is_some() {
            std::fs::write(copy, &wanted).unwrap();
        }
        assert_eq!(std::fs::read_to_string(copy).unwrap(), wanted, "wasm-pkg/src/types.ts is stale");
    }
}
