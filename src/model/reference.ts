import { type Digest, isDigest } from './digest.ts';

/**
 * The name of an image in a registry, normalised as Docker does: `nginx` is `docker.io/library/nginx:latest`. With a digest,
 * the tag says nothing any more. Grammar: https://pkg.go.dev/github.com/distribution/reference
 */
export type Reference = { registry: string; repository: string; tag?: string; digest?: Digest };

/** A text that is no reference; `Problem('invalid-reference')` is what callers make of it. */
export class ReferenceSyntaxError extends Error {}

const DEFAULT_REGISTRY = 'docker.io';
const LEGACY_REGISTRY = 'index.docker.io';
const COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${COMPONENT}(?:\\.${COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`);
const REPOSITORY = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** Characters of registry and repository, as in distribution/reference. */
const NAME_LENGTH_MAX = 255;
/** Longest text that can hold a name, a tag and a digest; the patterns never see more. */
const TEXT_LENGTH_MAX = NAME_LENGTH_MAX + 1 + 128 + 1 + 71;

/** Throws {@link ReferenceSyntaxError}. */
export function parseReference(text: string): Reference {
  const fail = (why: string) => new ReferenceSyntaxError(`${JSON.stringify(text.slice(0, 80))} is no image reference: ${why}`);
  if (text.length > TEXT_LENGTH_MAX) throw fail('it is too long');

  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw fail('the digest is not sha256: and 64 lower-case hex digits');
  const tagged = at < 0 ? text : text.slice(0, at);
  const colon = tagged.lastIndexOf(':');
  const hasTag = colon > tagged.lastIndexOf('/');
  const tag = hasTag ? tagged.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw fail('the tag may have letters, digits, "_", "." and "-", at most 128');
  const name = hasTag ? tagged.slice(0, colon) : tagged;

  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const namesRegistry = slash >= 0 && (/[.:[]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  const named = namesRegistry ? first : DEFAULT_REGISTRY;
  const registry = named === LEGACY_REGISTRY ? DEFAULT_REGISTRY : named;
  const rest = namesRegistry ? name.slice(slash + 1) : name;
  const repository = registry === DEFAULT_REGISTRY && rest !== '' && !rest.includes('/') ? `library/${rest}` : rest;

  if (!REGISTRY.test(registry)) throw fail('the registry is no host name with an optional port');
  if (repository === '') throw fail('a name is missing');
  if (repository !== repository.toLowerCase()) throw fail('a repository has lower-case letters only');
  if (!REPOSITORY.test(repository)) throw fail('the repository has characters that are not allowed there');
  if (!namesRegistry && /^[0-9a-f]{64}$/.test(rest)) throw fail('64 hex digits are an identifier, not a name');
  if (registry.length + 1 + repository.length > NAME_LENGTH_MAX) throw fail('the name is too long');
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The whole text: registry, repository, then tag and digest as they are; `:latest` where there is neither. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  const suffix =
    tag === undefined && digest === undefined
      ? ':latest'
      : `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return `${registry}/${repository}${suffix}`;
}

/** The same image by its digest alone. Throws {@link ReferenceSyntaxError}. */
export function pinnedReference(text: string, digest: Digest): string {
  const { registry, repository } = parseReference(text);
  return formatReference({ registry, repository, digest });
}
