import Type, { type Static } from 'typebox';
import { Digest } from './digest.ts';
import { ImageConfig } from './oci.ts';
import { Path } from './path.ts';

export const FileKind = Type.Enum(['file', 'directory', 'symlink', 'character', 'block', 'fifo']);
export type FileKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo';

export const Claim = Type.Object({ name: Type.String(), version: Type.Optional(Type.String()) });
/** What a file says that it is or holds: printable ASCII out of hostile bytes. It names, and proves nothing. */
export type Claim = Static<typeof Claim>;

/** What one path is: everything about a file but its name and its place in the layers. */
export const FileFacts = Type.Object({
  kind: FileKind,
  size: Type.Integer({ minimum: 0, description: 'bytes; 0 for what is no regular file' }),
  digest: Type.Optional(Digest), // regular files only
  mode: Type.Integer({ description: 'permission bits with setuid, setgid and sticky: 0o7777' }),
  uid: Type.Integer(),
  gid: Type.Integer(),
  target: Type.Optional(Type.String({ description: 'of a symbolic link; written like a path' })),
  /** First path (in code-unit order) of the hard links that share the inode; absent where there is one name only. */
  linkGroup: Type.Optional(Path),
  device: Type.Optional(Type.Object({ major: Type.Integer(), minor: Type.Integer() })),
  /** Extended attributes by full name (`security.capability`), values in base64: they are bytes. */
  xattrs: Type.Optional(Type.Record(Type.String(), Type.String())),
  mtime: Type.Number({ description: 'seconds since 1970-01-01, UTC' }),
  /** First bytes say so: `elf`, `script` (#!), `pyc`, `archive` (ar, zip, wasm …). Absent for anything else. */
  magic: Type.Optional(Type.Enum(['elf', 'script', 'pyc', 'archive'])),
  /** Of a script: what follows `#!` on its first line, written like a path. execve(2). */
  interpreter: Type.Optional(Type.String()),
  /** Of layers of an image only: what an archive amounts to without the times in it, as its format and a digest: `zip sha256:…`. */
  undated: Type.Optional(Type.String()),
  /** Of layers of an image only: the digest of what one of apt's lists is unpacked, where apt packed it as lz4. */
  unpacked: Type.Optional(Digest),
  /** Of layers of an image only: how a segment of PostgreSQL's log ends, as the place behind its last byte that is not zero and the bytes before. */
  tail: Type.Optional(Type.Object({ end: Type.Integer({ minimum: 0 }), base64: Type.String() })),
  /** Of layers of an image only: libraries whose version strings an ELF file holds, or the module that a package.json describes. */
  claims: Type.Optional(Type.Array(Claim)),
});
export type FileFacts = Omit<Static<typeof FileFacts>, 'digest' | 'unpacked' | 'kind' | 'magic'> & {
  kind: FileKind;
  digest?: Digest;
  unpacked?: Digest;
  magic?: 'elf' | 'script' | 'pyc' | 'archive';
};

/** One path of the effective root file system. */
export type Entry = FileFacts & {
  path: Path;
  /** Index of the layer that set it, from 0 for the lowest. */
  layer: number;
  /** Layers that had set the same path before, lowest first. */
  earlier?: number[];
};

/** What a lower layer holds and the final tree does not show. OCI image specification 1.1, layer.md "Whiteouts". */
export type HiddenEntry = FileFacts & {
  path: Path;
  layer: number;
  /** The layer that took it away, and how. */
  hiddenBy: number;
  how: 'whiteout' | 'opaque' | 'replaced';
};

/** What two readers of a tar could read differently; it is read as containerd reads it, and told. */
export type Anomaly = {
  code:
    | 'data-after-end' // bytes other than zero behind the end marker
    | 'duplicate-entry' // two entries for one path in one layer
    | 'conflicting-header' // PAX and ustar say different things
    | 'escapes-root' // a name or hard link target that leaves the root
    | 'missing-link-target'
    | 'symlinked-parent' // an entry below what a lower layer has as a symbolic link: some readers follow it, some replace it
    | 'unsupported-entry' // a type containerd ignores or refuses
    | 'bad-header' // checksum, sparse map or number that does not parse
    | 'truncated'
    | 'trailing-compressed-data'
    | 'reserved-whiteout'; // `.wh..wh.*` other than the opaque marker
  layer: number;
  path?: Path;
  detail: string;
};

export type LayerSummary = {
  digest: Digest; // of the compressed bytes
  diffId: Digest; // of the uncompressed tar
  mediaType: string;
  size: number; // bytes as stored
  uncompressedSize: number; // bytes
  entries: number;
  /** The history entry that made it, where history and layers match in number. */
  createdBy?: string;
};

/**
 * The effective file system of one image with what its layers reveal beside it. Pure data: equal layers give an equal
 * inventory, byte for byte, when written with `canonicalJson`.
 */
export type Inventory = {
  manifestDigest: Digest;
  configDigest: Digest;
  config: Static<typeof ImageConfig>;
  layers: LayerSummary[];
  /** Sorted by path in code-unit order. */
  entries: Entry[];
  /** Sorted by path, then layer. */
  hidden: HiddenEntry[];
  anomalies: Anomaly[];
  /** Blobs with the contents that rules look into, see {@link LayerScan}. */
  contents: Digest[];
};

/** What reading one layer once yields; kept by the layer's digest and never read again. */
export type LayerScan = {
  digest: Digest;
  diffId: Digest;
  size: number;
  uncompressedSize: number;
  /** In the order of the tar; whiteouts are entries of their own kind. */
  entries: TarEntry[];
  anomalies: Omit<Anomaly, 'layer'>[];
  /** Blob: the contents that `wantsContent` asks for, one `{"digest","base64"}` a line; absent where there are none. */
  contents?: Digest;
};

export type TarEntry =
  | (FileFacts & { path: Path; whiteout?: never })
  /**
   * A hard link names an entry before it or one of a lower layer. `inode` is what its own header says, which containerd
   * applies to the file that both names share.
   */
  | { path: Path; kind: 'hardlink'; target: Path; inode?: Pick<FileFacts, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>; whiteout?: never }
  /** `path` is what is hidden: the file, or the directory that shows nothing of the layers below. */
  | { path: Path; whiteout: 'file' | 'opaque'; kind?: never };

/** Contents of the few files that rules look into, by digest. Bytes of an image: hostile. */
export type Contents = ReadonlyMap<Digest, Uint8Array>;
