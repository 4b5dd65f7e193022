/**
 * What opens over the page, one at a time: a dialog in a shadow root, with focus moved in and given back, closed by
 * Escape, by its buttons, and (where it covers the page) by a click beside it.
 *
 * It is the browser's own dialog element: it lies above everything, keeps the focus in when modal, and never touches the
 * history, so the back button does what it always does.
 */
import { add, card, isWeb, shadow } from './dom.js';
import { lookAgain, opened } from './trigger.js';
import { world } from './world.js';

let current;

/**
 * Opens `content` as a `card` (modal), `banner` or `prompt`. Once it is answered it closes, and `answered` is told whether
 * the visitor followed it. `css`: what the form needs beside the styles of all.
 */
export function open(form, content, products, answered, css = '') {
  const before = document.activeElement;
  const host = document.createElement('endcap-popup');
  const dialog = add(shadow(host, CSS + css, world.page.nonce), 'dialog', form, '', { role: 'dialog', 'aria-labelledby': 'title', tabindex: '-1' });
  const ends = new AbortController();
  const on = (target, event, act) => target.addEventListener(event, act, { signal: ends.signal });
  const end = (clicked) => (answered(clicked), close());
  const dismiss = () => end(false);
  const click = (element, act) => (on(element, 'click', act), element);
  const followed = () => end(true);

  const inner = add(dialog, 'div', 'inner');
  if (form === 'prompt') add(inner, 'span', 'bell', '', { 'aria-hidden': 'true' });
  else click(add(inner, 'button', 'close', '\u00d7', { 'aria-label': content.dismiss || 'Close' }), dismiss);
  if (products?.length) {
    const list = add(inner, 'div', 'products');
    for (const product of products) click(card(list, product), followed);
  }
  const copy = add(inner, 'div', 'copy');
  add(copy, 'h2', 'title', content.title, { id: 'title' });
  if (content.body) {
    add(copy, 'p', 'body', content.body, { id: 'body' });
    dialog.setAttribute('aria-describedby', 'body');
  }
  const actions = add(inner, 'div', 'actions');
  if (content.label) {
    const url = isWeb(content.url) && content.url;
    const call = click(add(actions, url ? 'a' : 'button', 'cta', content.label), followed);
    if (url) call.href = url;
  }
  if (content.dismiss) click(add(actions, 'button', 'dismiss', content.dismiss), dismiss);

  on(document, 'keydown', (event) => event.key === 'Escape' && dismiss());
  // The back gesture of phones cancels a modal dialog without a key.
  on(dialog, 'cancel', (event) => (event.preventDefault(), dismiss()));
  // The content fills the dialog, so a click on the dialog itself is one beside it.
  if (form === 'card') on(dialog, 'click', (event) => event.target === dialog && dismiss());

  document.body.append(host);
  Object.assign(opened, { host, close });
  if (form === 'card') dialog.showModal();
  else dialog.show();
  dialog.focus();
  current = () => {
    ends.abort();
    dialog.close();
    host.remove();
    before?.focus?.();
  };
}

/** Takes it away and gives the focus back. */
export function close() {
  if (!current) return;
  current();
  current = undefined;
  opened.now = false;
  opened.host = undefined;
  lookAgain();
}

const CSS = `
:host{all:initial}
*{box-sizing:border-box}
dialog{
--accent:var(--endcap-accent,#1b1d22);
--on-accent:var(--endcap-on-accent,#fff);
--ink:var(--endcap-ink,#1b1d22);
--soft:var(--endcap-soft-ink,#5b606b);
--paper:var(--endcap-paper,#fff);
--tint:var(--endcap-tint,#f3f2ef);
--r:var(--endcap-radius,18px);
border:0;padding:0;margin:auto;color:var(--ink);background:var(--paper);
font:400 16px/1.5 var(--endcap-font,system-ui,sans-serif);
border-radius:var(--r);box-shadow:0 24px 64px -16px rgb(15 18 25/.4);
outline:0;overflow:hidden auto;overscroll-behavior:contain;
animation:in .28s cubic-bezier(.2,.8,.2,1)}
dialog::backdrop{background:rgb(17 19 24/.5);animation:fade .2s}
.inner{position:relative}
h2{margin:0;font-family:var(--endcap-heading-font,inherit);font-weight:var(--endcap-heading-weight,700);font-size:1.5em;line-height:1.22;letter-spacing:-.015em;text-wrap:balance}
p{margin:.5em 0 0;color:var(--soft)}
button,.cta{font:inherit;cursor:pointer;min-height:44px;min-width:44px;border:0;background:none;color:inherit}
.cta{display:inline-flex;align-items:center;justify-content:center;padding:10px 24px;border-radius:var(--endcap-button-radius,999px);font-weight:600;text-decoration:none;text-align:center;background:var(--accent);color:var(--on-accent)}
.cta:hover{filter:brightness(1.18)}
.dismiss{padding:8px 16px;border-radius:999px;color:var(--soft);font-weight:500}
.dismiss:hover{color:var(--ink);background:var(--tint)}
.close{position:absolute;z-index:1;top:10px;inset-inline-end:10px;padding:0;border-radius:50%;font-size:26px;line-height:1;color:var(--soft)}
.close:hover{background:var(--tint);color:var(--ink)}
:focus-visible{outline:3px solid #2563eb;outline-offset:2px}
dialog:focus-visible{outline:0}
.products{display:flex;gap:12px}
.product{flex:1 1 0;min-width:0;color:inherit;text-decoration:none;display:block;border-radius:min(12px,var(--r));font-size:14px;line-height:1.4}
.picture{display:block;aspect-ratio:4/5;border-radius:min(12px,var(--r));overflow:hidden;background:var(--tint);margin-bottom:8px}
.picture img{display:block;width:100%;height:100%;object-fit:cover}
.name{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;font-weight:500}
.price{display:block;color:var(--soft)}
.card{width:min(468px,calc(100vw - 32px));max-height:calc(100dvh - 32px)}
.card .inner{padding:32px}
.card .copy{text-align:center}
.card .products{justify-content:center;margin:24px 0 22px}
.card .product{max-width:188px}
.card .product:only-child{max-width:240px}
.card h2{padding:0 20px}
.card .products+.copy h2{padding:0}
.card .actions{display:flex;flex-direction:column;gap:6px;margin-top:24px}
.card .cta{min-height:50px}
.prompt{position:fixed;z-index:2147483000;inset:auto 0 16px;margin:0 auto;width:min(440px,calc(100vw - 32px))}
.prompt .inner{display:grid;grid-template-columns:48px 1fr;gap:4px 16px;padding:22px 22px 16px}
.prompt h2{font-size:1.08em}
.prompt p{margin:.3em 0 0;font-size:.92em;line-height:1.45}
.prompt .actions{grid-column:1/3;display:flex;flex-direction:row-reverse;justify-content:flex-start;gap:6px;margin-top:14px}
.prompt .cta{padding:8px 20px}
.bell{width:48px;height:48px;border-radius:14px;background:var(--tint);position:relative}
.bell:before,.bell:after{content:"";position:absolute;background:var(--accent);left:50%;transform:translateX(-50%)}
.bell:before{top:13px;width:18px;height:17px;border-radius:9px 9px 2px 2px;box-shadow:0 15px 0 -7px var(--accent)}
.bell:after{top:29px;width:24px;height:2.5px;border-radius:2px}
@keyframes in{from{opacity:0;transform:translateY(14px) scale(.985)}}
@keyframes fade{from{opacity:0}}
@media(max-width:640px){
.card{margin-bottom:16px}
.card .inner{padding:26px 20px 16px}
.card .product{font-size:13px}
}
@media(max-height:520px){.products{display:none}}
@media(prefers-reduced-motion:reduce){dialog,dialog::backdrop{animation:none}}
@media(forced-colors:active){dialog{border:1px solid CanvasText}.cta{border:1px solid ButtonText}}
`;
