import type { Digest } from '../model/digest.ts';
import type { Source, SourceTree } from '../model/rebuild.ts';
import type { Blobs, Git, ScanLayer } from '../ports.ts';
import { mayPin } from '../steps/pins/index.ts';
import type { FoundSource } from '../steps/find-source.ts';
import { putDocument } from './documents.ts';

// Larger Dockerfiles exist in nobody's repository; the parser refuses them as well.
const DOCKERFILE_BYTES_MAX = 1024 * 1024;
/** Bytes of all lock files and scripts of one source; what is beyond pins nothing. */
const TEXTS_BYTES_MAX = 64 * 1024 * 1024;
const CONTEXT_BYTES_MAX = 4 * 1024 * 1024 * 1024; // a context is code, not a data set

export type FetchedSource = {
  source: Source;
  tree: SourceTree;
  /** Blob: canonical JSON of `tree`. */
  treeDigest: Digest;
  /** Blob: the build context, a tar. */
  context: Digest;
  /** Files that may say what a build's downloads have to be, by their path in the context. */
  texts: ReadonlyMap<string, string>;
  /** Seconds since 1970-01-01 UTC: of a commit, the time that its files have in `context`. */
  time?: number;
  /** Bytes of the Dockerfile; absent where the source has none at that path. */
  dockerfile?: { digest: Digest; bytes: Uint8Array; text: string };
};

/** Pins a source, keeps its files as a tar and lists them with their digests. */
export async function fetchSource(
  ports: { git: Git; blobs: Blobs; scanLayer: ScanLayer },
  found: FoundSource,
  /** What the request's ref named when it was asked. */
  pinned: string | undefined,
  dockerfilePath: string,
): Promise<FetchedSource> {
  const { location, evidence } = found;
  if ('context' in location) {
    const source: Source = { location: { kind: 'context', digest: location.context }, evidence };
    return readContext(ports, source, location.context, dockerfilePath, { files: [], complete: true });
  }
  const { git: url, ref, subdir } = location;
  const where = { url, ...(ref === undefined ? {} : { ref }), ...(subdir === undefined ? {} : { subdir }) };
  const commit = evidence === 'request' ? pinned : undefined;
  const fetched = await ports.git.fetch(commit === undefined ? where : { ...where, ref: commit });
  try {
    const context = await ports.blobs.put(fetched.tar, { max: CONTEXT_BYTES_MAX });
    const source: Source = { location: { kind: 'git', ...where, commit: fetched.commit }, evidence };
    return await readContext(ports, source, context.digest, dockerfilePath, await fetched.history());
  } finally {
    await fetched.done();
  }
}

async function readContext(
  ports: { blobs: Blobs; scanLayer: ScanLayer },
  source: Source,
  context: Digest,
  dockerfilePath: string,
  history: Awaited<ReturnType<Awaited<ReturnType<Git['fetch']>>['history']>>,
): Promise<FetchedSource> {
  const wanted = `/${dockerfilePath.replace(/^(\.?\/)+/, '')}`;
  let texted = 0;
  const isText = (path: string, size: number): boolean => mayPin(path, size) && (texted += size) <= TEXTS_BYTES_MAX;
  const { scan, contents } = await ports.scanLayer(
    await ports.blobs.open(context),
    { mediaType: 'application/octet-stream' }, // compression is told by the first bytes
    (path, size) => (path === wanted && size <= DOCKERFILE_BYTES_MAX) || isText(path, size),
  );
  const files: SourceTree['files'] = [];
  const texts = new Map<string, string>();
  let dockerfile: FetchedSource['dockerfile'];
  for (const entry of scan.entries) {
    if (entry.kind === 'file' && entry.digest !== undefined) {
      files.push({ path: entry.path.slice(1), size: entry.size, digest: entry.digest, executable: (entry.mode & 0o111) !== 0 });
      const bytes = entry.path === wanted ? contents.get(entry.digest) : undefined;
      const text = mayPin(entry.path, entry.size) ? contents.get(entry.digest) : undefined;
      if (text !== undefined) texts.set(entry.path.slice(1), Buffer.from(text).toString('utf8'));
      if (bytes !== undefined) dockerfile = { digest: entry.digest, bytes, text: Buffer.from(bytes).toString('utf8') };
    } else if (entry.kind === 'symlink' && entry.target !== undefined) {
      files.push({ path: entry.path.slice(1), size: 0, executable: false, target: entry.target });
    }
  }
  const tree: SourceTree = { source, files, history: history.files, historyComplete: history.complete };
  const [first] = scan.entries;
  const time = source.location.kind === 'git' && first?.kind !== undefined && first.kind !== 'hardlink' ? first.mtime : undefined;
  const fetched = { source, tree, treeDigest: await putDocument(ports.blobs, tree), context, texts, ...(time !== undefined && { time }) };
  return dockerfile === undefined ? fetched : { ...fetched, dockerfile };
}
