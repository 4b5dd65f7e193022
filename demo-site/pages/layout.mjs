// The shell around every page: head, header, consent banner, footer.

import { BRAND, CATEGORIES } from "../shop.mjs";
import { esc, icon, json } from "./html.mjs";

const mark = `<svg class="mark" viewBox="0 0 34 24" width="34" height="24" aria-hidden="true"><path d="M3 15 11 3l5.500 7.500L20 6l9 9z" fill="currentColor"/><path d="M2 20q3-2.400 6 0t6 0 6 0 6 0 6 0" fill="none" stroke="var(--ember)" stroke-width="2.200" stroke-linecap="round"/></svg>`.replace(/\.(\d)00/g, ".$1");

function header(current) {
  const links = CATEGORIES.map(({ id, short }) => `<li><a href="/c/${id}"${current === id ? ' aria-current="page"' : ""}>${esc(short)}</a></li>`).join("");
  return `<aside class="notice" aria-label="What we promise"><p>Free delivery over €75 <span aria-hidden="true">·</span> <span class="wide">60 days to change your mind <span aria-hidden="true">·</span></span> Mended free, for ever</p></aside>
<header class="site-header">
  <div class="bar">
    <button class="icon-button menu-button" type="button" aria-expanded="false" aria-controls="menu">${icon("menu")}<span class="sr">Menu</span></button>
    <a class="logo" href="/">${mark}<span>${BRAND}</span></a>
    <nav id="menu" class="menu" aria-label="Categories"><ul>${links}</ul></nav>
    <form class="search" role="search" action="/search" method="get">
      <label class="sr" for="q">Search the shop</label>
      ${icon("search", 18)}<input id="q" name="q" type="search" placeholder="Search" autocomplete="off" enterkeyhint="search">
    </form>
    <div class="tools">
      <a class="icon-button" href="/account" data-testid="account-link">${icon("user")}<span class="sr">Account</span></a>
      <a class="icon-button" href="/cart" data-testid="cart-link">${icon("bag")}<span class="sr">Cart, </span><span class="badge" data-testid="cart-count" data-cart-count hidden>0</span><span class="sr"> items</span></a>
    </div>
  </div>
</header>`;
}

const PURPOSES = [
  ["analytics", "Analytics", "Which pages are looked at, so that we can fix the bad ones."],
  ["personalization", "Personal picks", "Products chosen for you from what you have looked at here."],
  ["marketing", "Reminders", "A notification when you leave something behind, if you allow it."],
];

const banner = `<section class="consent" data-endcap-consent aria-labelledby="consent-title" hidden>
  <h2 id="consent-title">Your data stays in this shop</h2>
  <p>With your leave we remember what you look at, so that the shop can fit you better. Nothing goes to anybody else.</p>
  <form class="consent-choices" hidden>${PURPOSES.map(([id, title, text]) => `<label class="switch"><input type="checkbox" name="${id}"><span><b>${title}</b>${text}</span></label>`).join("")}
  </form>
  <div class="consent-buttons">
    <button class="button quiet" type="button" data-consent="accept" data-testid="consent-accept">Accept all</button>
    <button class="button quiet" type="button" data-consent="reject" data-testid="consent-reject">Reject all</button>
    <button class="button text" type="button" data-consent="choose" data-testid="consent-choose" aria-expanded="false">Choose</button>
  </div>
</section>`;

const footer = `<footer class="site-footer">
  <div class="footer-grid">
    <div><a class="logo" href="/">${mark}<span>${BRAND}</span></a><p>Clothes and things for weather, made by people we know, since 2009.</p></div>
    <nav aria-label="Shop"><h2>Shop</h2><ul>${CATEGORIES.map(({ id, title }) => `<li><a href="/c/${id}">${esc(title)}</a></li>`).join("")}</ul></nav>
    <nav aria-label="Help"><h2>Help</h2><ul><li><a href="/account">Your account</a></li><li><a href="/account#orders">Orders and returns</a></li><li><a href="/cart">Your cart</a></li><li><button type="button" class="link" data-consent-open>Privacy choices</button></li></ul></nav>
    <div><h2>The workshop</h2><p>Pier 4, Nordhavn<br>Monday to Saturday, 10 to 18</p><p><a href="mailto:hello@skerry.example">hello@skerry.example</a></p></div>
  </div>
  <p class="small">© ${BRAND}. A demonstration shop: nothing is sold, nobody is charged.</p>
</footer>`;

/**
 * A whole page. `name` is the page's name in analytics, `path` its address, `data` what its script needs,
 * `schema` its structured data. `made`: its script makes what it shows, so nothing is drawn before the script ran, and nothing moves.
 */
export function layout({ title, description, name, path, current, body, data, schema, assets, bare = false, made = false, image = "/img/hero.svg" }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${esc(title)}</title>
<meta name="description" content="${esc(description)}">
<meta name="theme-color" content="#fbf9f5">
<meta property="og:type" content="${name === "Product" ? "product" : "website"}">
<meta property="og:title" content="${esc(title)}">
<meta property="og:description" content="${esc(description)}">
<meta property="og:image" content="${esc(image)}">
<meta property="og:site_name" content="${BRAND}">
<link rel="canonical" href="${path}">
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assets.styles}">
<script type="module" src="${assets.script}"${made ? ' blocking="render"' : ""}></script>
${(schema ?? []).map((item) => `<script type="application/ld+json">${json({ "@context": "https://schema.org", ...item })}</script>`).join("\n")}
</head>
<body data-page="${esc(name)}">
<a class="skip" href="#main">Skip to the content</a>
${bare ? header(current).replace('class="site-header"', 'class="site-header bare"') : header(current)}
<main id="main">
${body}
</main>
${footer}
${banner}
<div class="toasts" role="status" aria-live="polite"></div>
${data ? `<script type="application/json" id="page-data">${json(data)}</script>` : ""}
</body>
</html>
`;
}
