/** A web server with a handful of fixed pages. */
import { createServer } from 'node:http';

export class StaticSite {
  #server;

  /** @param {import('node:http').Server} server */
  constructor(server) {
    this.#server = server;
  }

  /**
   * @param {Record<string, [type: string, text: string]>} pages By path.
   */
  static async start(pages) {
    const server = createServer((request, response) => {
      const page = pages[request.url ?? ''];
      if (page) response.writeHead(200, { 'Content-Type': `${page[0]}; charset=utf-8` }).end(page[1]);
      else response.writeHead(404).end();
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    return new StaticSite(server);
  }

  get origin() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `http://127.0.0.1:${port}`;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
