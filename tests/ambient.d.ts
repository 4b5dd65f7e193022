// What the tests use that brings no types of its own.
declare module 'http_ece';
declare module 'web-push';
declare module 'ws' {
  export type WebSocket = {
    readyState: number;
    send(text: string): void;
    terminate(): void;
    on(event: 'message', listener: (data: Buffer) => void): void;
  };
  export class WebSocketServer {
    constructor(options: { server: object; handleProtocols(offered: Set<string>): string | false });
    clients: Set<WebSocket>;
    on(event: 'connection', listener: (socket: WebSocket) => void): void;
    close(): void;
  }
}
/** Firefox's services, in scripts that run in the browser's chrome. */
declare const Services: any;
