/** A TCP port of this machine on which nothing listens. */
import { createServer } from 'node:net';

/** @returns {Promise<number>} */
export function freePort() {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
