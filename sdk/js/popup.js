/** The pop-up of a campaign: its texts and products, and what the visitor did about it. */
import { open } from './overlay.js';
import { opened } from './trigger.js';
import { world } from './world.js';

/** Opens a campaign as the edge `sent` it; `category` is what its condition found, or empty. */
export function popup(sent, category) {
  const { id, version, popup, products = {}, names = {} } = sent;
  const texts = { ...popup, ...popup.cta };
  for (const key of ['title', 'body', 'dismiss', 'label', 'url']) {
    const put = key === 'url' ? encodeURIComponent : String;
    // `{{category}}` or `{{category_id}}`, which sorts after it; the edge writes what stands there otherwise behind a bar. An ID is
    // read by visitors only where nothing else is there to say.
    texts[key] = texts[key]?.replace(/{{(\w*)\|?(.*?)}}/g, (_, part, otherwise) =>
      put((part > 'category' ? category : names[category]) || otherwise || category),
    );
  }
  const report = (action, event) => {
    const detail = { campaign_id: id, version };
    world.impression(event, detail);
    world.emit('popup', { ...detail, action });
  };
  const show = (form, css) => {
    // Consent may have been taken back while a template was on its way.
    if (!opened.now) return;
    open(form, texts, products[category] ?? products[''], (clicked) =>
      clicked ? report('clicked', 'Campaign Clicked') : report('dismissed', 'Campaign Dismissed'),
      css,
    );
    report('shown', 'Campaign Shown');
  };
  if (popup.template !== 'banner') show('card');
  else import('./banner.js').then(world.later(({ CSS }) => show('banner', CSS)), () => (opened.now = false));
}
