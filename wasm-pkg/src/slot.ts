/**
 * The custom element `<endcap-slot>`: reserves its height before anything is known, so that the page does not move when
 * the core fills it with product cards (`sdk/js/slots.js`, whose row is exactly this high).
 */

/** Columns of a slot that names no limit: `LIMIT` in `sdk/js/slots.js`. */
const COLUMNS = 4;

/** Defines the element once; `appeared` runs whenever one enters the page. */
export function defineSlot(appeared: () => void): void {
  if (customElements.get('endcap-slot')) return;
  customElements.define(
    'endcap-slot',
    class extends HTMLElement {
      connectedCallback(): void {
        if (!this.shadowRoot) {
          const columns = Number(this.getAttribute('limit')) || COLUMNS;
          this.style.display = 'block';
          this.style.containerType = 'inline-size';
          const room = this.attachShadow({ mode: 'open' }).appendChild(document.createElement('div'));
          const card = `clamp(144px,(100cqw - 20px*${columns - 1})/${columns},300px)`;
          room.style.height = `calc(${card}*1.25 + ${this.hasAttribute('heading') ? 136 : 84}px)`;
        }
        appeared();
      }
    },
  );
}
