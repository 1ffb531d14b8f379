import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type RunOptions = {
  cwd?: string;
  env?: Record<string, string>;
  onLine?: (line: string) => void;
  signal?: AbortSignal;
  killSignal?: NodeJS.Signals;
};

/** Runs a program to its end, its lines to `onLine`; throws with its last lines where it fails, and not before it is gone. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<void> {
  const { onLine, env, ...rest } = options;
  const child = spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line);
      if (last.length > 15) last.shift();
      onLine?.(line);
    });
  }
  let failure: Error | undefined;
  child.on('error', (error) => (failure = error));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (failure !== undefined) throw failure;
  if (code !== 0) throw new Error(`${command} ${args[0] ?? ''} ended with ${code}:\n${last.join('\n')}`);
}
