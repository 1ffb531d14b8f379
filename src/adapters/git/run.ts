import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Problem } from '../../problem.ts';

export type GitLimits = {
  /** Seconds for one git command. */
  seconds: number;
  /** Bytes that one file of the clone (in practice: the pack) may have. */
  packBytes: number;
  /** Bytes of address space of a git process; packs are mapped, so it is above `packBytes`. */
  memoryBytes: number;
};

/** Messages of fsck that say a repository is old or was made by an odd tool, not that two readers would read it differently. */
const FSCK_TOLERATED = [
  'zeroPaddedFilemode',
  'missingSpaceBeforeDate',
  'badTimezone',
  'missingEmail',
  'badDateOverflow',
  'missingTaggerEntry',
];

/**
 * No configuration of the machine or its user, no hooks, no credentials, no transport but HTTP, every object checked.
 * git-config(1) has the meaning of each.
 */
function configuration(proxy: string | undefined): string[] {
  const settings = [
    'protocol.allow=never',
    'protocol.http.allow=always',
    'protocol.https.allow=always',
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.attributesFile=/dev/null',
    'credential.helper=',
    'credential.interactive=false',
    'transfer.fsckObjects=true',
    'transfer.bundleURI=false',
    'fetch.recurseSubmodules=false',
    // One pack, whose size a file size limit bounds, instead of a number of loose files.
    'fetch.unpackLimit=1',
    'gc.auto=0',
    'maintenance.auto=false',
    'pack.threads=2',
    'http.lowSpeedLimit=1000',
    'http.lowSpeedTime=30',
    'http.emptyAuth=false',
    'http.proxyAuthMethod=basic',
    'http.userAgent=conforme-git',
    'advice.detachedHead=false',
    ...FSCK_TOLERATED.map((message) => `fetch.fsck.${message}=ignore`),
    ...(proxy === undefined ? [] : [`http.proxy=${proxy}`]),
  ];
  return settings;
}

/**
 * In the environment instead of `-c`, since the proxy's address holds a secret and command lines are everybody's to read.
 * git(1), "GIT_CONFIG_COUNT".
 */
function configurationVariables(settings: string[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [index, setting] of settings.entries()) {
    const equals = setting.indexOf('=');
    variables[`GIT_CONFIG_KEY_${index}`] = setting.slice(0, equals);
    variables[`GIT_CONFIG_VALUE_${index}`] = setting.slice(equals + 1);
  }
  return variables;
}

export type GitCommand = {
  cwd: string;
  proxy?: string | undefined;
  limits: GitLimits;
  signal?: AbortSignal | undefined;
};

export type GitProcess = {
  stdin: Writable;
  stdout: Readable;
  /** Fulfilled when git has ended, with what it said. */
  ended: Promise<{ status: number; stderr: string; timedOut: boolean }>;
  /** Ends git and drops what it still had to say; without the latter, an unread pipe would keep `ended` waiting. */
  abandon(): void;
};

const STDERR_BYTES_MAX = 64 * 1024; // a remote's own words arrive here as well

/** Starts git in a process group of its own, so that its helpers (git-remote-http, index-pack) end with it. */
export function startGit(command: GitCommand, args: string[]): GitProcess {
  const { limits } = command;
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    'prlimit',
    [`--fsize=${limits.packBytes}`, `--as=${limits.memoryBytes}`, '--core=0', '--', 'git', '--no-pager', '--no-replace-objects', ...args],
    {
      cwd: command.cwd,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        HOME: join(command.cwd, 'home'),
        LC_ALL: 'C',
        TZ: 'UTC',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_ATTR_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        GIT_ALLOW_PROTOCOL: 'http:https',
        GIT_OPTIONAL_LOCKS: '0',
        GIT_CEILING_DIRECTORIES: command.cwd,
        ...configurationVariables(configuration(command.proxy)),
      },
    },
  );
  let timedOut = false;
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended already
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, limits.seconds * 1000);
  command.signal?.addEventListener('abort', kill, { once: true });
  if (command.signal?.aborted === true) kill();

  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES_MAX);
  });
  // Writing to a git that has ended already fails here; its exit status tells why.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<{ status: number; stderr: string; timedOut: boolean }>((resolve, reject) => {
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new Problem('environment-missing', 'git or prlimit cannot be run', { cause }));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      command.signal?.removeEventListener('abort', kill);
      resolve({ status: code ?? 128, stderr, timedOut });
    });
  });
  ended.catch(() => undefined);
  const abandon = (): void => {
    kill();
    child.stdout.destroy();
  };
  return { stdin: child.stdin, stdout: child.stdout, ended, abandon };
}

/** Runs git to its end. Throws a `Problem` where it fails; `max` bounds the output in bytes. */
export async function runGit(command: GitCommand, args: string[], max = 16 * 1024 * 1024, input = ''): Promise<Buffer> {
  const git = startGit(command, args);
  git.stdin.end(input);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of git.stdout as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > max) {
      git.abandon();
      throw new Problem('invalid-source', `the repository is too large: git ${args[0] ?? ''} says more than ${max} bytes`);
    }
    parts.push(part);
  }
  const { status, stderr, timedOut } = await git.ended;
  if (status !== 0) throw problemOf(stderr, timedOut, command);
  return Buffer.concat(parts);
}

/** What git's last words mean. The remote can write here too: only ever shown, cut, and used to choose a code. */
export function problemOf(stderr: string, timedOut: boolean, command: GitCommand): Problem {
  const words = stderr
    .split('\n')
    .filter((line) => /^(fatal|error|remote):/.test(line))
    .join(' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(-500);
  if (command.signal?.aborted === true) return new Problem('source-unavailable', 'the work was ended', { cause: command.signal.reason });
  if (timedOut) return new Problem('source-unavailable', `git took longer than ${command.limits.seconds} seconds`);
  const cutOff = /early EOF|unexpected disconnect|transfer closed|RPC failed/i.test(stderr);
  // index-pack that a limit ends (SIGXFSZ, no memory) says nothing; fetch-pack misses its answer.
  if (!cutOff && /file size limit|File too large|out of memory|died of signal|invalid index-pack output/i.test(stderr))
    return new Problem('invalid-source', `the repository is larger than ${command.limits.packBytes} bytes`);
  if (/couldn't find remote ref|not our ref|unadvertised object|Server does not allow request/i.test(stderr))
    return new Problem('invalid-source', 'the repository has no such ref or commit');
  if (
    /terminal prompts disabled|Authentication failed|error: (401|403)|HTTP (401|403)|repository .* not found|error: 404|not valid: is this a git repository/i.test(
      stderr,
    )
  )
    return new Problem('invalid-source', `there is no public git repository at that address: ${words}`);
  if (!cutOff && /fsck error|bad object|fatal: (pack|bad|invalid)|malformed/i.test(stderr))
    return new Problem('invalid-source', `git refuses the repository's objects: ${words}`);
  return new Problem('source-unavailable', `the repository cannot be fetched: ${words}`, { cause: new Error(stderr) });
}
