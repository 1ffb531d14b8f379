import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type PublicKey, readKeys } from 'openpgp';
import { Problem } from '../../problem.ts';

/** Where the package debian-archive-keyring puts its files. */
const KEYRING_FOLDER = '/usr/share/keyrings';

/** Key files by name, or by path where they are not Debian's; each holds the keys of one suite and role, and no suite is judged by any other. */
export type Keyring = { has(name: string): boolean; keys(name: string): Promise<PublicKey[]> };

/** Throws `environment-missing` where no key of Debian's is installed. */
export async function loadKeyring(folder = KEYRING_FOLDER): Promise<Keyring> {
  const files = new Map<string, string>();
  // Debian 12 names them .gpg, later releases .pgp.
  for (const file of (await readdir(folder).catch(() => [])).sort()) {
    const [, name] = /^(debian-archive-[a-z-]+)\.(?:gpg|pgp)$/.exec(file) ?? [];
    if (name !== undefined) files.set(name, join(folder, file));
  }
  if (files.size === 0) throw new Problem('environment-missing', `no archive keys in ${folder}: install debian-archive-keyring`);
  const loaded = new Map<string, Promise<PublicKey[]>>();
  return {
    has: (name) => files.has(name),
    keys(name) {
      const file = name.startsWith('/') ? name : files.get(name);
      if (file === undefined) return Promise.resolve([]);
      const keys = loaded.get(name) ?? readFile(file).then((binaryKeys) => readKeys({ binaryKeys }), missing);
      loaded.set(name, keys);
      return keys;
    },
  };
}

function missing(cause: unknown): never {
  throw new Problem('environment-missing', 'a keyring that CONFORME_DERIVATIVES names cannot be read', { cause });
}
