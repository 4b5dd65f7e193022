// The pages that one visits with a purpose: search, cart, checkout, thanks, account; and the one for nothing found.

import { BRAND } from "../shop.mjs";
import { crumbs, icon, picks } from "./html.mjs";
import { layout } from "./layout.mjs";

export const searchPage = (assets) =>
  layout({
    title: `Search | ${BRAND}`, description: "Search the shop.", name: "Search", path: "/search", assets, made: true,
    body: `<div class="page">${crumbs([["Home", "/"], ["Search"]])}
<header class="listing-head"><div><h1 data-search-title>Search</h1><p data-search-note role="status"></p></div></header>
<ul class="grid results" data-results></ul>
<div class="empty" data-none hidden><p>Nothing found. Try “wool”, “boots” or “navy”, or look through <a href="/c/jackets">jackets</a> and <a href="/c/home">things for the house</a>.</p></div>
</div>`,
  });

export const cartPage = (assets) =>
  layout({
    title: `Your cart | ${BRAND}`, description: "What you have chosen.", name: "Cart", path: "/cart", assets, made: true,
    body: `<div class="page">
<h1 class="page-title">Your cart</h1>
<div class="cart" data-cart></div>
</div>
${picks("cart", "Before you go", "Things that keep company with what is in your cart.")}`,
  });

/** A labelled field; `attributes` as written in HTML. */
const field = (id, label, attributes, { half = false, hint = "" } = {}) =>
  `<p class="field${half ? " half" : ""}"><label for="${id}">${label}</label><input id="${id}" name="${id}" ${attributes} aria-describedby="${id}-note"><span class="note" id="${id}-note">${hint}</span></p>`;

const COUNTRIES = ["Austria", "Belgium", "Denmark", "Finland", "France", "Germany", "Ireland", "Italy", "Netherlands", "Norway", "Portugal", "Spain", "Sweden"];

const delivery = `<fieldset class="options"><legend>Delivery</legend>
<label class="option"><input type="radio" name="delivery" value="standard" checked><span><b>Standard</b>2 to 4 days</span><span data-standard>€5.00</span></label>
<label class="option"><input type="radio" name="delivery" value="express"><span><b>Overnight</b>Tomorrow before noon</span><span>€12.00</span></label></fieldset>`;

export const checkoutPage = (assets) =>
  layout({
    title: `Checkout | ${BRAND}`, description: "Address, delivery, payment.", name: "Checkout", path: "/checkout", assets, bare: true, made: true,
    body: `<div class="page">
<h1 class="page-title">Checkout</h1>
<div class="checkout">
<form class="form" data-checkout novalidate>
  <section aria-labelledby="who"><h2 id="who">Who is it for?</h2>
  ${field("email", "E-mail", 'type="email" required autocomplete="email"')}
  ${field("name", "Name", 'required autocomplete="name"')}
  ${field("address", "Street and number", 'required autocomplete="street-address"')}
  ${field("postcode", "Postcode", 'required autocomplete="postal-code" pattern="[A-Za-z0-9 \\-]{3,10}"', { half: true })}
  ${field("city", "City", 'required autocomplete="address-level2"', { half: true })}
  <p class="field"><label for="country">Country</label><select id="country" name="country" autocomplete="country-name">${COUNTRIES.map((name) => `<option${name === "Germany" ? " selected" : ""}>${name}</option>`).join("")}</select></p></section>
  <section>${delivery}</section>
  <section aria-labelledby="pay"><h2 id="pay">Payment</h2>
  <p class="hint">${icon("check", 18)} A demonstration: the card below is a test number and nothing is charged.</p>
  ${field("card", "Card number", 'required inputmode="numeric" autocomplete="cc-number" value="4242 4242 4242 4242" maxlength="23"')}
  ${field("expiry", "Expires", 'required inputmode="numeric" autocomplete="cc-exp" placeholder="MM/YY" value="12/30" maxlength="5"', { half: true })}
  ${field("cvc", "Security code", 'required inputmode="numeric" autocomplete="cc-csc" value="123" maxlength="4"', { half: true })}</section>
  <button class="button wide" type="submit" data-testid="place-order">Place order</button>
</form>
<aside class="summary" data-summary aria-label="Your order"></aside>
</div></div>`,
  });

export const thanksPage = (assets) =>
  layout({
    title: `Thank you | ${BRAND}`, description: "Your order.", name: "Thanks", path: "/thanks", assets, made: true,
    body: `<div class="page narrow"><div data-thanks></div></div>
${picks("home", "While you wait", "From what you look at in this shop, and from nothing else.")}`,
  });

export const accountPage = (assets) =>
  layout({
    title: `Your account | ${BRAND}`, description: "Orders, notifications, privacy.", name: "Account", path: "/account", assets, made: true,
    body: `<div class="page">
<h1 class="page-title" data-greeting>Your account</h1>
<div class="account">
  <section class="panel" data-login aria-labelledby="login-title"><h2 id="login-title">Sign in</h2><p>No password in this demonstration: your e-mail and your name will do.</p>
  <form class="form" novalidate>
    <p class="field"><label for="login-email">E-mail</label><input id="login-email" name="email" type="email" required autocomplete="email" data-testid="login-email" aria-describedby="login-email-note"><span class="note" id="login-email-note"></span></p>
    <p class="field"><label for="login-name">Name</label><input id="login-name" name="name" required autocomplete="name" data-testid="login-name" aria-describedby="login-name-note"><span class="note" id="login-name-note"></span></p>
    <button class="button" type="submit" data-testid="login-submit">Sign in</button>
  </form></section>
  <section class="panel" data-profile hidden aria-labelledby="profile-title"><h2 id="profile-title">You</h2><dl data-details></dl><button class="button quiet" type="button" data-testid="logout">Sign out</button></section>
  <section class="panel" aria-labelledby="notify-title"><h2 id="notify-title">Notifications</h2><p>We tell you when an order leaves and when you left something in your cart. You can stop it in your browser whenever you like.</p><p><button class="button quiet" type="button" data-testid="notify-me">${icon("bell", 18)} Notify me</button></p><p class="note" data-notify-result role="status"></p></section>
  <section class="panel" aria-labelledby="privacy-title"><h2 id="privacy-title">Privacy</h2><p data-consent-state></p><p><button class="button quiet" type="button" data-consent-open>Change my choices</button></p></section>
  <section class="panel full" id="orders" aria-labelledby="orders-title"><h2 id="orders-title">Orders</h2><div data-orders></div></section>
</div></div>`,
  });

export const missingPage = (assets) =>
  layout({
    title: `Not found | ${BRAND}`, description: "There is nothing here.", name: "Not found", path: "/404", assets,
    body: `<div class="page narrow centred"><p class="eyebrow">404</p><h1>Lost in the fog</h1><p>There is nothing at this address. The boats go from the <a href="/">home page</a>.</p></div>
${picks("home", "Since you are here", "From what you look at in this shop, and from nothing else.")}`,
  });
