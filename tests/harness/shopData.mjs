/** A small catalogue with two categories, for suites that need no demo shop. */

/**
 * @param {string} id
 * @param {string} category
 * @param {number} amount Minor units.
 */
const product = (id, category, amount) => ({
  id,
  title: `The ${id}`,
  url: `/p/${id}`,
  image: `/img/${id}.svg`,
  category,
  price: { amount, currency: 'EUR' },
  available: true,
});

/** Twelve products: `trousers-1` to `-6` and `shoes-1` to `-6`. */
export const PRODUCTS = ['trousers', 'shoes'].flatMap((category) =>
  [1, 2, 3, 4, 5, 6].map((n) => product(`${category}-${n}`, category, 1000 * n)),
);

/** A pop-up for who looked at two products of a category, bought none of it, and has something in the cart. */
export const NUDGE = {
  name: 'Nudge',
  enabled: true,
  type: 'popup',
  condition: {
    all: [
      { fact: 'stage', in: ['prospect', 'new', 'active'] },
      {
        some_category: {
          all: [
            { fact: 'products_viewed', category: '$', op: '>=', value: 2 },
            { fact: 'units_bought', category: '$', op: '=', value: 0 },
          ],
        },
      },
      { fact: 'cart_units', op: '>=', value: 1 },
    ],
  },
  trigger: { dwell_seconds: 8 },
  frequency: { per_session: 1, per_days: { count: 2, days: 7 } },
  pages: { include: ['/*'], exclude: ['/checkout*'] },
  content: {
    template: 'card',
    title: 'Still thinking about {{category}}?',
    body: 'They are waiting for you.',
    cta: { label: 'See them', url: '/c/{{category_id}}' },
    dismiss: 'No thanks',
    products: { from: 'category', limit: 3 },
  },
};
