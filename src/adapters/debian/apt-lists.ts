import type { PublicKey } from 'openpgp';
import { type AptList, listName, stemOf, suiteOfStem, type VerifiedList } from '../../model/apt-lists.ts';
import type { AptRepository } from '../../model/debian.ts';
import { digestOf } from '../../model/digest.ts';
import { byText } from '../../model/path.ts';
import type { Clock } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import type { Derivative } from './derivatives.ts';
import type { Keyring } from './keyring.ts';
import { type Release, type ReleaseRequest, verifyDetached, verifyRelease } from './release.ts';
import { keyringsOf } from './releases.ts';
import { isSignature, isSignedMessage } from './signature-form.ts';
import { keysOf, namedSigners, printableWords } from './third-party.ts';

/** Characters of a file in which its codename is looked for, to know by which keys it has to be signed. */
const HEAD_CHARS = 64 * 1024;

/**
 * The Release files of an image whose signature holds, each as of its own date: by the keys pinned for Debian's suite of its name, by the
 * keyring of the image's own vendor where that is configured, or by the keys that the image names for its repository. Nothing may stand
 * beside what is signed: a file has to be the signed message, or the signed text and the signature, to the last byte. What is not
 * verified is left out. Throws `environment-missing` where a keyring cannot be read.
 */
export async function verifyLists(
  ports: { keyring: Keyring; now: Clock },
  lists: readonly AptList[],
  derivative?: Derivative,
): Promise<VerifiedList[]> {
  const verified: VerifiedList[] = [];
  const keys = new Map<AptRepository, Promise<PublicKey[]>>();
  for (const list of lists) {
    if (!hasForm(list)) continue;
    const one = (await byPinnedKeys(ports, list, derivative)) ?? (await byNamedKeys(ports, list, keys));
    if (one !== undefined) verified.push(one);
  }
  return verified;
}

function hasForm({ path, bytes, signature }: AptList): boolean {
  if (path.endsWith('_InRelease')) return isSignedMessage(bytes);
  return signature !== undefined && isSignature(signature);
}

async function byPinnedKeys(
  { keyring, now }: { keyring: Keyring; now: Clock },
  list: AptList,
  derivative: Derivative | undefined,
): Promise<VerifiedList | undefined> {
  const codename = /^Codename:[ \t]*([a-z][a-z-]{0,60})$/m.exec(Buffer.from(list.bytes).toString('latin1', 0, HEAD_CHARS))?.[1] ?? '';
  const named = suiteOfStem(stemOf(list.path) ?? '');
  const asked: [codename: string | undefined, keyrings: string[]][] = [
    [codename, keyringsOf(codename, keyring.has)],
    [undefined, derivative === undefined ? [] : [derivative.keyring]],
  ];
  for (const [expected, keyrings] of asked) {
    const keys = (await Promise.all(keyrings.map((name) => keyring.keys(name)))).flat();
    const release =
      keys.length === 0 ? undefined : await signed(list, { id: 'a list', origin: undefined, codename: expected }, keys, now());
    // A mirror serves a suite below its name or its codename.
    const names = release === undefined ? [] : [release.archive.suite, release.archive.codename].map(listName);
    if (release !== undefined && named !== undefined && names.includes(named)) return verifiedList(list, release);
  }
  return undefined;
}

async function byNamedKeys(
  { now }: { now: Clock },
  list: AptList,
  known: Map<AptRepository, Promise<PublicKey[]>>,
): Promise<VerifiedList | undefined> {
  for (const repository of list.repositories) {
    const reading = known.get(repository) ?? keysOf(repository);
    known.set(repository, reading);
    const keys = await reading;
    const request = { id: `${repository.address} ${repository.suite}`, origin: undefined, codename: undefined };
    const release = await signed(list, request, keys, now(), (one) => namedSigners(one, keys, repository));
    if (release !== undefined)
      return { ...verifiedList(list, release), thirdParty: { url: repository.address, source: repository.source } };
  }
  return undefined;
}

/** Undefined where the signature does not hold. */
async function signed(
  { bytes, signature }: AptList,
  request: ReleaseRequest,
  keys: PublicKey[],
  now: Date,
  signersOf = ({ archive }: Release): string[] => archive.signers,
): Promise<Release | undefined> {
  try {
    const release = await (signature === undefined
      ? verifyRelease(bytes, request, keys, now, 'left-in-image')
      : verifyDetached(bytes, signature, request, keys, now, 'left-in-image'));
    return { ...release, archive: { ...release.archive, signers: signersOf(release) } };
  } catch (error) {
    if (error instanceof Problem && error.code === 'archive-untrusted') return undefined;
    throw error;
  }
}

function verifiedList({ path, bytes, signature, indexes }: AptList, { archive, files }: Release): VerifiedList {
  const named = [...files].flatMap(([file, { digest }]) => (isLeft(indexes, listName(file)) ? [{ path: file, digest }] : []));
  return {
    path,
    digest: digestOf(bytes),
    ...(signature === undefined ? {} : { signature: digestOf(signature) }),
    ...printableWords(archive),
    date: archive.date,
    signers: archive.signers,
    indexes: named.sort((a, b) => byText(a.path, b.path)),
  };
}

function isLeft(indexes: ReadonlySet<string>, name: string): boolean {
  return indexes.has(name) || indexes.has(`${name}.lz4`);
}
