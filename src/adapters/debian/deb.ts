import { createHash } from 'node:crypto';
import { readAr } from '../../model/ar.ts';
import { parseStanza } from '../../model/deb822.ts';
import type { DebContents } from '../../model/debian.ts';
import { type Digest, digestFromHex } from '../../model/digest.ts';
import type { FileFacts, LayerScan } from '../../model/inventory.ts';
import { type Path, byText, bytesFromText, textFromBytes } from '../../model/path.ts';
import type { ScanLayer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { decompress } from './decompress.ts';
import { withBuffers } from './pieces.ts';

const DATA_BYTES_MAX = 32 * 1024 * 1024 * 1024; // the largest packages of Debian unpack to some GiB
const CONTROL_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes; debconf templates are the largest member that is common. */
const CONTROL_MEMBER_BYTES_MAX = 4 * 1024 * 1024;
/** Characters of one maintainer script that are kept; the longest in Debian are about 60 kB. */
const SCRIPT_CHARACTERS_MAX = 512 * 1024;
const MEMBER_NAME = /^\/([A-Za-z0-9][A-Za-z0-9._+-]{0,127})$/;
/** The .deb as a whole has a digest; nobody asks for those of its tars. */
const TAR = { mediaType: 'application/x-tar', undigested: true } as const;

/** Reads a .deb whose digest was verified: deb(5), deb-control(5). Throws `archive-untrusted` where it is no .deb. */
export async function readDeb(
  deb: Digest,
  bytes: AsyncIterable<Uint8Array>,
  scanLayer: ScanLayer,
  dataMax = DATA_BYTES_MAX,
): Promise<DebContents> {
  return withBuffers((buffers) => readMembers(deb, bytes, scanLayer, { buffers, dataMax }));
}

async function readMembers(
  deb: Digest,
  bytes: AsyncIterable<Uint8Array>,
  scanLayer: ScanLayer,
  { buffers, dataMax }: { buffers: Buffer[]; dataMax: number },
): Promise<DebContents> {
  let control: Awaited<ReturnType<ScanLayer>> | undefined;
  let data: LayerScan | undefined;
  try {
    for await (const { name, bytes: packed } of readAr(bytes)) {
      if (name.startsWith('control.tar') && control === undefined) {
        const smallOnes = (_path: string, size: number): boolean => size <= CONTROL_MEMBER_BYTES_MAX;
        control = await scanLayer(asTar(name, packed, CONTROL_BYTES_MAX, buffers), TAR, smallOnes);
      } else if (name.startsWith('data.tar') && data === undefined) {
        data = (await scanLayer(asTar(name, packed, dataMax, buffers), TAR, () => false)).scan;
      }
    }
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Problem && error.code === 'image-malformed'))
      throw new Problem('archive-untrusted', `${deb} is no .deb: ${error.message}`, { cause: error });
    throw error;
  }
  if (control === undefined || data === undefined) throw new Problem('archive-untrusted', `${deb} has no control.tar or no data.tar`);
  if ([control.scan, data].some(({ anomalies }) => anomalies.some(({ code }) => code === 'truncated')))
    throw new Problem('archive-untrusted', `${deb} has a tar that is cut short`);
  return { deb, ...readControl(deb, control), entries: entriesOf(data), list: listOf(data) };
}

/** A tar for the scanner, which unpacks gzip and Zstandard itself, within limits of its own. */
function asTar(name: string, packed: AsyncIterable<Uint8Array>, max: number, buffers: Buffer[]): AsyncIterable<Uint8Array> {
  return name.endsWith('.xz') ? decompress(name, packed, max, buffers) : packed;
}

type ControlParts = Pick<DebContents, 'control' | 'conffiles' | 'controlFiles' | 'scripts'>;

function readControl(deb: Digest, { scan, contents }: Awaited<ReturnType<ScanLayer>>): ControlParts {
  const members = new Map<string, { digest: Digest; size: number; mode: number }>();
  for (const entry of scan.entries) {
    const [, name] = MEMBER_NAME.exec(entry.path) ?? [];
    if (name === undefined || entry.kind !== 'file' || entry.digest === undefined) continue;
    members.set(name, { digest: entry.digest, size: entry.size, mode: entry.mode });
  }
  const bytesOf = (name: string): Uint8Array => contents.get(members.get(name)?.digest ?? 'sha256:') ?? new Uint8Array(0);
  let fields: Record<string, string>;
  try {
    fields = Object.fromEntries(parseStanza(Buffer.from(bytesOf('control')).toString('utf8')));
  } catch (error) {
    throw new Problem('archive-untrusted', `${deb} has a control file that does not parse`, { cause: error });
  }
  const scripts: Record<string, string> = {};
  for (const name of ['preinst', 'postinst']) {
    if (members.has(name)) scripts[name] = Buffer.from(bytesOf(name)).toString('utf8').slice(0, SCRIPT_CHARACTERS_MAX);
  }
  members.delete('control'); // dpkg keeps it in its status file
  const sorted = [...members].sort(([a], [b]) => byText(a, b));
  return { control: fields, conffiles: conffilesOf(bytesOf('conffiles')), controlFiles: Object.fromEntries(sorted), scripts };
}

/** deb-conffiles(5): a path a line; one with a flag before it is to be removed, not installed. */
function conffilesOf(bytes: Uint8Array): Path[] {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const paths = lines.map((line) => line.trimEnd()).filter((line) => line.startsWith('/'));
  return paths.map((line) => textFromBytes(Buffer.from(line, 'latin1'))).sort(byText);
}

function entriesOf(scan: LayerScan): DebContents['entries'] {
  const byPath = new Map<Path, FileFacts & { path: Path }>();
  const inodes = new Map<Path, Path[]>(); // names of each inode, by any of them
  for (const entry of scan.entries) {
    if (entry.whiteout !== undefined) continue; // no package of Debian's has such a name; an image could not show it either
    if (entry.kind === 'hardlink') {
      const target = byPath.get(entry.target);
      if (target === undefined) throw new Problem('archive-untrusted', `a .deb has a hard link to what is not before it: ${entry.path}`);
      const names = inodes.get(entry.target) ?? [entry.target];
      names.push(entry.path);
      inodes.set(entry.target, names).set(entry.path, names);
      byPath.set(entry.path, { ...target, path: entry.path });
    } else byPath.set(entry.path, { ...entry });
  }
  for (const [path, names] of inodes) byPath.get(path)!.linkGroup = names.toSorted(byText)[0]!;
  return [...byPath.values()].sort((a, b) => byText(a.path, b.path));
}

/** What dpkg writes as `info/<package>.list`: dpkg(1), lib/dpkg/db-fsys-files.c. */
function listOf(scan: LayerScan): DebContents['list'] {
  const hash = createHash('sha256');
  let size = 0;
  for (const { path } of scan.entries) {
    const line = Buffer.concat([bytesFromText(path === '/' ? '/.' : path), Buffer.from('\n')]);
    hash.update(line);
    size += line.length;
  }
  return { digest: digestFromHex(hash.digest('hex')), size };
}
