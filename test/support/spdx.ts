import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PROGRAM = join(import.meta.dirname, '../../node_modules/.judges/bin/pyspdxtools');

/** What the SPDX project's own tools say against a document, a line each; nothing where it is valid SPDX 2.3. */
export async function spdxFaults(text: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-spdx-'));
  try {
    const file = join(folder, 'document.spdx.json');
    await writeFile(file, text);
    await promisify(execFile)(PROGRAM, ['--infile', file, '--version', 'SPDX-2.3'], { maxBuffer: 2 ** 26 });
    return [];
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}${stdout + stderr === '' ? String(error) : ''}`.split('\n').filter((line) => line !== '');
  } finally {
    await rm(folder, { recursive: true });
  }
}
