/** Recommendation slots, filled with product cards. */
import { add, card, shadow } from './dom.js';
import { world } from './world.js';

/** Fills the slots from a decision (name to `{reason, items}`) and reports what was shown. */
export function fill(decision) {
  const { slots, nameOf, limitOf } = world;
  for (const host of slots()) {
    const { items, reason } = decision[nameOf(host)] ?? {};
    if (items) render(host, items.slice(0, limitOf(host)), reason);
  }
}

/** Empties every slot: what it shows came from what the visitor did. */
export function clear() {
  for (const host of world.slots()) {
    world.filled.delete(host);
    host.shadowRoot?.replaceChildren();
  }
}

function render(host, items, reason) {
  const products = items.map((item) => item.id);
  if (world.filled.get(host) === products.join()) return;
  world.filled.set(host, products.join());
  const root = shadow(host, CSS, world.page.nonce);
  if (!products.length) return; // An empty slot gives its space back.
  host.style.setProperty('--columns', world.limitOf(host));
  const heading = host.getAttribute('heading');
  const section = add(root, 'section', 'slot', '', heading ? { 'aria-labelledby': 'heading' } : {});
  if (heading) add(section, 'h2', 'heading', heading, { id: 'heading' });
  // Safari drops the list semantics of a list without bullets.
  const list = add(section, 'ul', 'row', '', { role: 'list' });
  const slot = world.nameOf(host);
  for (const item of items) {
    const link = card(add(list, 'li', 'item'), item);
    link.addEventListener('click', () => world.impression('Slot Clicked', { slot, product_id: item.id }));
  }
  const detail = { slot, reason, product_ids: products };
  world.emit('slot', detail);
  world.debug('shown', detail);
  world.impression('Slot Shown', detail);
}

const CSS = `
:host{display:block;container-type:inline-size}
*{box-sizing:border-box}
.slot{font:400 15px/21px var(--endcap-font,inherit);color:var(--endcap-ink,inherit)}
h2{margin:0 0 16px;height:36px;font-weight:700;font-size:24px;line-height:36px;letter-spacing:-.015em;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
ul{display:flex;gap:20px;margin:0;padding:0;list-style:none;overflow:auto hidden;scroll-snap-type:x proximity;scrollbar-width:none}
li{flex:none;width:clamp(144px,(100cqw - 20px*(var(--columns) - 1))/var(--columns),300px);scroll-snap-align:start}
a{display:block;color:inherit;text-decoration:none;border-radius:var(--endcap-radius,14px)}
a:focus-visible{outline:3px solid #2563eb;outline-offset:-3px}
.picture{display:block;aspect-ratio:4/5;margin-bottom:12px;border-radius:var(--endcap-radius,14px);overflow:hidden;background:var(--endcap-tint,#f3f2ef)}
img{display:block;width:100%;height:100%;object-fit:cover}
.name{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;max-height:42px;font-weight:500}
a:hover .name{text-decoration:underline;text-underline-offset:3px}
.row{height:calc(clamp(144px,(100cqw - 20px*(var(--columns) - 1))/var(--columns),300px)*1.25 + 84px)}
.price{display:block;margin-top:4px;color:var(--endcap-soft-ink,#5b606b)}
`;
