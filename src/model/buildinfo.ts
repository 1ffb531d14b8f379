import { parseStanza, splitStanzas } from './deb822.ts';
import { type Digest, digestFromHex } from './digest.ts';

/**
 * Build records that name the very .debs of an image: what the machines that built them say of it (deb-buildinfo(5)). A claim,
 * never proof: no keyring of the build machines is published, so that the hash alone ties a record to a package.
 */
export type BuildinfoEvidence = {
  /** Where they were looked for. */
  archive: string;
  /** In the order of the digests; packages without such a record are left out, for whatever reason. */
  debs: { deb: Digest; /** Blob: the .buildinfo as it was served. */ buildinfo: Digest }[];
};

const FIELDS: ReadonlySet<string> = new Set(['checksums-sha256']);

/** The SHA-256 of each .deb that a .buildinfo says its build gave, whether or not it is in a clear signature; none where it is none. */
export function debsOfBuildinfo(text: string): Digest[] {
  for (const piece of splitStanzas(text)) {
    try {
      const checksums = parseStanza(piece, FIELDS).get('checksums-sha256');
      if (checksums === undefined) continue;
      return checksums.split('\n').flatMap((line) => {
        const hex = /^([0-9a-f]{64}) \d{1,12} \S+\.deb$/.exec(line.trim())?.[1];
        return hex === undefined ? [] : [digestFromHex(hex)];
      });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // the lines around a clear-signed text
    }
  }
  return [];
}

/**
 * Where a pool of build records may have that of a binary package. Its name has the source's version, without epoch and with the
 * number of a rebuild without changes (`+b1`), and what was built: packages for all machines are built by themselves, or
 * with those for the uploader's machine, which is an amd64 nearly always.
 */
export function buildinfoPaths(one: { version: string; source: string; sourceVersion: string; architecture: string }): string[] {
  const { source } = one;
  const rebuilt = /\+b\d+$/.exec(one.version)?.[0] ?? '';
  const version = `${one.sourceVersion.replace(/\+b\d+$/, '')}${rebuilt}`.replace(/^\d+:/, '');
  const prefix = /^lib./.test(source) ? source.slice(0, 4) : source.slice(0, 1);
  const architectures = one.architecture === 'all' ? ['all', 'amd64'] : [one.architecture];
  return architectures.map((architecture) => `${prefix}/${source}/${source}_${version}_${architecture}.buildinfo`);
}
