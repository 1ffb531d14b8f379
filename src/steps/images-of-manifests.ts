import { isScalar, parseAllDocuments, visit } from 'yaml';
import { interpolate, UnsetVariable } from './interpolate.ts';

/** What is wrong with a file, in words for whoever wrote it. */
export class ManifestError extends Error {}

export type ManifestFile = { name: string; text: string };
export type ManifestImage = { image: string; platform?: string; usedBy: string[] };
export type Manifests = {
  /** Each once, in the order in which they are named. */
  images: ManifestImage[];
  /** What runs and has no published image that could be asked about, and why. */
  untold: { usedBy: string; why: string }[];
};

const TEXT_MAX = 512 * 1024; // characters; a manifest of a hundred workloads has a fifth of it, and the parser takes seconds for the worst
const IMAGES_MAX = 100;
const ALIASES_MAX = 100; // an alias of aliases multiplies: "billion laughs"
const DEPTH_MAX = 100;

/**
 * The images of Compose files (https://compose-spec.io) and Kubernetes manifests. Variables of a Compose file are replaced from `environment`; one
 * that is neither set nor has a default is an error, because what runs would be another image. In a manifest every list of containers
 * counts, whatever kind it is in, so that no kind has to be known. Throws {@link ManifestError}.
 */
export function imagesOfManifests(files: readonly ManifestFile[], environment: Readonly<Record<string, string | undefined>>): Manifests {
  const images = new Map<string, ManifestImage>();
  const untold: Manifests['untold'] = [];
  const services = new Map<string, { image: boolean; why: string }>();
  const add = (image: string, usedBy: string, platform?: string): void => {
    const key = JSON.stringify([image, platform]);
    const known = images.get(key) ?? { image, usedBy: [], ...(platform === undefined ? {} : { platform }) };
    images.set(key, known);
    if (!known.usedBy.includes(usedBy)) known.usedBy.push(usedBy);
    if (images.size > IMAGES_MAX) throw new ManifestError(`more than ${IMAGES_MAX} images`);
  };

  for (const { name, text } of files) {
    for (const document of documentsOf(name, text)) {
      if (isRecord(document) && typeof document['kind'] === 'string' && 'apiVersion' in document) {
        for (const { image, usedBy } of containersOf(document, '')) add(image, usedBy);
      } else if (isRecord(document) && isRecord(document['services'])) {
        if ('include' in document) untold.push({ usedBy: 'include', why: 'other files are included; name them with -f as well' });
        for (const [service, value] of Object.entries(document['services'])) {
          const { image, platform, why } = serviceOf(`${name}: ${service}`, value, environment);
          if (image !== undefined) add(image, service, platform);
          if (services.get(service)?.image !== true) services.set(service, { image: image !== undefined, why });
        }
      } else throw new ManifestError(`${name} is neither a Compose file nor a Kubernetes manifest`);
    }
  }
  // A file that changes a service of another one need not name its image again.
  for (const [service, { image, why }] of services) if (!image) untold.push({ usedBy: service, why });
  if (images.size === 0 && untold.length === 0) throw new ManifestError('no image is named');
  return { images: [...images.values()], untold };
}

function documentsOf(name: string, text: string): unknown[] {
  if (text.length > TEXT_MAX) throw new ManifestError(`${name} is larger than ${TEXT_MAX} characters`);
  try {
    // That a key is there once is looked at below: the parser takes the square of the time for it.
    const parsed = parseAllDocuments(text, { merge: true, uniqueKeys: false, logLevel: 'silent' });
    const documents = 'empty' in parsed ? [] : parsed;
    return documents.flatMap((document): unknown[] => {
      const [fault] = document.errors;
      if (fault !== undefined) throw new ManifestError(`${name}: ${fault.message.split('\n', 1)[0]}`);
      visit(document, {
        Map(_key, map) {
          const seen = new Set<unknown>();
          for (const { key } of map.items) {
            const value = isScalar(key) ? key.value : key;
            if (seen.has(value) && value !== '<<') throw new ManifestError(`${name}: the key ${String(value)} is there twice`);
            seen.add(value);
          }
        },
      });
      const empty = document.contents === null || (isScalar(document.contents) && document.contents.value === null);
      return empty ? [] : [document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown];
    });
  } catch (thrown) {
    if (thrown instanceof ManifestError) throw thrown;
    // A stack that overflows, an alias of itself, more aliases than are followed.
    throw new ManifestError(`${name}: ${thrown instanceof RangeError ? 'nested too deep' : (thrown as Error).message.split('\n', 1)[0]}`, {
      cause: thrown,
    });
  }
}

type Service = { image?: string; platform?: string; why: string };

function serviceOf(where: string, value: unknown, environment: Readonly<Record<string, string | undefined>>): Service {
  const service = isRecord(value) ? value : {};
  const text = (key: string): string | undefined => {
    const given = service[key];
    if (given === undefined || given === null) return undefined;
    if (typeof given !== 'string') throw new ManifestError(`${where}: ${key} is no text`);
    try {
      return interpolate(given, environment);
    } catch (thrown) {
      if (thrown instanceof UnsetVariable) throw new ManifestError(`${where}: ${thrown.message}`, { cause: thrown });
      throw thrown;
    }
  };
  const image = text('image');
  const platform = text('platform');
  const why = 'build' in service ? 'it is built here and has no published image' : 'it names no image';
  return { why, ...(image === undefined ? {} : { image }), ...(platform === undefined ? {} : { platform }) };
}

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'];

function* containersOf(
  value: unknown,
  owner: string,
  depth = 0,
  seen: Set<object> = new Set(),
): Generator<{ image: string; usedBy: string }> {
  // What an alias names is one object, and read once.
  if (value === null || typeof value !== 'object' || seen.has(value)) return;
  if (depth > DEPTH_MAX) throw new ManifestError('nested too deep');
  seen.add(value);
  if (Array.isArray(value)) {
    for (const item of value) yield* containersOf(item, owner, depth + 1, seen);
    return;
  }
  const record = value as Record<string, unknown>;
  const { kind, metadata } = record;
  const name = isRecord(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : undefined;
  const inside = typeof kind === 'string' && 'apiVersion' in record && name !== undefined ? `${kind}/${name}` : owner;
  for (const key of CONTAINERS)
    for (const container of listOf(record[key]))
      if (isRecord(container) && typeof container['image'] === 'string')
        yield { image: container['image'], usedBy: [inside, textOf(container['name'])].filter((part) => part !== '').join(' ') };
  // https://kubernetes.io/docs/concepts/storage/volumes/#image
  for (const volume of listOf(record['volumes']))
    if (isRecord(volume) && isRecord(volume['image']) && typeof volume['image']['reference'] === 'string')
      yield { image: volume['image']['reference'], usedBy: `${inside} volume ${textOf(volume['name'])}`.trim() };
  for (const child of Object.values(record)) yield* containersOf(child, inside, depth + 1, seen);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);
