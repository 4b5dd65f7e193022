/**
 * The main job, as one visitor lives it: first visit, browsing, pop-up, login, order, a second cart, and a web push.
 *
 * Each step is what a person does and sees, followed by what the shop's back office then knows. The steps are the same
 * in every browser.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ROOT } from '../harness/paths.mjs';
import { until } from '../harness/until.mjs';
import { Visitor } from '../harness/visitor.mjs';

const CART_PUSH_SECONDS = 1800;
const PERSON = { email: 'ada@example.org', name: 'Ada Lovelace' };

/** What others bought most, so what a first visit is shown; and what the visitor puts into the cart. */
const BEST_SELLER = 'kiln-mug';
/** Two products of one category that the visitor looks at. */
const LOOKED_AT = ['fulmar-parka', 'eider-puffer'];
/** What others looked at together with the second of them. */
const COMPANION = 'loch-chelsea';

/** @param {string} name */
const seed = (name) => JSON.parse(readFileSync(`${ROOT}demo-site/seed/${name}.json`, 'utf8'));
const CATALOGUE = /** @type {{id: string, title: string, category: string}[]} */ (seed('products').products);

/** @param {string} id */
const productOf = (id) => {
  const found = CATALOGUE.find((product) => product.id === id);
  if (!found) throw new Error(`the demo shop has no ${id}`);
  return found;
};

/**
 * Gives the edge the demo shop's catalogue, campaigns, segments and settings, and a past of other visitors.
 *
 * @param {import('../harness/edge.mjs').Edge} edge
 */
export async function furnish(edge) {
  await edge.api.set('/api/products', seed('products'));
  const settings = seed('settings');
  settings.cart_push.after_seconds = CART_PUSH_SECONDS;
  await edge.api.set('/api/settings', settings);
  for (const [id, campaign] of Object.entries(seed('campaigns').campaigns)) {
    await edge.api.set(`/api/campaigns/${id}`, campaign);
  }
  for (const [id, segment] of Object.entries(seed('segments').segments)) await edge.api.set(`/api/segments/${id}`, segment);
  for (let n = 0; n < 8; n += 1) {
    const other = new Visitor(edge);
    const viewed = [LOOKED_AT[1], COMPANION].map((id) =>
      other.product('Viewed', id, { category: productOf(id).category }),
    );
    await other.send([...viewed, other.order(`past-${n}`, [{ product_id: BEST_SELLER, category: 'home' }])]);
  }
  await learned(edge);
}

/**
 * Waits until the edge recommends from that past: a page asks once, and shows what it was told then.
 *
 * @param {import('../harness/edge.mjs').Edge} edge
 */
async function learned(edge) {
  const guest = new Visitor(edge);
  const offered = async () => {
    const { slots } = await guest.decision({ slots: [{ name: 'home', limit: 4 }] });
    return slots.home.items.map((/** @type {{id: string}} */ { id }) => id);
  };
  await until(async () => (await offered())[0] === BEST_SELLER, { what: 'the best seller is known' });
  const { category } = productOf(LOOKED_AT[1]);
  await guest.send([guest.product('Viewed', LOOKED_AT[1], { category })]);
  await until(async () => (await offered()).includes(COMPANION), { what: 'what goes together is known' });
}

export class Story {
  #edge;
  #browser;
  #shots = 0;
  /** @type {string[]} */
  #firstPicks = [];

  /**
   * @param {import('../harness/edge.mjs').Edge} edge
   * @param {import('../harness/browserPage.mjs').BrowserPage & {name: string}} browser
   */
  constructor(edge, browser) {
    this.#edge = edge;
    this.#browser = browser;
  }

  async firstVisit() {
    const landing = '/?utm_source=news&utm_medium=email&utm_campaign=autumn&gclid=click-1';
    await this.#open(landing);
    await this.#browser.see('[data-testid=consent-accept]');
    await this.#shot('first-visit');
    const { anonymous } = await this.identity();
    assert.equal(anonymous, undefined, 'nobody is remembered before they agree');
  }

  /** The visitor agrees, and on this very first page sees what sells best. */
  async consents() {
    await this.#browser.click('[data-testid=consent-accept]');
    await this.#browser.seeGone('[data-endcap-consent]');
    await until(async () => (await this.identity()).anonymous, { what: 'the cookie is set once the visitor agreed' });
    this.#firstPicks = await this.#slot('home');
    assert.equal(this.#firstPicks[0], `/p/${BEST_SELLER}`, 'the best seller leads on the first visit');
    assert.equal(this.#firstPicks.length, 4);
    await this.#showSlot();
    await this.#shot('best-sellers');
  }

  async browses() {
    const { category } = productOf(LOOKED_AT[0]);
    await this.#browser.click(`nav a[href="/c/${category}"]`);
    for (const id of LOOKED_AT) {
      await this.#browser.click(`main a[href="/p/${id}"]`);
      await this.#browser.see('h1', { text: new RegExp(productOf(id).title) });
      if (id !== LOOKED_AT.at(-1)) await this.#browser.click(`main nav a[href="/c/${category}"]`);
    }
    // Something of another category: nobody asks about jackets whoever has one in the cart.
    await this.#browser.click(`nav a[href="/c/${productOf(BEST_SELLER).category}"]`);
    await this.#browser.click(`main a[href="/p/${BEST_SELLER}"]`);
    await this.#browser.see('h1', { text: new RegExp(productOf(BEST_SELLER).title) });
    await this.#browser.click('[data-testid=add-to-cart]');
    await this.#browser.see('[data-testid=cart-count]', { text: /^1$/ });
  }

  /** The pop-up opens at its trigger on the product page, takes the focus, and Escape closes it. */
  async meetsPopup() {
    const dwell = seed('campaigns').campaigns['still-thinking'].trigger.dwell_seconds * 1000;
    const waiting = { text: /Still thinking about/, within: dwell + 20_000 };
    const text = await this.#browser.see('endcap-popup >>> [role=dialog]', waiting);
    const after = await this.#browser.evaluate(() => performance.now());
    assert.ok(after >= dwell - 100, `opened after ${after} ms, its trigger is ${dwell}`);
    assert.match(text, /jackets/i, 'names the category that the visitor looked at');
    const focused = () => this.#browser.focusIsIn('endcap-popup >>> [role=dialog]');
    await until(focused, { what: 'the focus moves into the dialog' });
    const [named] = await this.#browser.attributes('endcap-popup >>> [role=dialog]', 'aria-labelledby');
    const [label] = await this.#browser.attributes('endcap-popup >>> [role=dialog]', 'aria-label');
    assert.ok(named || label, 'the dialog has a name');
    assert.equal(await this.#browser.count('endcap-popup >>> [role=dialog]'), 1, 'never two at once');
    const shown = await this.#browser.attributes('endcap-popup >>> a[href*="/p/"]', 'href');
    assert.ok(shown.length > 0, 'it shows products of the category');
    await this.#shot('popup');
    await this.#browser.press('Escape');
    await this.#browser.seeGone('endcap-popup >>> [role=dialog]');
    assert.equal(await this.#browser.focusIsIn('endcap-popup >>> [role=dialog]'), false, 'the focus went back');
  }

  async isKnown() {
    const { anonymous, device } = await this.identity();
    const profile = await until(
      async () => {
        const now = await this.#edge.api.profile({ anonymous_id: anonymous });
        return now.impressions.some((/** @type {any} */ one) => one.reaction === 'dismissed') && now;
      },
      { what: 'the profile shows the pop-up as dismissed' },
    );
    assert.deepEqual(profile.device_ids, [device]);
    for (const id of LOOKED_AT) assert.ok(profile.products_viewed.includes(id), `${id} was viewed`);
    assert.equal(profile.cart.units, 1);
    assert.equal(profile.touchpoints.first.utm.source, 'news');
    assert.equal(profile.touchpoints.first.click_ids.gclid, 'click-1');
    assert.equal(profile.stage.current, 'prospect');
    return profile;
  }

  async seesOwnPicks() {
    await this.#open('/');
    const picks = await until(
      async () => {
        const now = await this.#slot('home');
        return now.includes(`/p/${COMPANION}`) && now;
      },
      { what: 'the home slot shows what goes with the products viewed' },
    );
    assert.notDeepEqual(picks, this.#firstPicks);
    await this.#showSlot();
    await this.#shot('own-picks');
  }

  async logsIn() {
    const { anonymous } = await this.identity();
    const { profile_id: before } = await this.#edge.api.profile({ anonymous_id: anonymous });
    await this.#open('/account');
    await this.#browser.fill('[data-testid=login-email]', PERSON.email);
    await this.#browser.fill('[data-testid=login-name]', PERSON.name);
    await this.#browser.click('[data-testid=login-submit]');
    await this.#browser.see('[data-testid=logout]');
    const profile = await until(
      async () => {
        const now = await this.#edge.api.profile({ email: PERSON.email });
        return now.anonymous_ids.includes(anonymous) && now.user_ids.length > 0 && now;
      },
      { what: 'the login is known, and names the same visitor' },
    );
    assert.equal(profile.traits.name, PERSON.name);
    assert.equal((await this.#edge.api.profile({ anonymous_id: anonymous })).profile_id, profile.profile_id);
    assert.ok(profile.user_ids.length === 1, `the login was proved; before it the profile was ${before}`);
    await this.#shot('account');
  }

  async orders() {
    await this.#open('/cart');
    await this.#browser.see('main', { text: new RegExp(productOf(BEST_SELLER).title) });
    await this.#shot('cart');
    await this.#browser.click('[data-testid=checkout-link]');
    await this.#browser.see('[data-testid=place-order]');
    const address = { address: '12 St James Square', postcode: 'SW1Y', city: 'London', ...PERSON };
    for (const [field, text] of Object.entries(address)) {
      const filled = await this.#browser.evaluate((/** @type {string} */ id) => {
        const input = /** @type {HTMLInputElement | null} */ (document.getElementById(id));
        return input?.value;
      }, field);
      if (!filled) await this.#browser.fill(`main #${field}`, text);
    }
    await this.#shot('checkout');
    await this.#browser.click('[data-testid=place-order]');
    await this.#browser.see('[data-testid=order-confirmation]');
    await this.#shot('thanks');
    const { stage, counters, cart } = await until(
      async () => {
        const now = await this.#edge.api.profile({ email: PERSON.email });
        return now.counters.orders === 1 && now;
      },
      { what: 'the order is known' },
    );
    assert.equal(stage.current, 'new');
    assert.deepEqual(stage.history.map((/** @type {any} */ one) => one.stage), ['prospect', 'new']);
    assert.deepEqual([cart.units, Object.keys(counters.revenue)], [0, ['EUR']]);
  }

  /**
   * The shop's own prompt comes first; its button leads to the browser's permission and a subscription.
   *
   * @param {{before?: () => Promise<void>, after?: () => Promise<void>}} allow Agrees in the browser's own dialog,
   * before the click where the driver can only say so ahead of it.
   */
  async agreesToPush({ before, after }) {
    const { title, accept } = seed('settings').push_prompt;
    const text = new RegExp(title.replace('?', '\\?'));
    await this.#browser.see('endcap-popup >>> [role=dialog]', { text, within: 20_000 });
    await this.#shot('push-prompt');
    await before?.();
    await this.#clickByText('endcap-popup >>> button', accept);
    await after?.();
    await until(async () => (await this.#profile()).counters.push_subscriptions === 1, { what: 'the subscription is kept', within: 30_000 });
  }

  async leavesSecondCart() {
    const { category } = productOf(COMPANION);
    await this.#open(`/p/${COMPANION}`);
    await this.#browser.click('[data-testid=add-to-cart]');
    await this.#browser.see('[data-testid=cart-count]', { text: /^1$/ });
    await until(async () => (await this.#profile()).cart.units === 1, { what: `the cart with ${category} is known` });
  }

  /** Half an hour and a second later. */
  async timePasses() {
    await this.#browser.open('about:blank');
    await this.#edge.passTime(Date.now() + (CART_PUSH_SECONDS + 1) * 1000);
  }

  /** What the server API shows at the end of the story. */
  async isRemembered() {
    const profile = await this.#profile();
    assert.equal(profile.device_ids.length, 1);
    assert.deepEqual(profile.touchpoints.first.utm, { source: 'news', medium: 'email', name: 'autumn' });
    for (const id of [...LOOKED_AT, COMPANION]) assert.ok(profile.products_viewed.includes(id), `${id} was viewed`);
    assert.deepEqual(profile.cart.lines.map((/** @type {any} */ line) => line.product_id), [COMPANION]);
    assert.equal(profile.stage.current, 'new');
    assert.ok(profile.stage.history.every((/** @type {any} */ one) => one.since > 0));
    const reactions = profile.impressions
      .filter((/** @type {any} */ one) => one.campaign_id === 'still-thinking')
      .map((/** @type {any} */ one) => one.reaction);
    assert.deepEqual(reactions, ['shown', 'dismissed']);
    assert.ok(profile.impressions.some((/** @type {any} */ one) => one.slot === 'home'));
    const [push] = profile.pushes;
    assert.deepEqual([push.campaign, push.outcome], ['cart_left', 'sent']);
    assert.ok(push.shown_at && push.clicked_at >= push.shown_at, 'shown, then clicked');
    return profile;
  }

  /** The visitor's identity as the page's own cookie has it. */
  async identity() {
    const cookie = await this.#browser.evaluate(() => document.cookie);
    const [, device, anonymous] = /(?:^|; )ec_id=1\.([^.]+)\.([^.;]+)\./.exec(cookie) ?? [];
    return { device, anonymous };
  }

  #profile() {
    return this.#edge.api.profile({ email: PERSON.email });
  }

  /** @param {string} path */
  #open(path) {
    return this.#browser.open(this.#edge.origin + path);
  }

  #showSlot() {
    return this.#browser.evaluate(() => document.querySelector('endcap-slot')?.scrollIntoView({ block: 'center', behavior: 'instant' }));
  }

  /** The product links of a slot, once it is filled. @param {string} name @returns {Promise<string[]>} */
  async #slot(name) {
    const selector = `endcap-slot[name=${name}] >>> a[href*="/p/"]`;
    await this.#browser.see(selector);
    const links = await this.#browser.attributes(selector, 'href');
    return [...new Set(links.map((link) => new URL(link, this.#edge.origin).pathname))];
  }

  /**
   * @param {string} selector
   * @param {string} text
   */
  async #clickByText(selector, text) {
    await this.#browser.see(selector, { text: /./ });
    const labels = await this.#browser.texts(selector);
    const index = labels.indexOf(text);
    assert.ok(index >= 0, `no button "${text}" among ${labels.join(', ')}`);
    await this.#browser.click(selector, index);
  }

  /** @param {string} step */
  async #shot(step) {
    this.#shots += 1;
    const number = String(this.#shots).padStart(2, '0');
    await this.#browser.screenshot(`${this.#browser.name}-${number}-${step}`);
  }
}
