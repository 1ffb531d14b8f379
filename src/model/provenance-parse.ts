import { type AttachedStatement, isObject } from './attestation.ts';
import { digestFromHex, isDigest } from './digest.ts';
import { parseGitAddress } from './git-address.ts';
import type { BuildRecipe, Provenance, StatedProvenance } from './provenance.ts';
import { formatReference, parseReference } from './reference.ts';
import { relativeTo, withinTree } from './tree-path.ts';

type Json = Readonly<Record<string, unknown>>;

/** The members of both versions of SLSA's predicate that are used, under one name. */
type Parts = {
  buildType: unknown;
  builder: Json;
  configSource: Json;
  request: Json;
  environment: Json;
  materials: unknown;
  metadata: Json;
  complete: unknown;
  startedOn: unknown;
  /** BuildKit's own: `vcs` and `source`. */
  extra: Json;
};

/** `buildType` of BuildKit in v0.2 and in v1: what the parameters mean. */
const BUILDKIT =
  /^https:\/\/(mobyproject\.org\/buildkit@v1|github\.com\/moby\/buildkit\/blob\/master\/docs\/attestations\/slsa-definitions\.md)$/;
const NAME_MAX = 2048;
const VALUE_MAX = 8192; // characters of an argument or label
const ARGUMENTS_MAX = 100; // as a request may have
const LABELS_MAX = 200;
const MATERIALS_MAX = 1000;
const DOCKERFILE_MAX = 1024 * 1024;

/**
 * What can be used of a provenance. Its author is whoever published the image, so each member is taken only where it has the form that it
 * should have, and left out otherwise.
 */
export function parseProvenance({ digest, attachedBy, predicateType, predicate }: AttachedStatement): Provenance {
  const parts = predicateType.endsWith('/v1') ? partsOf1(predicate) : partsOf02(predicate);
  const buildType = plain(parts.buildType);
  const isBuildKit = BUILDKIT.test(buildType ?? '');
  const recipe = isBuildKit ? recipeOf(parts) : undefined;
  const found = repositoryOf(parts, recipe?.recipe);
  const builder = plain(parts.builder['id']);
  const startedOn = plain(parts.startedOn);
  const builderVersion = versionsOf(parts);
  const stated: StatedProvenance = {
    digest,
    attachedBy,
    predicateType,
    ...(buildType === undefined ? {} : { buildType }),
    ...(builder === undefined || builder === '' ? {} : { builder }),
    ...(Object.keys(builderVersion).length === 0 ? {} : { builderVersion }),
    ...(startedOn === undefined || Number.isNaN(Date.parse(startedOn)) ? {} : { startedOn }),
    complete: parts.complete === true && recipe?.whole === true,
    ...(found?.uncommitted === true ? { uncommitted: true } : {}),
  };
  return {
    stated,
    ...(found === undefined ? {} : { repository: found.repository }),
    ...(recipe === undefined ? {} : { recipe: recipe.recipe }),
    images: imagesOf(parts.materials),
  };
}

function partsOf02(predicate: Json): Parts {
  const invocation = object(predicate['invocation']);
  const metadata = object(predicate['metadata']);
  const source = object(invocation['configSource']);
  return {
    buildType: predicate['buildType'],
    builder: object(predicate['builder']),
    configSource: { ...source, path: source['entryPoint'] },
    request: object(invocation['parameters']),
    environment: object(invocation['environment']),
    materials: predicate['materials'],
    metadata,
    complete: object(metadata['completeness'])['parameters'],
    startedOn: metadata['buildStartedOn'],
    extra: object(metadata['https://mobyproject.org/buildkit@v1#metadata']),
  };
}

function partsOf1(predicate: Json): Parts {
  const definition = object(predicate['buildDefinition']);
  const external = object(definition['externalParameters']);
  const run = object(predicate['runDetails']);
  const metadata = object(run['metadata']);
  return {
    buildType: definition['buildType'],
    builder: object(run['builder']),
    configSource: object(external['configSource']),
    request: object(external['request']),
    environment: object(definition['internalParameters']),
    materials: definition['resolvedDependencies'],
    metadata,
    complete: object(metadata['buildkit_completeness'])['request'],
    startedOn: metadata['startedOn'],
    extra: object(metadata['buildkit_metadata']),
  };
}

/** BuildKit's documentation, "SLSA definitions"; the arguments are those of its Dockerfile frontend. */
function recipeOf({ configSource, request, extra }: Parts): { recipe: BuildRecipe; whole: boolean } | undefined {
  const frontend = request['frontend'];
  if (frontend !== 'dockerfile.v0' && frontend !== 'gateway.v0') return undefined;
  const args = object(request['args']);
  const vcs = object(extra['vcs']);
  const buildArgs = named(args, 'build-arg:', /^[A-Za-z_][A-Za-z0-9_]*$/, ARGUMENTS_MAX);
  const labels = named(args, 'label:', /^\S+$/, LABELS_MAX);
  const contexts = named(args, 'context:', /^\S+$/, ARGUMENTS_MAX);
  const target = plain(args['target']);
  const syntax = plain(args['source']) ?? buildArgs.values['BUILDKIT_SYNTAX'];
  const address = plain(configSource['uri']);
  const folder = (name: string): string | undefined => withinTree(plain(vcs[`localdir:${name}`]) ?? '');
  const file = plain(configSource['path']) ?? plain(args['filename']) ?? 'Dockerfile';
  // Of local folders the client may say where in the working tree they are: then the file is looked for in there.
  const [context, besides] = address === undefined ? [folder('context'), folder('dockerfile')] : [];
  const dockerfile =
    context === undefined || besides === undefined ? withinTree(file) : relativeTo(context, besides === '' ? file : `${besides}/${file}`);
  const fetched = address !== undefined && gitCommit(configSource['digest'], address) !== undefined;
  const text = dockerfileOf(extra, file);
  return {
    recipe: {
      dockerfile: dockerfile ?? '../',
      ...(target === undefined || target === '' ? {} : { target }),
      buildArgs: buildArgs.values,
      labels: labels.values,
      contexts: contexts.values,
      ...(syntax === undefined ? {} : { syntax }),
      locals: list(request['locals'], ARGUMENTS_MAX).flatMap((one) => plain(object(one)['name']) ?? []),
      ...(address === undefined ? {} : fetched ? { wholeContext: true as const } : { archive: address }),
      ...(text === undefined ? {} : { text }),
    },
    whole: buildArgs.whole && labels.whole && contexts.whole,
  };
}

/** `source.infos`: the files that the frontend read. The one that is built is called as the build says. */
function dockerfileOf(extra: Json, name: string): Uint8Array | undefined {
  const infos = list(object(extra['source'])['infos'], ARGUMENTS_MAX).map(object);
  const info = infos.find(({ filename }) => filename === name) ?? infos.find(({ language }) => language === 'Dockerfile');
  const data = info?.['data'];
  return typeof data === 'string' && data.length <= (DOCKERFILE_MAX * 4) / 3 ? Buffer.from(data, 'base64') : undefined;
}

type FoundRepository = { repository: NonNullable<Provenance['repository']>; uncommitted?: boolean };

function repositoryOf(parts: Parts, recipe: BuildRecipe | undefined): FoundRepository | undefined {
  const { configSource, materials, extra } = parts;
  const configured = pinned(configSource['uri'], configSource['digest']);
  if (configured !== undefined) return { repository: configured };
  if (recipe === undefined) {
    // Of builders that are not known here the materials alone are understood: the first repository is the one that was built.
    const material = list(materials, MATERIALS_MAX).map(object);
    const [first] = material.flatMap(({ uri, digest }) => pinned(uri, digest) ?? []);
    return first === undefined ? undefined : { repository: first };
  }
  const vcs = object(extra['vcs']);
  const address = parseGitAddress(plain(vcs['source']) ?? '');
  const [, commit, dirty] = /^([0-9a-f]{40}|[0-9a-f]{64})(-dirty)?$/.exec(plain(vcs['revision']) ?? '') ?? [];
  if (address === undefined || commit === undefined || recipe.archive !== undefined) return undefined;
  const subdir = withinTree(plain(vcs['localdir:context']) ?? '');
  if (subdir === undefined) return undefined;
  const repository = { git: address.url, ref: commit, ...(subdir === '' ? {} : { subdir }) };
  return dirty === undefined ? { repository } : { repository, uncommitted: true };
}

/** A repository with the commit that its digest names. */
function pinned(uri: unknown, digests: unknown): Provenance['repository'] {
  const text = plain(uri);
  const commit = text === undefined ? undefined : gitCommit(digests, text);
  const address = text === undefined || commit === undefined ? undefined : parseGitAddress(text);
  const subdir = address === undefined ? undefined : withinTree(address.subdir ?? '');
  if (address === undefined || commit === undefined || subdir === undefined) return undefined;
  return { git: address.url, ref: commit, ...(subdir === '' ? {} : { subdir }) };
}

/** in-toto DigestSet: `gitCommit`, or `sha1`. BuildKit names commits of SHA-256 repositories `sha256`, and so the bytes of archives. */
function gitCommit(digests: unknown, uri: string): string | undefined {
  const { gitCommit: commit, sha1, sha256 } = object(digests);
  const is = (value: unknown): value is string => typeof value === 'string' && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
  if (is(commit)) return commit;
  if (is(sha1)) return sha1;
  return is(sha256) && /\.git([#?]|$)|^git[+@]/.test(uri) ? sha256 : undefined;
}

/** Package URLs of type `docker`: `pkg:docker/debian@12?platform=linux%2Famd64`. */
function imagesOf(materials: unknown): Provenance['images'] {
  return list(materials, MATERIALS_MAX).flatMap((one) => {
    const { uri, digest } = object(one);
    const [, name, version = '', qualifiers = ''] = /^pkg:docker\/([^@?#]+)(?:@([^?#]+))?(?:\?([^#]*))?$/.exec(plain(uri) ?? '') ?? [];
    const hex = object(digest)['sha256'];
    if (name === undefined || typeof hex !== 'string' || !isDigest(`sha256:${hex}`)) return [];
    try {
      const parameters = new URLSearchParams(qualifiers);
      if (parameters.has('ref_type')) return []; // a blob, no image
      const tag = decodeURIComponent(version);
      const suffix = tag === '' ? '' : tag.startsWith('sha256:') ? `@${tag}` : `:${tag}`;
      return [{ reference: formatReference(parseReference(`${decodeURIComponent(name)}${suffix}`)), digest: digestFromHex(hex) }];
    } catch {
      return [];
    }
  });
}

/** v1 has `builder.version`; BuildKit says the version of its Dockerfile frontend beside it. */
function versionsOf({ builder, environment }: Parts): Record<string, string> {
  const { values } = named(object(builder['version']), '', /^[\w./-]+$/, 20);
  const frontend = plain(environment['dockerfileVersion']);
  return frontend === undefined ? values : { ...values, dockerfile: frontend };
}

/** Members whose names begin with a prefix, without it. `whole`: none had to be left out. */
function named(from: Json, prefix: string, form: RegExp, max: number): { values: Record<string, string>; whole: boolean } {
  const there = Object.entries(from).filter(([key]) => key.startsWith(prefix));
  const fit = there.flatMap(([key, value]): [string, string][] => {
    const name = key.slice(prefix.length);
    // `__proto__` would be set on every record that is copied member by member.
    const ok = form.test(name) && name.length <= NAME_MAX && name !== '__proto__' && typeof value === 'string' && value.length <= VALUE_MAX;
    return ok ? [[name, value]] : [];
  });
  return { values: Object.fromEntries(fit.slice(0, max)), whole: fit.length === there.length && fit.length <= max };
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

function list(value: unknown, max: number): unknown[] {
  return Array.isArray(value) ? value.slice(0, max) : [];
}

/** Text on one line without anything that a reader cannot see. */
function plain(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= NAME_MAX && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value) ? value : undefined;
}
