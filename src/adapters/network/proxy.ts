import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import { connect, type AddressInfo, type ListenOptions, type Socket } from 'node:net';
import { Transform, type Duplex, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { digestFromHex } from '../../model/digest.ts';
import type { FetchedFile } from '../../model/download.ts';
import type { ResolvedDependency } from '../../model/rebuild.ts';
import { Problem } from '../../problem.ts';
import { bareHost, type Guard } from './guard.ts';
import { makeKeeper } from './keep.ts';
import type { Answer, Past } from './past.ts';
import { type ProxyRequest, toDependencies, toFetchedFiles } from './record.ts';
import { forwardedHeaders, parseAuthority, parseTarget } from './target.ts';

export type ProxyOptions = {
  guard: Guard;
  /** All bodies and tunnels together, both ways. */
  bytesMax?: number;
  requestsMax?: number;
  /** When set, clients must send it as the password of `Proxy-Authorization: Basic`: a port of loopback is open to every local user. */
  secret?: string;
  /** Debian's mirrors as they were. */
  past?: Past;
  /** A folder of this build alone, for bodies that may be archives. */
  keep?: string;
};

/** A forward proxy in this process that writes down everything it passes on. */
export type RecordingProxy = {
  /** Serves a connection that was accepted elsewhere: by the listener inside of a job's network namespace. */
  accept(socket: Socket): void;
  /** Listens on a Unix socket or on loopback; returns what `http_proxy` has to be for the latter. */
  listen(where: ListenOptions): Promise<string | undefined>;
  requests(): readonly ProxyRequest[];
  dependencies(): ResolvedDependency[];
  /** Once every body that came is kept. */
  fetched(): Promise<FetchedFile[]>;
  /** Why answers were not, or not all, those of the time that was asked for. */
  archiveFault(): string | undefined;
  /** Ends every connection. */
  close(): Promise<void>;
};

const BYTES_MAX = 8 * 1024 ** 3; // a large build downloads some GB; a runaway one must not fill the mirror's line for hours
const REQUESTS_MAX = 20_000;
const CONNECTIONS_MAX = 256;
/** apt sends ten requests at once over one connection; spread over ten of ours, a mirror lets some of them wait for seconds. */
const CONNECTIONS_PER_SERVER = 4;
const CONNECT_MS = 15_000;
const SILENCE_MS = 300_000;

class ByteLimit extends Error {}

export function makeProxy(options: ProxyOptions): RecordingProxy {
  const { guard, bytesMax = BYTES_MAX, requestsMax = REQUESTS_MAX, secret } = options;
  const requests: ProxyRequest[] = [];
  const keeper = options.keep === undefined ? undefined : makeKeeper(options.keep);
  const keepings = new Set<Promise<void>>();
  const sockets = new Set<Duplex>();
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_SERVER });
  let total = 0;

  const begin = (kind: ProxyRequest['kind'], method: string, url: string): ProxyRequest => {
    const request: ProxyRequest = { kind, method, url, received: 0, sent: 0, startedAt: new Date().toISOString() };
    // Past the limit nothing is passed on, so nothing goes unrecorded.
    if (requests.length < requestsMax) requests.push(request);
    return request;
  };
  const overLimit = (request: ProxyRequest): boolean => requests.at(-1) !== request || total >= bytesMax;
  const end = (request: ProxyRequest): void => {
    request.endedAt ??= new Date().toISOString();
  };
  const meter = (count: (chunk: Buffer) => Promise<void> | number | undefined, atEnd?: () => void): Transform =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        total += chunk.length;
        if (total > bytesMax) return done(new ByteLimit('the byte limit of the proxy'));
        const counted = count(chunk);
        if (!(counted instanceof Promise)) return done(null, chunk);
        counted.then(
          () => done(null, chunk),
          (error: unknown) => done(error as Error),
        );
      },
      flush(done) {
        atEnd?.();
        done();
      },
    });
  const authorized = (headers: http.IncomingHttpHeaders): boolean =>
    secret === undefined ||
    Buffer.from(headers['proxy-authorization']?.replace(/^Basic /i, '') ?? '', 'base64')
      .toString()
      .endsWith(`:${secret}`);
  const track = (socket: Duplex): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const failed = (request: ProxyRequest, error: unknown): { status: number; text: string } => {
    request.error = error instanceof Error ? error.message : String(error);
    if (error instanceof Problem) request.refused = 'address';
    if (error instanceof ByteLimit) request.refused = 'limit';
    end(request);
    return { status: request.refused === undefined ? 502 : 403, text: `conforme: ${request.error}\n` };
  };

  /** What the host that was asked answers. */
  async function askHost(request: ProxyRequest, target: URL, path: string, from: http.IncomingMessage, to: http.ServerResponse) {
    const outgoing = http.request({
      agent,
      // By name: the agent keeps connections by host, and one server takes it ill to be asked for two hosts over one of them.
      host: bareHost(target.hostname),
      lookup: guard.lookup,
      port: target.port === '' ? 80 : Number(target.port),
      method: request.method,
      path,
      headers: [...forwardedHeaders(from.rawHeaders), 'Host', target.host],
      setHost: false,
      timeout: SILENCE_MS,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('the server was silent for too long')));
    to.on('close', () => outgoing.destroy());
    const answered = once(outgoing, 'response');
    await Promise.all([
      pipeline(
        from,
        meter((chunk) => (request.sent += chunk.length)),
        outgoing,
      ),
      answered,
    ]);
    const [answer] = (await answered) as [http.IncomingMessage];
    return answer;
  }

  async function passOn(request: ProxyRequest, body: Readable, to: http.ServerResponse): Promise<void> {
    const hash = createHash('sha256');
    const keeping = request.method === 'GET' && request.status === 200 && request.byApt !== true ? keeper?.begin() : undefined;
    let whole = false;
    const metered = meter(
      (chunk) => {
        request.received += chunk.length;
        hash.update(chunk);
        return keeping?.write(chunk);
      },
      () => (whole = true),
    );
    const passed = pipeline(body, metered, to);
    const ended = passed.then(
      () => true,
      () => whole, // a client that counts the bytes hangs up before it is told that there are no more
    );
    const kept = ended.then(async (came) => {
      if (!came) return keeping?.drop();
      request.sha256 = digestFromHex(hash.digest('hex'));
      Object.assign(request, await keeping?.end());
    });
    keepings.add(kept);
    await kept.finally(() => keepings.delete(kept));
    if (!whole) await passed;
    end(request);
  }

  function passOnFrom(request: ProxyRequest, elsewhere: Answer, to: http.ServerResponse): Promise<void> {
    request.from = elsewhere.url;
    request.status = elsewhere.status;
    const type = elsewhere.headers['content-type'];
    if (type !== undefined) request.mediaType = type;
    to.writeHead(elsewhere.status, elsewhere.headers);
    return passOn(request, elsewhere.body, to);
  }

  async function forward(request: ProxyRequest, target: URL, path: string, from: http.IncomingMessage, to: http.ServerResponse) {
    await guard.resolve(target.hostname); // for a literal, which `lookup` never sees, and for a clear refusal
    // https://sources.debian.org/src/apt/2.6.1/methods/basehttp.cc: "Debian APT-HTTP/1.3 (2.6.1)". Who pretends to be apt only forgoes an account.
    if (from.headers['user-agent']?.startsWith('Debian APT-HTTP/') === true) request.byApt = true;
    const past = request.method === 'GET' ? options.past : undefined;
    const instead = await past?.instead(target, from.headers);
    if (instead !== undefined) return passOnFrom(request, instead, to);
    const answer = await askHost(request, target, path, from, to).catch((error: unknown) => error);
    if (!(answer instanceof http.IncomingMessage) || answer.statusCode === 404 || answer.statusCode === 410) {
      const after = await past?.after(target, from.headers);
      if (after !== undefined) {
        if (answer instanceof http.IncomingMessage) answer.resume();
        return passOnFrom(request, after, to);
      }
    }
    if (!(answer instanceof http.IncomingMessage)) throw answer;
    request.status = answer.statusCode ?? 0;
    const type = answer.headers['content-type'];
    if (type !== undefined) request.mediaType = type;
    to.writeHead(request.status, answer.statusMessage, forwardedHeaders(answer.rawHeaders));
    return passOn(request, answer, to);
  }

  const server = http.createServer((from, to) => {
    const parsed = parseTarget(from.url ?? '');
    const request = begin('http', from.method ?? 'GET', parsed?.record ?? 'invalid:');
    const refuse = (status: number, reason: NonNullable<ProxyRequest['refused']>, text: string): void => {
      request.refused = reason;
      end(request);
      to.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
    };
    if (!authorized(from.headers)) return refuse(407, 'malformed', 'conforme: credentials needed\n');
    if (parsed === undefined) return refuse(400, 'malformed', 'conforme: not a request for a proxy\n');
    if (overLimit(request)) return refuse(403, 'limit', 'conforme: limit of the build reached\n');
    forward(request, parsed.url, parsed.path, from, to).catch((error: unknown) => {
      const { status, text } = failed(request, error);
      if (to.headersSent) to.destroy();
      else to.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
    });
  });

  async function tunnel(request: ProxyRequest, authority: { host: string; port: number }, client: Duplex, head: Buffer): Promise<void> {
    const [{ address }] = await guard.resolve(authority.host);
    const remote = connect({ host: address, port: authority.port, timeout: CONNECT_MS });
    track(remote);
    remote.once('timeout', () => remote.destroy(new Error('no connection in time')));
    await once(remote, 'connect');
    remote.setTimeout(SILENCE_MS);
    request.status = 200;
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.unshift(head);
    await Promise.all([
      pipeline(
        client,
        meter((chunk) => (request.sent += chunk.length)),
        remote,
      ),
      pipeline(
        remote,
        meter((chunk) => (request.received += chunk.length)),
        client,
      ),
    ]);
    end(request);
  }

  server.on('connect', (from: http.IncomingMessage, client: Duplex, head: Buffer) => {
    const authority = parseAuthority(from.url ?? '');
    const request = begin('connect', 'CONNECT', authority === undefined ? 'invalid:' : `https://${from.url}`);
    const refuse = (line: string, text: string): void => {
      end(request);
      client.end(`HTTP/1.1 ${line}\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${text}`);
    };
    if (!authorized(from.headers)) return refuse('407 Proxy Authentication Required', 'conforme: credentials needed\n');
    if (authority === undefined || overLimit(request)) {
      request.refused = authority === undefined ? 'malformed' : 'limit';
      return refuse('403 Forbidden', 'conforme: refused\n');
    }
    tunnel(request, authority, client, head).catch((error: unknown) => {
      const { status, text } = failed(request, error);
      if (request.status === undefined) refuse(status === 403 ? '403 Forbidden' : '502 Bad Gateway', text);
      else client.destroy();
    });
  });
  server.on('connection', track);
  server.on('clientError', (_error, socket) => socket.destroy());
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0; // an upload may take as long as the build may

  return {
    accept(socket) {
      if (sockets.size >= CONNECTIONS_MAX) socket.destroy();
      else server.emit('connection', socket);
    },
    async listen(where) {
      server.listen(where);
      await once(server, 'listening');
      const address = server.address() as AddressInfo | string;
      if (typeof address === 'string') return undefined;
      return `http://${secret === undefined ? '' : `conforme:${secret}@`}127.0.0.1:${address.port}`;
    },
    requests: () => requests,
    dependencies: () => toDependencies(requests),
    async fetched() {
      await Promise.allSettled(keepings);
      return toFetchedFiles(requests);
    },
    archiveFault: () => options.past?.fault(),
    async close() {
      const closed = server.listening ? once(server, 'close') : undefined;
      if (server.listening) server.close();
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      await closed;
    },
  };
}
