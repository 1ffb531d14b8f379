import type { Digest } from '../../model/digest.ts';
import type { Entry, FileFacts, HiddenEntry } from '../../model/inventory.ts';
import type { Path } from '../../model/path.ts';
import { isHostKey } from '../rules/host-keys.ts';
import { count, found, type Found, type Scene } from './finding.ts';

/** Names that are given to secrets by the tools that use them. */
const SECRET_NAME =
  /\/(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|\.env(?:\.(?!example|sample|template|dist)[^/]*)?|\.netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.dockerconfigjson|\.vault-token|\.s3cfg|\.boto|kubeconfig|credentials(?:\.json)?|service[-_]account[^/]*\.json|[^/]*\.(?:p12|pfx|jks|kdbx|ppk|key))$|\/\.aws\/credentials$|\/\.docker\/config\.json$|\/\.kube\/config$/i;
/** Words for a secret in the name of a data file; code that deals with tokens is called so as well. */
const SECRET_WORD = /(?:^|[._-])(?:secrets?|passwords?|passwd|credentials?|tokens?|api[_-]?keys?|private[_-]?keys?)(?:[._-]|$)/i;
const DATA_NAME = /(?:^|\/)[^/.]*$|\.(?:txt|json|ya?ml|toml|ini|conf|cfg|env|properties|xml|pem|key|asc|gpg|csv|b64|secret|token)$/i;
const SYSTEM_FILE =
  /^\/(?:etc\/(?:passwd|pam\.d\/|init\.d\/|ssl\/certs\/)|usr\/(?:share|lib|bin|sbin|include)\/|var\/lib\/(?:dpkg|pam)\/|lib\/|bin\/|sbin\/)/;
/** What a secret looks like inside; matched on the bytes as Latin-1. */
const SECRET_TEXT =
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-|(?:^|[^A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?:[^A-Z0-9]|$)|aws_secret_access_key\s*=|"auth"\s*:\s*"[A-Za-z0-9+/=]{8,}"|_authToken\s*=\s*[^\s${]|gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20}|xox[abprs]-[A-Za-z0-9-]{10}|sk_live_[A-Za-z0-9]{16}/;
/** Keyrings and certificates have the same names, and are made to be shown. */
const PUBLIC_TEXT = /^\s*-----BEGIN (?:[A-Z0-9]+ )*(?:PUBLIC KEY|PUBLIC KEY BLOCK|CERTIFICATE)-----/;
const TEXT_SEARCHED_MAX = 64 * 1024; // bytes; `wantsContent` keeps no larger file for its secrets

/** Secrets in the final tree and under it: deleting a file in a later layer removes nothing from the image. */
export function* secrets(scene: Scene): Generator<Found> {
  const official = officialDigests(scene);
  for (const entry of scene.file.published.inventory.entries) {
    const line = scene.account.get(entry.path);
    if (line === undefined || line.attribution === 'debian-official' || line.attribution === 'debian-generated') continue;
    const why = isHostKey(entry.path) ? undefined : secretOf(scene, entry);
    if (why === undefined) continue;
    yield found(scene, 'secret-in-image', `${entry.path} ${why}`, {
      severity: line.attribution === 'source' ? 'medium' : 'high',
      paths: [entry.path],
      layer: entry.layer,
      evidence: { size: String(entry.size), ...(entry.digest === undefined ? {} : { digest: entry.digest }) },
    });
  }
  yield* hidden(scene, official);
}

function* hidden(scene: Scene, official: ReadonlySet<Digest>): Generator<Found> {
  const others: HiddenEntry[] = [];
  for (const entry of scene.file.published.inventory.hidden) {
    if (entry.kind !== 'file' || entry.size === 0) continue;
    const known = entry.digest !== undefined && official.has(entry.digest);
    const why = known || isHostKey(entry.path) ? undefined : secretOf(scene, entry);
    if (why === undefined) {
      others.push(entry);
      continue;
    }
    const how = entry.how === 'replaced' ? 'replaces' : 'deletes';
    yield found(
      scene,
      'secret-in-layer',
      `${entry.path} ${why}; layer ${entry.hiddenBy} ${how} it, and layer ${entry.layer} still holds it`,
      {
        paths: [entry.path],
        layer: entry.layer,
        evidence: {
          size: String(entry.size),
          hiddenBy: String(entry.hiddenBy),
          ...(entry.digest === undefined ? {} : { digest: entry.digest }),
        },
      },
    );
  }
  if (others.length === 0) return;
  const bytes = others.reduce((sum, { size }) => sum + size, 0);
  yield found(
    scene,
    'hidden-file',
    `${count(others.length, 'file')} with ${count(bytes, 'byte')} in lower layers are deleted or replaced by later ones`,
    {
      paths: others.map(({ path }) => path),
      evidence: { files: String(others.length), bytes: String(bytes) },
    },
  );
}

/** Why a file looks like a secret: its text, where it was kept, else its name. */
function secretOf(scene: Scene, entry: Entry | HiddenEntry): string | undefined {
  if (entry.kind !== 'file' || entry.size === 0) return undefined;
  const bytes = entry.digest === undefined ? undefined : scene.file.published.contents.get(entry.digest);
  if (bytes !== undefined && bytes.length <= TEXT_SEARCHED_MAX && !isProgram(entry)) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    if (SECRET_TEXT.test(text)) return 'holds a key or token';
    if (PUBLIC_TEXT.test(text)) return undefined;
  }
  return hasSecretName(entry.path, entry) ? 'has the name of a secret' : undefined;
}

export function hasSecretName(path: Path, facts: Pick<FileFacts, 'magic'>): boolean {
  if (isProgram(facts) || SYSTEM_FILE.test(path)) return false;
  if (SECRET_NAME.test(path)) return true;
  return DATA_NAME.test(path) && SECRET_WORD.test(path.slice(path.lastIndexOf('/') + 1));
}

function isProgram({ magic }: Pick<FileFacts, 'magic'>): boolean {
  return magic === 'elf' || magic === 'pyc';
}

/** Bytes that verified packages hold anywhere: test keys of a library are no secrets. */
function officialDigests(scene: Scene): ReadonlySet<Digest> {
  const digests = new Set<Digest>();
  for (const { expected } of scene.file.expectation.files.values()) if (expected.digest !== undefined) digests.add(expected.digest);
  return digests;
}
