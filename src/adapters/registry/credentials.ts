import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';

export type Credential = { username: string; password: string } | { identityToken: string } | { registryToken: string };

/** Credentials by registry as references name it (`docker.io`, `ghcr.io`, `localhost:5000`), and what was left out. */
export type Credentials = { byRegistry: ReadonlyMap<string, Credential>; notes: string[] };

export const NO_CREDENTIALS: Credentials = { byRegistry: new Map(), notes: [] };

/** The `config.json` of a folder such as `~/.docker`; none where there is no such file. Throws `invalid-configuration`. */
export function readDockerConfig(folder: string): Credentials {
  let text: string;
  try {
    text = readFileSync(join(folder, 'config.json'), 'utf8');
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return NO_CREDENTIALS;
    throw new Problem('invalid-configuration', `Docker's config.json in ${folder} cannot be read`, { cause });
  }
  return parseDockerConfig(text);
}

/**
 * Parses a Docker `config.json`. Throws `invalid-configuration`. Credential helpers are programs, which this service does not
 * run: they are named in `notes`. https://docs.docker.com/reference/cli/docker/login/
 */
export function parseDockerConfig(text: string): Credentials {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new Problem('invalid-configuration', "Docker's config.json is no JSON", { cause });
  }
  if (!isObject(config)) throw new Problem('invalid-configuration', "Docker's config.json is no object");
  const byRegistry = new Map<string, Credential>();
  const notes: string[] = [];
  for (const [key, entry] of Object.entries(isObject(config['auths']) ? config['auths'] : {})) {
    const registry = registryOf(key);
    const credential = isObject(entry) ? credentialOf(entry) : undefined;
    if (credential !== undefined) byRegistry.set(registry, credential);
    else notes.push(`${registry}: no password and no token in config.json`);
  }
  const helpers = isObject(config['credHelpers']) ? Object.keys(config['credHelpers']) : [];
  for (const registry of helpers) notes.push(`${registryOf(registry)}: its credential helper is not run`);
  if (typeof config['credsStore'] === 'string') notes.push(`the credential store ${JSON.stringify(config['credsStore'])} is not asked`);
  return { byRegistry, notes };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Keys are host names, or addresses such as `https://index.docker.io/v1/`. */
function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/')[0] ?? key;
  return /^(index|registry-1)\.docker\.io$/.test(host) ? 'docker.io' : host;
}

function credentialOf(entry: Record<string, unknown>): Credential | undefined {
  const text = (key: string) => (typeof entry[key] === 'string' && entry[key] !== '' ? entry[key] : undefined);
  const identityToken = text('identitytoken');
  if (identityToken !== undefined) return { identityToken };
  const registryToken = text('registrytoken');
  if (registryToken !== undefined) return { registryToken };
  const [username, password] = [text('username'), text('password')];
  if (username !== undefined && password !== undefined) return { username, password };
  const auth = Buffer.from(text('auth') ?? '', 'base64').toString();
  const colon = auth.indexOf(':');
  return colon <= 0 ? undefined : { username: auth.slice(0, colon), password: auth.slice(colon + 1).replace(/\0+$/, '') };
}
