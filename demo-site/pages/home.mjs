// The home page: banner, categories, what Endcap picks, what is new, the story.

import { BRAND, CATEGORIES } from "../shop.mjs";
import { card, esc, icon, picks, tracked } from "./html.mjs";
import { layout } from "./layout.mjs";

const NEW = ["cairn-shell", "voe-fairisle", "byre-cord", "fell-runner", "pilot-rolltop", "kiln-mug", "bothy-flannel", "loch-chelsea"];

const PROMISES = [
  ["truck", "Delivered free over €75", "By bicycle where there is one, by train where there isn't."],
  ["back", "Sixty days to decide", "Wear it on a real walk. If it isn't right, send it back free."],
  ["needle", "Mended for ever", "Post it to us torn and get it back whole, as often as it takes."],
  ["leaf", "Made by people we know", "Eleven workshops, all of them visited, all of them named."],
];

const tiles = () =>
  CATEGORIES.map(({ id, title }) => `<li><a class="tile" href="/c/${id}"><img src="/img/tile-${id}.svg" alt="" width="600" height="660" loading="lazy" decoding="async"><span>${esc(title)}</span></a></li>`).join("");

export function homePage(products, assets) {
  const fresh = NEW.map((id) => products.find((product) => product.id === id));
  const body = `<section class="hero">
  <img src="/img/hero.svg" alt="" width="1600" height="720" fetchpriority="high">
  <div class="hero-text">
    <p class="eyebrow">The autumn collection</p>
    <h1>Made for weather, kept for years.</h1>
    <p>Jackets, boots and warm things for the walk to the ferry and the week on the island.</p>
    <p class="hero-links"><a class="button" href="/c/jackets">Shop jackets</a> <a class="button ghost" href="/c/shoes">Shop boots</a></p>
  </div>
</section>
<section class="section" aria-labelledby="by-category"><div class="section-head"><h2 id="by-category">Start somewhere</h2></div><ul class="tiles">${tiles()}</ul></section>
${picks("home", "Picked for you", "From what you look at in this shop, and from nothing else.")}
<section class="story">
  <img src="/img/story.svg" alt="Four jumpers and shirts on a washing line" width="900" height="520" loading="lazy" decoding="async">
  <div><p class="eyebrow">From the workshop</p><h2>We would rather mend it than sell you another.</h2><p>Everything with our name in it comes with a promise: if it tears, we mend it, for as long as there is something left to sew. Last year that was 4,112 parcels. Most came back with a note.</p><p><a class="arrow" href="/c/trousers">See the trousers with double knees</a></p></div>
</section>
<section class="section" aria-labelledby="new-in"><div class="section-head"><h2 id="new-in">New this week</h2><a class="arrow" href="/c/jackets">All jackets</a></div><ul class="grid">${fresh.map((product, i) => card(product, { position: i })).join("")}</ul></section>
<section class="promises" aria-label="What we promise"><ul>${PROMISES.map(([name, title, text]) => `<li>${icon(name, 28)}<h3>${title}</h3><p>${text}</p></li>`).join("")}</ul></section>`;
  const site = { "@type": "WebSite", name: BRAND, url: "/", potentialAction: { "@type": "SearchAction", target: "/search?q={query}", "query-input": "required name=query" } };
  return layout({
    title: `${BRAND}: clothes and things for weather`,
    description: "Jackets, knitwear, boots and bags made by people we know. Free delivery over €75, mended free for ever.",
    name: "Home", path: "/", body, assets, schema: [site, { "@type": "Organization", name: BRAND, url: "/", logo: "/favicon.svg" }],
    data: { list: { id: "new-in", name: "New this week", products: fresh.map(tracked) } },
  });
}
