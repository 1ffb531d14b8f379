/**
 * The environment, parsed once into a frozen value. One table drives the parsing, `scripts/start --help` and the README,
 * so that no setting exists that is not documented.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ATTACH_FORMS } from './model/attachment.ts';
import { parseIssuers } from './model/identity.ts';
import { partyOf } from './model/rebuilders.ts';
import {
  atLeast,
  bytes,
  cidr,
  derivative,
  flag,
  forge,
  hostAndPort,
  hostName,
  instanceName,
  integer,
  list,
  mailAddress,
  mirrorAddresses,
  mirrors,
  oneOf,
  rebuilders,
  repositories,
  url,
  webhookSecrets,
} from './model/setting-text.ts';
import { Problem } from './problem.ts';

export const ROLES = ['api', 'rebuild', 'evidence', 'conclude', 'deliver'] as const;
export type Role = (typeof ROLES)[number];

type Setting<T> = {
  variable: string;
  means: string;
  /** What an unset or empty variable stands for. */
  fallback: string | undefined;
  /** How the default is shown where it is not `fallback` itself. */
  shown?: string;
  /** A value that is never printed. */
  secret?: true;
  parse: (text: string | undefined) => T;
};

/** `parse` throws an Error that says what is wrong; the variable's name is put before it. */
function setting<T>(
  variable: string,
  means: string,
  fallback: string,
  parse: (text: string) => T,
  more: Pick<Setting<T>, 'shown' | 'secret'> = {},
): Setting<T> {
  return { variable, means, fallback, parse: (text) => parse(text ?? fallback), ...more };
}

function optional<T>(
  variable: string,
  means: string,
  shown: string,
  parse: (text: string) => T,
  more: Pick<Setting<T>, 'secret'> = {},
): Setting<T | undefined> {
  return { variable, means, fallback: undefined, shown, parse: (text) => (text === undefined ? undefined : parse(text)), ...more };
}

const SETTINGS = {
  host: setting('CONFORME_HOST', 'address that the API listens on', '127.0.0.1', hostName),
  port: setting('CONFORME_PORT', 'port that the API listens on', '8080', integer(1, 65535)),
  dataDir: setting(
    'CONFORME_DATA_DIR',
    'key, database, Redis files, blobs and caches of the embedded default',
    join(homedir(), '.local/share/conforme'),
    (text) => resolve(text),
    { shown: '~/.local/share/conforme' },
  ),
  publicUrl: optional('CONFORME_PUBLIC_URL', 'address in links, badges and webhooks', 'from host and port', (text) =>
    url(['http:', 'https:'])(text).replace(/\/+$/, ''),
  ),
  redisUrl: optional('REDIS_URL', 'Redis or Valkey, in place of the embedded one', 'unset', url(['redis:', 'rediss:', 'unix:']), {
    secret: true,
  }),
  databaseUrl: optional('DATABASE_URL', 'PostgreSQL, in place of the embedded one', 'unset', url(['postgres:', 'postgresql:']), {
    secret: true,
  }),
  blobsUrl: optional('CONFORME_BLOBS_URL', 'where blobs are kept, `file:` or `s3:`', 'a folder of the data folder', url(['file:', 's3:']), {
    secret: true,
  }),
  registriesInsecure: setting('CONFORME_REGISTRIES_INSECURE', 'hosts (with port) spoken to over plain HTTP', '', list(hostAndPort), {
    shown: 'none',
  }),
  registryMirrors: setting('CONFORME_REGISTRY_MIRRORS', 'registries read from elsewhere, `docker.io=host:port,…`', '', mirrors, {
    shown: 'none',
  }),
  dockerConfig: optional(
    'DOCKER_CONFIG',
    'folder with the `config.json` that holds registry credentials',
    '~/.docker where there is one',
    (text) => resolve(text),
  ),
  allowAddresses: setting(
    'CONFORME_ALLOW_ADDRESSES',
    'private or loopback networks (CIDR) that may be reached all the same, for registry, git, archives and webhooks',
    '',
    list(cidr),
    { shown: 'none' },
  ),
  debianMirror: optional(
    'CONFORME_DEBIAN_MIRROR',
    "Debian's archive; behind a comma that of security updates, by default the first with `-security` behind it",
    "the machine's apt sources",
    mirrorAddresses,
  ),
  snapshotUrl: setting(
    'CONFORME_SNAPSHOT_URL',
    "the archive of snapshots, for packages that the mirror has no longer and for rebuilds as of the image's time; `none` for none",
    'https://snapshot.debian.org',
    (text) => (text === 'none' ? undefined : url(['http:', 'https:'])(text)),
  ),
  derivatives: setting(
    'CONFORME_DERIVATIVES',
    'derivatives to trust, `ubuntu https://host/ubuntu [/keyring.gpg] [-updates …],…`: ID of os-release, addresses, keyring, further suites',
    '',
    list(derivative),
    { shown: 'none; `/usr/share/keyrings/ID-archive-keyring.gpg -updates -security`' },
  ),
  securityTrackerUrl: optional(
    'CONFORME_SECURITY_TRACKER_URL',
    "data of Debian's security tracker, https://security-tracker.debian.org/tracker/data/json; some 80 MB an hour at most, and not signed",
    'unset: no CVE is named',
    url(['http:', 'https:']),
  ),
  rebuilders: setting(
    'CONFORME_REBUILDERS',
    'rebuilderd instances, each with its pinned Ed25519 key in base64: `https://host=key,…`; twice with two keys while it changes its key',
    '',
    rebuilders,
    { shown: 'none' },
  ),
  rebuildersRequired: setting(
    'CONFORME_REBUILDERS_REQUIRED',
    'how many rebuilders have to have reproduced a package before it counts as reproduced; those of one host are one',
    '1',
    integer(1, 100),
  ),
  buildinfosUrl: optional(
    'CONFORME_BUILDINFOS_URL',
    "pool of the records of Debian's builds, `https://…/buildinfo-pool`: claims that are shown beside the packages",
    'unset',
    (text) => url(['http:', 'https:'])(text).replace(/\/+$/, ''),
  ),
  token: optional('CONFORME_TOKEN', 'API token for POST and PUT', 'made at first start, in the data folder', atLeast(16), { secret: true }),
  open: setting('CONFORME_OPEN', '1 lets anybody POST without a token; only while the API listens on loopback', '0', flag),
  oidc: setting(
    'CONFORME_OIDC',
    'whose identity tokens may ask for verdicts, JSON: `[{"issuer": "https://…", "audience": "…", "claims": {"repository": "example/*"}}]`',
    '[]',
    parseIssuers,
    { shown: 'none; the audience is `CONFORME_PUBLIC_URL`' },
  ),
  rateLimit: setting(
    'CONFORME_RATE_LIMIT',
    'requests a minute that one address may send, a tenth of that for POST and PUT; badges and this machine are not counted, 0 is no bound',
    '600',
    integer(0, 1_000_000),
  ),
  trustedProxies: setting(
    'CONFORME_TRUSTED_PROXIES',
    'networks (CIDR) of reverse proxies, whose `X-Forwarded-For` tells the address of a caller',
    '',
    list(cidr),
    { shown: 'none' },
  ),
  webhookSecrets: optional(
    'CONFORME_WEBHOOK_SECRET',
    'secret that webhooks are signed with (Standard Webhooks, `whsec_…`); while it is replaced both, with a comma between',
    'made at first start, in the data folder',
    webhookSecrets,
    { secret: true },
  ),
  forges: setting(
    'CONFORME_FORGES',
    'forges whose commits get a status, `KIND HOST REST-ADDRESS TOKEN-FILE,…`; the kind is github or gitlab',
    '',
    list(forge),
    {
      shown: 'none',
    },
  ),
  instance: setting('CONFORME_INSTANCE', 'name of this instance in the user id of its OpenPGP key', 'local', instanceName),
  keyEmail: optional(
    'CONFORME_KEY_EMAIL',
    'mail address in the user id of the OpenPGP key, by which `gpg --locate-keys` finds it at the host of that address',
    'unset',
    mailAddress,
  ),
  attachTo: setting(
    'CONFORME_ATTACH_TO',
    'registries and repositories, `ghcr.io/example,…`, whose images get their verdicts attached; the credentials have to allow it',
    '',
    list(repositories),
    { shown: 'none' },
  ),
  attachAs: setting(
    'CONFORME_ATTACH_AS',
    "`cosign-tag` (cosign's tag and a referrer) or `bundle` (Sigstore bundles as referrers), as the image's other attestations are",
    'cosign-tag',
    oneOf(ATTACH_FORMS),
  ),
  roles: setting('CONFORME_ROLES', 'which of `api,rebuild,evidence,conclude,deliver` this process plays', ROLES.join(','), roles, {
    shown: 'all',
  }),
  rebuilds: setting(
    'CONFORME_REBUILDS',
    'rebuilds at once in one rebuild worker; each may take the memory of a build',
    '1',
    integer(1, 64),
  ),
  buildkit: optional(
    'CONFORME_BUILDKIT',
    'folder with `buildkitd` and `buildctl`, 0.30 or later, for images that BuildKit built; `none` for buildah alone',
    'from the PATH, where they are there',
    (text) => (text === 'none' ? text : resolve(text)),
  ),
  logLevel: setting('CONFORME_LOG_LEVEL', '`debug`, `info`, `warn` or `error`', 'info', oneOf(['debug', 'info', 'warn', 'error'])),
  contextBytes: setting('CONFORME_CONTEXT_BYTES', 'an uploaded build context; sources, not data sets', '512M', bytes),
  buildSeconds: setting(
    'CONFORME_BUILD_SECONDS',
    'time of a build; the usual Dockerfile takes a few minutes, compilers take longer',
    '1800',
    integer(1, 86_400),
  ),
  buildMemory: setting('CONFORME_BUILD_MEMORY', 'memory of a build; enough for a linker, less than a small machine has', '4G', bytes),
  buildDisk: setting('CONFORME_BUILD_DISK', 'disk of a build with its base image; four times a large image', '20G', bytes),
  buildProcesses: setting(
    'CONFORME_BUILD_PROCESSES',
    'processes and threads of a build; far above `make -j`, far below what stalls a machine',
    '2048',
    integer(16, 1_000_000),
  ),
  buildLogBytes: setting('CONFORME_BUILD_LOG_BYTES', 'log of a build; more is read by nobody', '16M', bytes),
} as const satisfies Record<string, Setting<unknown>>;

type Settings = typeof SETTINGS;
type Parsed = { -readonly [Name in keyof Settings]: ReturnType<Settings[Name]['parse']> };

/** Every setting; `publicUrl` is always there, without a trailing slash. */
export type Config = Readonly<Omit<Parsed, 'publicUrl'> & { publicUrl: string }>;

/** Throws `invalid-configuration`, naming the variable. */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  const parsed: Record<string, unknown> = {};
  for (const [name, { variable, parse }] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const text = environment[variable]?.trim();
    try {
      parsed[name] = parse(text === '' ? undefined : text);
    } catch (thrown) {
      throw new Problem('invalid-configuration', `${variable}: ${thrown instanceof Error ? thrown.message : 'does not parse'}`);
    }
  }
  const config = parsed as Parsed;
  if (config.open && !isLoopback(config.host))
    throw new Problem('invalid-configuration', 'CONFORME_OPEN: refused while CONFORME_HOST is not a loopback address');
  const played = new Set(config.roles);
  if (config.redisUrl === undefined && !played.has('api'))
    throw new Problem('invalid-configuration', 'REDIS_URL: a process that does not play `api` needs the Redis of the one that does');
  if (config.databaseUrl === undefined && !sameForAll([played.has('api'), played.has('conclude'), played.has('deliver')]))
    throw new Problem('invalid-configuration', 'DATABASE_URL: the embedded database is for one process that plays `api,conclude,deliver`');
  const parties = new Set(config.rebuilders.map(partyOf)).size;
  if (parties > 0 && config.rebuildersRequired > parties)
    throw new Problem(
      'invalid-configuration',
      `CONFORME_REBUILDERS_REQUIRED: only ${parties} can be asked, so that nothing would ever count`,
    );
  const publicUrl = config.publicUrl ?? `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`;
  return Object.freeze({ ...config, publicUrl });
}

/** Names with our prefix that mean nothing: a typing error nobody would notice otherwise. */
export function unknownVariables(environment: Record<string, string | undefined>): string[] {
  const known = new Set(Object.values<Setting<unknown>>(SETTINGS).map(({ variable }) => variable));
  return Object.keys(environment).filter((name) => name.startsWith('CONFORME_') && !known.has(name));
}

/** One row for each variable: what `--help` and the README show. */
export const CONFIG_TABLE: readonly { variable: string; means: string; default: string }[] = Object.values<Setting<unknown>>(SETTINGS).map(
  ({ variable, means, fallback, shown }) => ({ variable, means, default: shown ?? fallback ?? 'unset' }),
);

/** The table as text, for a terminal. */
export const CONFIG_HELP: string = CONFIG_TABLE.map(
  ({ variable, means, default: value }) => `  ${variable.padEnd(30)}${means}\n${' '.repeat(32)}default: ${value}`,
).join('\n');

/** Variables whose values are secrets. */
export const SECRET_VARIABLES: readonly string[] = Object.values<Setting<unknown>>(SETTINGS)
  .filter(({ secret }) => secret === true)
  .map(({ variable }) => variable);

// Beside our own settings: where programs and certificates are found, and what the S3 client reads by itself.
const INHERITED = /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|AWS_.*)$/;
const SHARED_WITH_CHILD: readonly string[] = ['CONFORME_BLOBS_URL', 'REDIS_URL'];

/** What the process beside untrusted builds gets of the environment: no key, no token, no database; only what is named here. */
export function childEnvironment(environment: Record<string, string | undefined>): Record<string, string | undefined> {
  const open = CONFIG_TABLE.map(({ variable }) => variable).filter((variable) => !SECRET_VARIABLES.includes(variable));
  const names = new Set([...open, ...SHARED_WITH_CHILD]);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => names.has(name) || INHERITED.test(name)));
}

function sameForAll(values: boolean[]): boolean {
  return new Set(values).size === 1;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function roles(text: string): readonly Role[] {
  const named = list(oneOf(ROLES))(text);
  if (named.length === 0) throw new Error('names no role');
  return ROLES.filter((role) => named.includes(role));
}
