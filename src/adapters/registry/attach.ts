import type { Attachment, AttachForm } from '../../model/attachment.ts';
import { type Digest, hexOf } from '../../model/digest.ts';
import { ENVELOPE_TYPE, IN_TOTO_TYPE } from '../../model/dsse.ts';
import { canonicalJson } from '../../model/json.ts';
import { INDEX_TYPES, MANIFEST_TYPES } from '../../model/media-types.ts';
import type { Descriptor } from '../../model/oci.ts';
import type { Attach } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { makePusher, type Pusher, type RegistryAccess } from './push.ts';
import { type Listing, parseListing } from './listing.ts';

const [OCI_INDEX] = INDEX_TYPES;
const [OCI_MANIFEST] = MANIFEST_TYPES;
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') };
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
/** Attestations under one tag or in one list. The newest of ours takes the place of an older, so that nobody's grow by ours. */
const ENTRIES_MAX = 1000;
/** Turns against others who write the same tag at the same time: a registry has no lock. */
const TURNS = 4;

/** Attaches statements to images. OCI distribution specification 1.1, "Pushing Manifests with Subject"; cosign's SIGNATURE_SPEC and BUNDLE_SPEC. */
export function makeAttach(access: RegistryAccess, form: AttachForm): Attach {
  const turns = new Map<string, Promise<void>>();

  async function attach(repository: string, subject: Digest, attachments: readonly Attachment[]): Promise<void> {
    const pusher = makePusher(access, repository);
    const described = await pusher.describe(subject);
    const unlisted: Descriptor[] = [];
    for (const attachment of attachments) {
      const { descriptor, listed } = await pushReferrer(pusher, described, attachment, form);
      if (!listed) unlisted.push(descriptor);
    }
    if (unlisted.length > 0) await update(pusher, `sha256-${hexOf(subject)}`, 'manifests', unlisted, indexOf);
    if (form === 'bundle') return;
    const layers: Descriptor[] = [];
    for (const attachment of attachments) {
      const annotations = { ...ours(attachment), 'dev.cosignproject.cosign/signature': '', predicateType: attachment.predicateType };
      layers.push({ ...(await pusher.blob(Buffer.from(canonicalJson(attachment.envelope)), ENVELOPE_TYPE)), annotations });
    }
    await update(pusher, `sha256-${hexOf(subject)}.att`, 'layers', layers, (entries) => cosignManifest(pusher, entries));
  }

  // One after the other in one repository: of two that read a tag at the same time and write it, one would be lost.
  return (repository, subject, attachments) => {
    const before = turns.get(repository) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => attach(repository, subject, attachments));
    turns.set(repository, mine);
    const done = (): void => void (turns.get(repository) === mine && turns.delete(repository));
    mine.then(done, done);
    return mine;
  };
}

async function pushReferrer(
  pusher: Pusher,
  subject: Descriptor,
  attachment: Attachment,
  form: AttachForm,
): Promise<{ descriptor: Descriptor; listed: boolean }> {
  const { envelope, predicateType, created } = attachment;
  const isBundle = form === 'bundle';
  const [mediaType, artifactType] = isBundle ? [BUNDLE_TYPE, BUNDLE_TYPE] : [ENVELOPE_TYPE, IN_TOTO_TYPE];
  const hint = envelope.signatures[0]?.keyid ?? '';
  const content = isBundle ? { mediaType, verificationMaterial: { publicKey: { hint } }, dsseEnvelope: envelope } : envelope;
  const annotations = {
    ...ours(attachment),
    'org.opencontainers.image.created': created,
    ...(isBundle
      ? { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': predicateType }
      : { 'in-toto.io/predicate-type': predicateType }),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: await pusher.blob(EMPTY.bytes, EMPTY.mediaType),
    layers: [await pusher.blob(Buffer.from(canonicalJson(content)), mediaType)],
    subject,
    annotations,
  };
  const { descriptor, subjectSeen } = await pusher.manifest(canonicalJson(manifest), OCI_MANIFEST);
  return { descriptor: { ...descriptor, artifactType, annotations }, listed: subjectSeen };
}

/** Puts entries into what a tag names, in place of older ones of ours, and looks whether they are there afterwards. */
async function update(
  pusher: Pusher,
  tag: string,
  member: 'layers' | 'manifests',
  added: readonly Descriptor[],
  write: (entries: Listing) => Promise<{ text: string; mediaType: string }> | { text: string; mediaType: string },
): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    const there = await listed(pusher, tag, member);
    if (turn > 0 && added.every(({ digest }) => there.some((entry) => entry.digest === digest))) return;
    const entries = [...there.filter((entry) => !added.some((one) => replaces(one, entry))), ...added];
    if (entries.length > ENTRIES_MAX) throw new Problem('limit-exceeded', `${tag} has more than ${ENTRIES_MAX} attestations`);
    const { text, mediaType } = await write(entries);
    await pusher.manifest(text, mediaType, tag);
  }
  const there = await listed(pusher, tag, member);
  if (added.every(({ digest }) => there.some((entry) => entry.digest === digest))) return;
  throw new Problem('registry-unavailable', `others write ${tag} of the image all the time`);
}

async function listed(pusher: Pusher, tag: string, member: 'layers' | 'manifests'): Promise<Listing> {
  const bytes = await pusher.tagged(tag);
  return bytes === undefined ? [] : parseListing(bytes, member, tag);
}

const OURS = ['conforme.verifier', 'conforme.manifest', 'in-toto.io/predicate-type', 'predicateType', 'dev.sigstore.bundle.predicateType'];

function ours({ verifier, manifestDigest }: Attachment): Record<string, string> {
  return { 'conforme.verifier': verifier, 'conforme.manifest': manifestDigest };
}

/** The same digest, or an older statement of the same kind by the same instance about the same manifest. */
function replaces(added: Descriptor, entry: Listing[number]): boolean {
  if (added.digest === entry.digest) return true;
  return (
    entry.annotations?.['conforme.verifier'] !== undefined && OURS.every((key) => added.annotations?.[key] === entry.annotations?.[key])
  );
}

function indexOf(manifests: Listing): { text: string; mediaType: string } {
  return { text: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }), mediaType: OCI_INDEX };
}

/** As `cosign attest` has it: an image, whose layers are envelopes; they are not compressed, so that digest and diffID are the same. */
async function cosignManifest(pusher: Pusher, layers: Listing): Promise<{ text: string; mediaType: string }> {
  const created = '0001-01-01T00:00:00Z';
  const config = {
    architecture: '',
    created,
    history: layers.map(() => ({ created })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    config: {},
  };
  const described = await pusher.blob(Buffer.from(JSON.stringify(config)), 'application/vnd.oci.image.config.v1+json');
  return { text: JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: described, layers }), mediaType: OCI_MANIFEST };
}
