/** Forms that are sent: which one, never what was typed. */
import { text } from './plain.js';
import { listen } from './quietly.js';

/** Tracks `Form Submitted`. */
export function watchForms(track) {
  listen('submit', ({ target }) => {
    // A field named `id` or `getAttribute` hides the form's own.
    const read = (name) => Element.prototype.getAttribute.call(target, name);
    const { origin, pathname } = new URL(read('action') ?? '', document.baseURI);
    const action = /^http/.test(origin) ? origin + pathname : undefined;
    track('Form Submitted', { form_id: text(read('id')), form_name: text(read('name')), action });
  });
}
