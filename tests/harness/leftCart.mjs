/** A customer who left a cart behind and can be reached. */
import { Receiver } from './receiver.mjs';
import { Visitor } from './visitor.mjs';

/**
 * Orders once, subscribes, and fills the cart again.
 *
 * @param {import('./edge.mjs').Edge} edge
 * @param {import('./pushService.mjs').PushService} service
 */
export async function leftCart(edge, service) {
  const receiver = new Receiver(service, edge.pushKey);
  const customer = new Visitor(edge);
  await customer.send([customer.order(`first-${customer.anonymousId}`, [{ product_id: 'trousers-1' }])]);
  await customer.subscribe(receiver.subscription);
  await customer.send([customer.product('Added', 'shoes-2', { category: 'shoes', quantity: 2, price: 20 })]);
  return { customer, receiver };
}
