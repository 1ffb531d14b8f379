import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const FOLDER = join(import.meta.dirname, '../../node_modules/.cosign');
const COSIGN = join(FOLDER, 'cosign');

/** Options of every test that needs cosign, which Debian does not have: where it is not there, the reason is what the test reports. */
export const needsCosign: { skip?: string } = existsSync(COSIGN)
  ? {}
  : {
      skip: existsSync(join(FOLDER, 'missing')) ? readFileSync(join(FOLDER, 'missing'), 'utf8').trim() : 'scripts/setup --test was not run',
    };

/** Runs it with an empty home and without a way to Sigstore's own servers. Rejects with what it says. */
export async function cosign(home: string, ...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: home, HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' };
  return (await promisify(execFile)(COSIGN, args, { env, maxBuffer: 16 * 1024 * 1024 })).stdout;
}
