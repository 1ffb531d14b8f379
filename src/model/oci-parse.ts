import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { baseType, CONFIG_TYPES, INDEX_TYPES, isForeignLayer, layerCompression, MANIFEST_TYPES } from './media-types.ts';
import { Descriptor, History, ImageConfig, type ImageIndex, type ImageManifest, RunConfig } from './oci.ts';

/** A document of a registry that cannot be used, and whether it breaks the specification or is merely not read here. */
export class OciFault extends Error {
  readonly kind: 'malformed' | 'unsupported';

  constructor(kind: 'malformed' | 'unsupported', detail: string) {
    super(detail);
    this.kind = kind;
  }
}

/** Layers of one image. Overlay file systems of Linux take 500 at most, Docker 127. */
const LAYERS_MAX = 500;
/** Nesting of JSON that is parsed: no document of OCI needs ten. */
const DEPTH_MAX = 64;

type Json = Record<string, unknown>;

function fail(detail: string): never {
  throw new OciFault('malformed', detail);
}

/** A JSON object in UTF-8 of bounded depth. Throws {@link OciFault}. */
export function parseObject(bytes: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return fail(`${what} is no JSON`);
  }
  checkDepth(value, DEPTH_MAX, what);
  return isObject(value) ? value : fail(`${what} is no JSON object`);
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function checkDepth(value: unknown, left: number, what: string): void {
  if (value === null || typeof value !== 'object') return;
  if (left === 0) fail(`${what} is nested too deeply`);
  for (const inner of Object.values(value)) checkDepth(inner, left - 1, what);
}

/**
 * The members of an object that are known, without those that are null. The engines are written in Go, whose JSON takes
 * `layers` and `LAYERS` for the same member: a document that relies on it would be read otherwise here, so it is refused.
 */
function known(object: Json, names: readonly string[], what: string): Json {
  const found: Json = {};
  for (const [key, value] of Object.entries(object)) {
    const name = names.find((each) => each.toLowerCase() === key.toUpperCase().toLowerCase());
    if (name === undefined) continue;
    if (name !== key) fail(`${what} has a member ${JSON.stringify(key)}, which some readers take for ${name}`);
    if (value !== null) found[key] = value;
  }
  return found;
}

function checked<T>(schema: TSchema, value: unknown, what: string): T {
  if (Value.Check(schema, value)) return value as T;
  const [error] = Value.Errors(schema, value);
  return fail(`${what}: ${error === undefined ? 'not of the form that is specified' : `${error.instancePath || '/'} ${error.message}`}`);
}

function descriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) return fail(`${what} is no object`);
  const found = known(value, Object.keys(Descriptor.properties), what);
  if (isObject(found['platform'])) found['platform'] = known(found['platform'], ['os', 'architecture', 'variant'], what);
  return checked<Descriptor>(Descriptor, found, what);
}

function descriptors(value: unknown, what: string): Descriptor[] {
  return Array.isArray(value) ? value.map((each) => descriptor(each, what)) : fail(`${what} is no list`);
}

function annotationsOf(value: unknown): { annotations?: Record<string, string> } {
  if (!isObject(value)) return {};
  return {
    annotations: Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === 'string')) as Record<string, string>,
  };
}

/**
 * An image index or an image manifest, by its media type. Throws {@link OciFault}. Types: OCI image specification 1.1,
 * manifest.md and image-index.md. `stated` is the media type of the descriptor or of the response.
 */
export function parseManifest(
  bytes: Uint8Array,
  stated: string | undefined,
): { kind: 'index'; index: ImageIndex } | { kind: 'manifest'; manifest: ImageManifest } {
  const body = parseObject(bytes, 'the manifest');
  const names = ['schemaVersion', 'mediaType', 'manifests', 'config', 'layers', 'annotations', 'artifactType', 'fsLayers'];
  const found = known(body, names, 'the manifest');
  if (found['schemaVersion'] === 1 || found['fsLayers'] !== undefined || /docker\.distribution\.manifest\.v1\+/.test(stated ?? ''))
    throw new OciFault(
      'unsupported',
      'the image has a Docker manifest of schema version 1, which is not read: push it again with a current engine',
    );
  if (found['schemaVersion'] !== 2) fail('the manifest has no schemaVersion 2');
  const inside = found['mediaType'];
  if (inside !== undefined && typeof inside !== 'string') fail('the media type of the manifest is no text');
  const outside = stated === undefined ? undefined : baseType(stated);
  // CVE-2021-41190: a document that is an index to one reader and a manifest to another.
  if (inside !== undefined && isManifestType(outside) && inside !== outside)
    fail(`the manifest says it is ${inside}, it came as ${outside}`);
  const isIndex = found['manifests'] !== undefined;
  if (isIndex && (found['config'] !== undefined || found['layers'] !== undefined)) fail('the manifest is an index and a manifest at once');
  const mediaType = inside ?? (isManifestType(outside) ? outside : isIndex ? INDEX_TYPES[0] : MANIFEST_TYPES[0]);
  const annotations = annotationsOf(found['annotations']);

  if (includes(INDEX_TYPES, mediaType)) {
    if (!isIndex) fail('the index has no manifests');
    return { kind: 'index', index: { mediaType, manifests: descriptors(found['manifests'], 'an entry of the index'), ...annotations } };
  }
  if (!includes(MANIFEST_TYPES, mediaType)) throw new OciFault('unsupported', `a document of the media type ${mediaType} is no image`);
  if (isIndex) fail('the manifest has a list of manifests');
  const config = descriptor(found['config'], 'the configuration of the manifest');
  const layers = descriptors(found['layers'], 'a layer of the manifest');
  return { kind: 'manifest', manifest: { mediaType, config, layers, ...annotations } };
}

/** Whether a manifest is one of an image that can be read. Throws {@link OciFault} otherwise. */
export function checkImageManifest({ config, layers }: ImageManifest): void {
  if (!includes(CONFIG_TYPES, config.mediaType))
    throw new OciFault('unsupported', `the manifest is not of an image: its configuration is of the media type ${config.mediaType}`);
  if (layers.length > LAYERS_MAX) throw new OciFault('unsupported', `the image has ${layers.length} layers, more than ${LAYERS_MAX}`);
  for (const { mediaType, digest } of layers) {
    if (isForeignLayer(mediaType))
      throw new OciFault('unsupported', `layer ${digest} is not distributable (${mediaType}): the registry does not have its bytes`);
    if (layerCompression(mediaType) === undefined) throw new OciFault('unsupported', `layer ${digest} is of the media type ${mediaType}`);
  }
}

/** An image configuration. Throws {@link OciFault}. OCI image specification 1.1, config.md. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const what = 'the configuration';
  const found = known(parseObject(bytes, what), Object.keys(ImageConfig.properties), what);
  if (isObject(found['config'])) found['config'] = known(found['config'], Object.keys(RunConfig.properties), what);
  if (isObject(found['rootfs'])) {
    found['rootfs'] = known(found['rootfs'], ['type', 'diff_ids'], what);
    (found['rootfs'] as Json)['diff_ids'] ??= [];
  }
  if (Array.isArray(found['history']))
    found['history'] = found['history'].map((each) =>
      isObject(each) ? known(each, Object.keys(History.properties), what) : fail(`${what}: history`),
    );
  return checked<ImageConfig>(ImageConfig, found, what);
}

function includes(types: readonly string[], type: string): boolean {
  return types.includes(type);
}

function isManifestType(type: string | undefined): type is string {
  return type !== undefined && (includes(INDEX_TYPES, type) || includes(MANIFEST_TYPES, type));
}
