/** The pop-up of a campaign: its texts and products, and what the visitor did about it. */
import { open } from './overlay.js';
import { world } from './world.js';

/** Opens a campaign as the edge `sent` it; `category` is what its condition found, or empty. */
export function popup(sent, category) {
  const { id, version, popup, products = {}, names = {} } = sent;
  const name = names[category] ?? category;
  const texts = { ...popup, ...popup.cta };
  for (const key of ['title', 'body', 'dismiss', 'label', 'url']) {
    const put = key === 'url' ? encodeURIComponent : String;
    texts[key] = texts[key]?.replace(/{{(\w*)}}/g, (_, part) => put(part === 'category_id' ? category : name));
  }
  const report = (action, event) => {
    const detail = { campaign_id: id, version };
    world.impression(event, detail);
    world.emit('popup', { ...detail, action });
  };
  open(popup.template === 'banner' ? 'banner' : 'card', texts, products[category] ?? products[''], (clicked) =>
    clicked ? report('clicked', 'Campaign Clicked') : report('dismissed', 'Campaign Dismissed'),
  );
  report('shown', 'Campaign Shown');
}
