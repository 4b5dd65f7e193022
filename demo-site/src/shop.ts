// The one script of every page: starts tracking, the header and the banner, then what this page needs.

import { startAnalytics } from './analytics';
import { startConsent } from './consent';
import { startDrawer } from './drawer/drawer';
import { find } from './dom';
import { accountPage } from './pages/account';
import { cartPage } from './pages/cart';
import { checkoutPage, thanksPage } from './pages/checkout';
import { listingPage } from './pages/listing';
import { productPage } from './pages/product';
import { searchPage } from './pages/search';
import { cart } from './store';

const PAGES: Record<string, () => void> = {
  Home: listingPage,
  Category: listingPage,
  Product: productPage,
  Search: searchPage,
  Cart: cartPage,
  Checkout: checkoutPage,
  Thanks: thanksPage,
  Account: accountPage,
};

function showCount(): void {
  const badge = find('[data-cart-count]');
  if (!badge) return;
  const units = cart.units();
  badge.textContent = String(units);
  badge.hidden = units === 0;
}

function startMenu(): void {
  const button = find('.menu-button');
  button?.addEventListener('click', () => {
    const open = document.body.classList.toggle('menu-open');
    button.setAttribute('aria-expanded', String(open));
  });
}

startDrawer();
startAnalytics();
showCount();
startMenu();
document.addEventListener('cart', showCount);
// Another tab changed the cart.
addEventListener('storage', (event) => event.key === 'skerry.cart' && document.dispatchEvent(new CustomEvent('cart')));
// A page from the back-forward cache shows what the cart was then.
addEventListener('pageshow', (event) => event.persisted && document.dispatchEvent(new CustomEvent('cart')));
PAGES[document.body.dataset.page ?? '']?.();
startConsent();
