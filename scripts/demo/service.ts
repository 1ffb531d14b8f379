import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VerificationView } from '../../api/schemas.ts';
import type { VerificationRequest } from '../../src/model/request.ts';

/** A running conforme, reached as any client reaches it. */
export type Service = {
  url: string;
  child: ChildProcess;
  post(body: VerificationRequest): Promise<{ id: string; links: { page: string } }>;
  get(id: string): Promise<VerificationView>;
  /** The last lines of its log. */
  log(): string;
  stop(): Promise<void>;
};

const READY_MILLISECONDS = 60_000;
const STOP_MILLISECONDS = 15_000;

/** Starts the service as a process of its own, its log in a file, and waits until it is ready. */
export async function startService(options: {
  command: [string, ...string[]];
  env: Record<string, string>;
  url: string;
  logFile: string;
  token?: () => string;
  signal?: AbortSignal;
}): Promise<Service> {
  const { command, env, url, logFile } = options;
  // Whatever answers there already would be taken for the service.
  if (
    await fetch(url).then(
      () => true,
      () => false,
    )
  )
    throw new Error(`${url} is in use: choose another port`);
  const log = openSync(logFile, 'w', 0o600);
  const [program, ...args] = command;
  // Detached: Ctrl-C reaches it through whoever started it, which has questions left to ask.
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', log, log], detached: true });
  const exited = once(child, 'exit');
  const tail = (): string => readFileSync(logFile, 'utf8').slice(-4000);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
    await exited;
    clearTimeout(timer);
  };
  for (const begun = Date.now(); ; await sleep(100)) {
    const ready = await fetch(`${url}/readyz`).catch(() => undefined);
    if (ready?.ok === true) break;
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() - begun > READY_MILLISECONDS || options.signal?.aborted === true) {
      await stop();
      throw new Error(`the service ${ended ? 'ended' : 'is not ready'}:\n${tail()}`);
    }
  }
  const headers = (): Record<string, string> => ({
    'content-type': 'application/json',
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token()}` }),
  });
  return {
    url,
    child,
    log: tail,
    stop,
    post: async (body) =>
      answerOf(await fetch(`${url}/v1/verifications`, { method: 'POST', headers: headers(), body: JSON.stringify(body) })),
    get: async (id) => answerOf(await fetch(`${url}/v1/verifications/${id}`)),
  };
}

async function answerOf<T>(response: Response): Promise<T> {
  if (!response.ok) throw new Error(`the service answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
