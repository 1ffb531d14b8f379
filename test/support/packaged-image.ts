import type { DebContents, PackageEvidence } from '../../src/model/debian.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import type { Contents, Entry, FileFacts, Inventory } from '../../src/model/inventory.ts';
import type { VerifiedPackage } from '../../src/model/packaged.ts';
import { byText } from '../../src/model/path.ts';
import { debianPurl } from '../../src/model/purl.ts';

/** A file by its text, a directory, a link by its target, or either with facts of its own. */
export type FileSpec =
  | string
  | ({ text?: string; bytes?: Uint8Array; dir?: true; link?: string } & Partial<Omit<FileFacts, 'kind' | 'digest' | 'size' | 'target'>>);

function factsOf(spec: FileSpec): FileFacts {
  const { text, bytes = Buffer.from(text ?? ''), dir, link, ...more } = typeof spec === 'string' ? { text: spec } : spec;
  const common = { size: 0, uid: 0, gid: 0, mtime: 0 };
  if (dir === true) return { ...common, kind: 'directory', mode: 0o755, ...more };
  if (link !== undefined) return { ...common, kind: 'symlink', mode: 0o777, target: link, ...more };
  return { ...common, kind: 'file', mode: 0o644, size: bytes.length, digest: digestOf(bytes), ...more };
}

export type PackageSpec = {
  name: string;
  version?: string;
  architecture?: string;
  state?: string;
  control?: Record<string, string>;
  files?: Record<string, FileSpec>;
  conffiles?: string[];
  scripts?: Record<string, string>;
  /** Members of control.tar by their text. */
  members?: Record<string, string>;
};

/** A verified package, as if its .deb had been read. */
export function packageOf(spec: PackageSpec): VerifiedPackage {
  const { name, version = '1', architecture = 'amd64', state = 'installed', scripts = {} } = spec;
  const members = { ...scripts, ...spec.members };
  const deb = digestOf(`${name} ${version} ${architecture}`);
  const contents: DebContents = {
    deb,
    control: { package: name, version, architecture, ...spec.control },
    entries: Object.entries(spec.files ?? {})
      .map(([path, file]) => ({ path, ...factsOf(file) }))
      .sort((a, b) => byText(a.path, b.path)),
    conffiles: spec.conffiles ?? [],
    controlFiles: Object.fromEntries(
      Object.entries(members).map(([member, text]) => [
        member,
        { digest: digestOf(text), size: Buffer.byteLength(text), mode: /inst$|rm$/.test(member) ? 0o755 : 0o644 },
      ]),
    ),
    scripts,
    list: { digest: digestOf(listOf(spec)), size: 0 },
  };
  const purl = debianPurl(name, version, architecture);
  const evidence: PackageEvidence = { name, version, architecture, state, source: name, sourceVersion: version, purl, status: 'verified' };
  return { evidence, contents };
}

export function listOf({ files = {} }: PackageSpec): string {
  return Object.keys(files).join('\n');
}

/** An image of one layer that holds these files, and all of their contents. */
export function imageOf(files: Record<string, FileSpec>): { inventory: Inventory; contents: Contents } {
  const contents = new Map<Digest, Uint8Array>();
  const entries = Object.entries(files).map(([path, spec]): Entry => {
    const facts = factsOf(spec);
    if (facts.digest === undefined) return { path, layer: 0, ...facts };
    contents.set(facts.digest, typeof spec === 'string' ? Buffer.from(spec) : (spec.bytes ?? Buffer.from(spec.text ?? '')));
    return { path, layer: 0, ...facts };
  });
  entries.sort((a, b) => byText(a.path, b.path));
  const zero: Digest = `sha256:${'0'.repeat(64)}`;
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [zero] } };
  return {
    inventory: { manifestDigest: zero, configDigest: zero, config, layers: [], entries, hidden: [], anomalies: [], contents: [] },
    contents,
  };
}
