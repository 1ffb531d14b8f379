import { type AttachedBy, type AttachedStatement, isAbout, parseStatement } from '../../model/attestation.ts';
import { type Digest, hexOf } from '../../model/digest.ts';
import type { Descriptor, ImageIndex, ImageManifest, ResolvedImage } from '../../model/oci.ts';
import { OciFault } from '../../model/oci-parse.ts';
import { Problem } from '../../problem.ts';

/** Bytes of an attestation: BuildKit's of a large multi-stage build have some 300 KB. */
const STATEMENT_MAX = 16 * 1024 * 1024;
/** Manifests looked into and blobs read for one image; who attaches more buries one of them on purpose. */
const MANIFESTS_MAX = 16;
const BLOBS_MAX = 32;

/** What a blob with a statement is called: in-toto's own, DSSE's as cosign pushes it, Sigstore's bundles. */
const STATEMENT_TYPES = /^application\/vnd\.(in-toto[\w.-]*|dsse\.envelope\.v1|dev\.sigstore\.bundle[\w.]*)\+json(;|$)/;
/** Where the type of the statement stands beside the blob: BuildKit's key, cosign's, and that of Sigstore's bundles. */
const PREDICATE_KEYS = ['in-toto.io/predicate-type', 'predicateType', 'dev.sigstore.bundle.predicateType'];

/** The reading of one repository. Each throws a `Problem` or an `OciFault`. */
export type Repository = {
  manifest(digest: Digest): Promise<ImageManifest>;
  /** The manifest under a tag, where there is one. */
  tagged(tag: string): Promise<{ kind: 'manifest'; manifest: ImageManifest } | { kind: 'index'; index: ImageIndex } | undefined>;
  /** Distribution specification 1.1, "Listing Referrers". */
  referrers(digest: Digest): Promise<ImageIndex | undefined>;
  blob(descriptor: Descriptor): Promise<Buffer>;
};

type Image = Pick<ResolvedImage, 'digest' | 'manifestDigest' | 'index'>;
type Listed = { attachedBy: AttachedBy; manifest: ImageManifest };

/**
 * The statements of the wanted types that hang on an image, each asked for only when the one before was not enough. What cannot be read
 * is told by `passedOver` and does no harm: anybody who can push may attach anything. A registry that breaks down over BuildKit's own,
 * which the index names, is an error; one that knows nothing of referrers is not.
 */
export async function* attestations(
  repository: Repository,
  image: Image,
  wanted: (predicateType: string) => boolean,
  passedOver: (why: string) => void,
): AsyncGenerator<AttachedStatement> {
  let blobs = 0;
  for await (const { attachedBy, manifest } of manifestsOn(repository, image, wanted, passedOver)) {
    for (const layer of manifest.layers) {
      const said = saidType(layer) ?? saidType(manifest);
      if (!STATEMENT_TYPES.test(layer.mediaType) || (said !== undefined && !wanted(said))) continue;
      blobs += 1;
      if (blobs > BLOBS_MAX) return passedOver(`the image has more than ${BLOBS_MAX} attestations`);
      try {
        if (layer.size > STATEMENT_MAX) throw new OciFault('unsupported', `the attestation has more than ${STATEMENT_MAX} bytes`);
        const statement = parseStatement(await repository.blob(layer));
        if (!isAbout(statement, image)) throw new OciFault('malformed', 'the attestation is about something else');
        const { predicateType, predicate } = statement;
        if (wanted(predicateType)) yield { digest: layer.digest, attachedBy, predicateType, predicate };
      } catch (error) {
        passedOver(`${layer.digest}: ${harmless(error, attachedBy)}`);
      }
    }
  }
}

async function* manifestsOn(
  repository: Repository,
  image: Image,
  wanted: (predicateType: string) => boolean,
  passedOver: (why: string) => void,
): AsyncGenerator<Listed> {
  const seen = new Set<Digest>();
  async function* each(attachedBy: AttachedBy, descriptors: readonly Descriptor[]): AsyncGenerator<Listed> {
    for (const { digest } of descriptors) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      if (seen.size > MANIFESTS_MAX) return passedOver(`the image has more than ${MANIFESTS_MAX} manifests with attestations`);
      const manifest = await orNothing(attachedBy, () => repository.manifest(digest));
      if (manifest !== undefined) yield { attachedBy, manifest };
    }
  }
  async function orNothing<T>(attachedBy: AttachedBy, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      passedOver(harmless(error, attachedBy));
      return undefined;
    }
  }

  const { digest: top, manifestDigest, index } = image;
  yield* each(
    'index',
    (index?.manifests ?? []).filter((one) => isOf(one, manifestDigest)),
  );
  for (const subject of new Set([top, manifestDigest])) {
    const listed =
      (await orNothing('referrers', () => repository.referrers(subject))) ??
      (await orNothing('referrers', async () => asIndex(await repository.tagged(`sha256-${hexOf(subject)}`))));
    // What says that it is something else does not count: an image that was judged often has that many verdicts attached.
    const ofType = (one: Descriptor): boolean => {
      const said = saidType(one);
      return said === undefined || wanted(said);
    };
    yield* each(
      'referrers',
      (listed?.manifests ?? []).filter((one) => mayHoldStatements(one) && ofType(one)),
    );
    const signed = await orNothing('cosign-tag', () => repository.tagged(`sha256-${hexOf(subject)}.att`));
    if (signed?.kind === 'manifest') yield { attachedBy: 'cosign-tag', manifest: signed.manifest };
  }
}

function saidType({ annotations }: Pick<Descriptor, 'annotations'>): string | undefined {
  return PREDICATE_KEYS.map((key) => annotations?.[key]).find((type) => type !== undefined);
}

/** BuildKit, docs/attestations/attestation-storage.md. */
function isOf({ annotations }: Descriptor, manifestDigest: Digest): boolean {
  return (
    annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' && annotations['vnd.docker.reference.digest'] === manifestDigest
  );
}

function mayHoldStatements({ artifactType }: Descriptor): boolean {
  return artifactType === undefined || STATEMENT_TYPES.test(artifactType) || artifactType.startsWith('application/vnd.docker.attestation.');
}

/** The referrers tag schema of the distribution specification 1.1: an index under a tag, where the registry has no interface for it. */
function asIndex(found: Awaited<ReturnType<Repository['tagged']>>): ImageIndex | undefined {
  return found?.kind === 'index' ? found.index : undefined;
}

/** Why something was passed over. Throws what the image cannot be blamed for. */
function harmless(error: unknown, attachedBy: AttachedBy): string {
  if (error instanceof OciFault) return error.message;
  if (!(error instanceof Problem) || (attachedBy === 'index' && error.retryable)) throw error;
  return error.message;
}
