import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PYTHON = join(import.meta.dirname, '../../node_modules/.judges/bin/python3');
const PROGRAM = join(import.meta.dirname, 'in-toto.py');

/** The payload of a DSSE envelope after securesystemslib, which in-toto's tools check with, found its signature to be the key's. Rejects else. */
export async function payloadByInToto(envelope: string, publicKey: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-dsse-'));
  try {
    const [file, key] = [join(folder, 'envelope.json'), join(folder, 'key.pem')];
    await Promise.all([writeFile(file, envelope), writeFile(key, publicKey)]);
    const { stdout } = await promisify(execFile)(PYTHON, [PROGRAM, file, key], { encoding: 'buffer', maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
