// A product's page: pictures, choices, and into the cart.

import { requestPush } from 'endcap';
import { productAdded, productViewed } from '../analytics';
import type { Item } from '../item';
import { el, find, findAll, pageData, toast } from '../dom';
import { cart, type Line } from '../store';

interface ProductData {
  product: Item & { amount: number; available: boolean };
}

function show(src: string): void {
  const main = find<HTMLImageElement>('[data-main]');
  if (main) main.src = src;
  for (const thumb of findAll('[data-thumb]')) thumb.setAttribute('aria-current', String(thumb.dataset.thumb === src));
}

/** Choosing a colour shows its picture, in the first thumbnail too. */
function pickColour(input: HTMLInputElement): void {
  const src = input.dataset.image ?? '';
  const name = find('[data-colour-name]');
  if (name) name.textContent = input.value;
  const first = find('[data-thumb]');
  if (first) {
    first.dataset.thumb = src;
    const picture = find<HTMLImageElement>('img', first);
    if (picture) picture.src = src;
  }
  show(src);
}

function lineOf(product: ProductData['product'], form: HTMLFormElement): Line {
  const chosen = new FormData(form);
  const variant = [chosen.get('colour'), chosen.get('size')].filter(Boolean).join(', ');
  const picture = find('input[name=colour]:checked', form)?.dataset.image ?? product.image_url;
  return { ...product, key: `${product.product_id} ${variant}`, variant, quantity: 1, picture };
}

export function productPage(): void {
  const data = pageData<ProductData>();
  const form = find<HTMLFormElement>('[data-product-form]');
  if (!data || !form) return;
  productViewed(data.product);
  find('[data-gallery]')?.addEventListener('click', (event) => {
    const thumb = (event.target as Element).closest<HTMLElement>('[data-thumb]');
    if (thumb) show(thumb.dataset.thumb ?? '');
  });
  form.addEventListener('change', (event) => {
    const input = event.target as HTMLInputElement;
    if (input.name === 'colour') pickColour(input);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!data.product.available) return;
    const line = lineOf(data.product, form);
    cart.add(line);
    productAdded(line);
    toast(el('img', { src: line.picture, alt: '', width: 48, height: 60 }), el('span', {}, el('b', {}, 'In your cart'), `${line.name}, ${line.variant}`), el('a', { href: '/cart' }, 'View cart'));
  });
  find('[data-back-in-stock]')?.addEventListener('click', () => {
    void requestPush().then((answer) => toast(answer === 'granted' ? 'We will tell you when it is back.' : 'Notifications are off in this browser.'));
  });
}
