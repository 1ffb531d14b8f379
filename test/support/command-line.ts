import { spawn } from 'node:child_process';
import { join } from 'node:path';

const COMMAND = join(import.meta.dirname, '../../scripts/conforme');

export type Said = { stdout: string; stderr: string };
export type Ended = Said & { code: number | null };

/** Runs the command line as a user does, with nothing in its environment but the PATH and what is given. `said` fills as it speaks. */
export function runConforme(
  args: string[],
  environment: Record<string, string> = {},
  said: Said = { stdout: '', stderr: '' },
): Promise<Ended> {
  const child = spawn(COMMAND, args, { env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}
