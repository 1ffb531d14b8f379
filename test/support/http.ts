import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type RequestListener, type ServerResponse } from 'node:http';

export type TestServer = { host: string; seen: IncomingMessage[]; stop(): Promise<void> };

/** An HTTP server on a free port of loopback. `seen` are the requests it got. */
export async function startServer(listener: RequestListener): Promise<TestServer> {
  const seen: IncomingMessage[] = [];
  const server = createServer((incoming, response) => {
    seen.push(incoming);
    listener(incoming, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    seen,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Hands a request on to another server, as it is. */
export function forward(host: string, incoming: IncomingMessage, response: ServerResponse): void {
  const onward = request(`http://${host}${incoming.url}`, { method: incoming.method, headers: { ...incoming.headers, host } }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  incoming.pipe(onward);
}
