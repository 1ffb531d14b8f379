import { Redis } from 'ioredis';
import type { JobKind } from '../../ports.ts';
import { Problem } from '../../problem.ts';

/** Before every key, so that the Redis may be shared. */
export const PREFIX = 'conforme';

export const QUEUES = {
  inventory: 'conforme-inventory',
  rebuild: 'conforme-rebuild',
  evidence: 'conforme-evidence',
  reinstall: 'conforme-reinstall',
  conclude: 'conforme-conclude',
  deliver: 'conforme-deliver',
} as const satisfies Record<JobKind, string>;

/** Called with what went wrong behind the scenes and is being retried; for the log. */
export type OnError = (error: unknown, context: string) => void;

const CONNECT_MILLISECONDS = 5_000;
// A caller of the API waits for it; a Redis that is there answers within a few.
const COMMAND_MILLISECONDS = 3_000;
const RECONNECT_MILLISECONDS_MAX = 2_000;

type Address = {
  connectTimeout: number;
  retryStrategy: (times: number) => number;
  path?: string;
  host?: string;
  port?: number;
  username?: string;
  password?: string;
  db?: number;
  tls?: Record<string, never>;
};

/** `redis:`, `rediss:` or `unix:` (a socket's path). Comes back by itself however long Redis is away. */
export function redisOptions(address: string): Address {
  const retryStrategy = (times: number): number => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MILLISECONDS_MAX);
  const common = { connectTimeout: CONNECT_MILLISECONDS, retryStrategy };
  const url = new URL(address);
  if (url.protocol === 'unix:') return { ...common, path: decodeURIComponent(url.pathname) };
  return {
    ...common,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.pathname.length > 1 ? { db: Number(url.pathname.slice(1)) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** A connection that fails at once while Redis is away, instead of storing up commands. */
export function connectImpatiently(address: string, onError: OnError): Redis {
  const client = new Redis({
    ...redisOptions(address),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: COMMAND_MILLISECONDS,
  });
  client.on('error', (error) => onError(error, 'redis'));
  return client;
}

/** Throws `queue-unavailable` unless the connection is up within `milliseconds`. */
export async function available(client: Redis, milliseconds = 1_000): Promise<void> {
  if (client.status === 'ready') return;
  const ready = await new Promise<boolean>((settle) => {
    const up = (): void => finish(true);
    const timer = setTimeout(() => finish(false), milliseconds);
    const finish = (outcome: boolean): void => {
      clearTimeout(timer);
      client.off('ready', up);
      settle(outcome);
    };
    client.once('ready', up);
  });
  if (!ready) throw away(new Error('not connected'));
}

export function away(cause: unknown): Problem {
  return cause instanceof Problem ? cause : new Problem('queue-unavailable', 'the queue does not answer', { cause, retryAfter: 5 });
}
