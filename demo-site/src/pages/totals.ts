// What delivery costs, in minor units.

/** Orders from this on are delivered free. */
export const FREE_FROM = 7500;
export const EXPRESS = 1200;

export const standardDelivery = (goods: number): number => (goods === 0 || goods >= FREE_FROM ? 0 : 500);
