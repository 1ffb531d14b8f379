/** A small honest Debian image with everything `judge` needs; tests change one thing in it. */
import type { NewerVersion } from '../../src/model/debian.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import type { Download } from '../../src/model/download.ts';
import type { Anomaly, Contents, HiddenEntry, Inventory } from '../../src/model/inventory.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { RunConfig } from '../../src/model/oci.ts';
import type { Rebuild, SourceTree } from '../../src/model/rebuild.ts';
import type { JudgeInputs } from '../../src/steps/judge.ts';
import { type FileSpec, imageOf, listOf, packageOf, type PackageSpec } from './packaged-image.ts';

export type Files = Record<string, FileSpec>;

const program = (text: string): FileSpec => ({ text, mode: 0o755, magic: 'elf' });
const script = (text: string): FileSpec => ({ text, mode: 0o755, magic: 'script' });
const dirs = (...paths: string[]): Files => Object.fromEntries(paths.map((path) => [path, { dir: true }]));

export const PACKAGES: PackageSpec[] = [
  {
    name: 'base-files',
    files: {
      ...dirs(
        '/bin',
        '/etc',
        '/etc/apt',
        '/etc/cron.d',
        '/etc/pam.d',
        '/usr',
        '/usr/bin',
        '/usr/sbin',
        '/usr/lib',
        '/usr/share',
        '/var',
        '/var/log',
        '/var/lib',
        '/srv',
        '/root',
        '/tmp',
      ),
      '/tmp': { dir: true, mode: 0o1777 },
    },
  },
  {
    name: 'nginx',
    version: '1.22.1-9',
    files: {
      '/usr/sbin/nginx': program('nginx'),
      '/usr/lib/nginx/mod.so': { text: 'module', magic: 'elf' },
      '/usr/share/nginx/html/index.html': '<h1>Welcome</h1>',
      '/usr/bin/nginx-debug': { link: '../sbin/nginx' },
      '/etc/nginx/nginx.conf': 'user www-data;\n',
      '/etc/cron.d/nginx': '# nothing\n',
    },
    conffiles: ['/etc/nginx/nginx.conf', '/etc/cron.d/nginx'],
    scripts: { postinst: '#!/bin/sh\nexit 0\n' },
    members: { md5sums: 'd41d8cd9  usr/sbin/nginx\n' },
  },
  {
    name: 'passwd',
    files: { '/usr/bin/su': { text: 'su', mode: 0o4755, magic: 'elf' }, '/usr/bin/crontab': program('crontab') },
  },
  { name: 'python3', files: { '/usr/lib/python3/dist-packages/m.py': 'print(1)\n', '/usr/bin/python3': program('python') } },
];

export const PASSWD =
  'root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n_apt:x:100:65534::/nonexistent:/usr/sbin/nologin\n';
export const SHADOW = 'root:*:20000:0:99999:7:::\nwww-data:*:20000:0:99999:7:::\n_apt:!:20000::::::\n';
export const GROUP = 'root:x:0:\nadm:x:4:\nsudo:x:27:\nwww-data:x:33:\ncrontab:x:101:\n';

/** What maintainer scripts of the packages make. `crontab` gets its group by one. */
const GENERATED: Files = {
  '/': { dir: true },
  '/etc/passwd': PASSWD,
  '/etc/shadow': { text: SHADOW, mode: 0o640, gid: 42 },
  '/etc/group': GROUP,
  '/etc/ld.so.cache': 'ld.so-1.7.0 cache',
  '/etc/alternatives': { dir: true },
  '/etc/alternatives/web': { link: '/usr/sbin/nginx' },
  '/etc/pam.d/common-auth': 'auth required pam_unix.so\n',
  '/usr/lib/python3/dist-packages/__pycache__': { dir: true },
  '/usr/lib/python3/dist-packages/__pycache__/m.cpython-311.pyc': { text: 'compiled m', magic: 'pyc' },
  '/usr/bin/crontab': { text: 'crontab', mode: 0o2755, gid: 101, magic: 'elf' },
  '/var/lib/dpkg': { dir: true },
  '/var/lib/dpkg/status': 'Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9\n',
};

const SOURCE = {
  'page.html': '<h1>Mine</h1>',
  'run.sh': '#!/bin/sh\nexec nginx\n',
  Dockerfile: 'FROM base\nCOPY page.html /srv/\nCOPY run.sh /usr/local/bin/\n',
};

const log = (time: string): string => `2026-01-0${time} 10:00:00 install nginx:amd64 <none> 1.22.1-9\n`;

/** What the Dockerfile adds, and what no two builds have in common. */
const added = (day: string): Files => ({
  '/srv/page.html': SOURCE['page.html'],
  '/usr/local': { dir: true },
  '/usr/local/bin': { dir: true },
  '/usr/local/bin/run.sh': script(SOURCE['run.sh']),
  '/etc/apt/sources.list': 'deb http://mirror.example/debian bookworm main\n',
  '/var/log/dpkg.log': log(day),
});

function packagedFiles(): Files {
  const files: Files = {
    ...dirs(
      '/var/lib/dpkg/info',
      '/usr/lib/nginx',
      '/usr/share/nginx',
      '/usr/share/nginx/html',
      '/etc/nginx',
      '/usr/lib/python3',
      '/usr/lib/python3/dist-packages',
    ),
  };
  for (const spec of PACKAGES) {
    Object.assign(files, spec.files);
    files[`/var/lib/dpkg/info/${spec.name}.list`] = listOf(spec);
    for (const [member, text] of Object.entries(spec.members ?? {})) files[`/var/lib/dpkg/info/${spec.name}.${member}`] = text;
    for (const [member, text] of Object.entries(spec.scripts ?? {}))
      files[`/var/lib/dpkg/info/${spec.name}.${member}`] = { text, mode: 0o755, magic: 'script' };
  }
  return files;
}

export const honest = (day = '1'): Files => ({ ...packagedFiles(), ...GENERATED, ...added(day) });
export const reinstalledFiles = (): Files => ({ ...packagedFiles(), ...GENERATED });

export const CONFIG: RunConfig = {
  Env: ['PATH=/usr/sbin:/usr/bin'],
  Entrypoint: ['/usr/local/bin/run.sh'],
  Cmd: ['-g'],
  User: '',
  Labels: { app: 'web' },
};

export type Setting = {
  published?: Files;
  /** `false` for an image that was not rebuilt. */
  rebuilt?: Files | false;
  /** What a second rebuild under other conditions made; none by default. */
  rebuiltAgain?: Files;
  /** How many of the layers of the rebuild are its base's. */
  baseLayers?: number;
  reinstalled?: Files | false;
  packages?: PackageSpec[];
  unverified?: string[];
  /** By the name of the package. */
  newer?: Record<string, NewerVersion[]>;
  config?: RunConfig;
  rebuiltConfig?: RunConfig;
  hidden?: HiddenEntry[];
  anomalies?: Anomaly[];
  history?: { path: string; text: string; commit: string }[];
  source?: Record<string, string> | false;
  rebuild?: Partial<Rebuild>;
  downloads?: Download[];
  /** The same manifest on both sides. */
  sameManifest?: boolean;
  /** diffIDs of the two sides; equal by default never. */
  layers?: [string, string];
};

/** Changes are laid over the honest files; a path with `undefined` is taken away. */
export function change(files: Files, changes: Record<string, FileSpec | undefined>): Files {
  const all = Object.entries({ ...files, ...changes });
  return Object.fromEntries(all.filter((one): one is [string, FileSpec] => one[1] !== undefined));
}

function imageSide(
  files: Files,
  name: string,
  setting: Setting,
  config: RunConfig | undefined,
  layer: string,
): { inventory: Inventory; contents: Contents } {
  const { inventory, contents } = imageOf(files);
  const diffId = digestOf(layer);
  inventory.manifestDigest = digestOf(setting.sameManifest === true ? 'manifest' : `manifest of ${name}`);
  inventory.layers = [{ digest: digestOf(`packed ${layer}`), diffId, mediaType: '', size: 1, uncompressedSize: 1, entries: 1 }];
  inventory.config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] }, config: config ?? CONFIG };
  return { inventory, contents };
}

export function judgeInputs(setting: Setting = {}): JudgeInputs {
  const { packages = PACKAGES, unverified = [], source = SOURCE, history = [] } = setting;
  const [publishedLayer, rebuiltLayer] = setting.layers ?? ['published', 'rebuilt'];
  const published = imageSide(setting.published ?? honest(), 'published', setting, setting.config, publishedLayer);
  if (setting.hidden !== undefined) published.inventory.hidden = setting.hidden;
  if (setting.anomalies !== undefined) published.inventory.anomalies = setting.anomalies;
  const rebuilt =
    setting.rebuilt === false
      ? undefined
      : imageSide(setting.rebuilt ?? honest('2'), 'rebuilt', setting, setting.rebuiltConfig ?? CONFIG, rebuiltLayer);
  const again =
    setting.rebuiltAgain === undefined ? undefined : imageSide(setting.rebuiltAgain, 'second rebuild', setting, CONFIG, 'again');
  const conditions = { startedAt: '2026-01-02T09:59:00.000Z', hostName: 'localhost', processors: 2, storage: 'memory' as const };
  const reinstalled = setting.reinstalled === false ? undefined : imageOf(setting.reinstalled ?? reinstalledFiles());
  const verified = packages.map((spec) => ({ ...packageOf(spec), spec }));
  const commit = 'c'.repeat(40);
  const tree: SourceTree | undefined =
    source === false
      ? undefined
      : {
          source: { location: { kind: 'git', url: 'https://git.example/web.git', commit }, evidence: 'request' },
          files: Object.entries(source).map(([path, text]) => ({
            path,
            size: text.length,
            digest: digestOf(text),
            executable: path.endsWith('.sh'),
          })),
          history: history.map(({ path, text, commit: other }) => ({ path, digest: digestOf(text), commit: other })),
          historyComplete: true,
        };
  const rebuild: Rebuild = {
    resolvedDependencies: [],
    finishedAt: '2026-01-02T10:00:00.000Z',
    ...(tree === undefined ? {} : { source: tree.source }),
    outcome:
      rebuilt === undefined
        ? {
            status: 'not-comparable',
            reason: source === false ? 'no-source' : 'build-failed',
            detail: 'RUN false ended with status 1',
            lastLog: source === false ? [] : ['STEP 2', 'error: no'],
          }
        : {
            status: 'built',
            inventory: digestOf('inventory'),
            manifestDigest: rebuilt.inventory.manifestDigest,
            ...(setting.baseLayers === undefined ? {} : { baseLayers: setting.baseLayers }),
          },
    ...(again === undefined
      ? {}
      : {
          conditions,
          second: {
            status: 'built',
            conditions: { startedAt: '2026-01-02T09:59:30.000Z', hostName: 'rebuild', processors: 1, storage: 'disk' },
            inventory: digestOf('second inventory'),
            manifestDigest: again.inventory.manifestDigest,
            log: digestOf('second log'),
            resolvedDependencies: [],
          },
        }),
    ...setting.rebuild,
  };
  const suite = {
    id: 'debian bookworm',
    origin: 'Debian',
    suite: 'oldstable',
    codename: 'bookworm',
    date: '2026-01-01T00:00:00.000Z',
    inRelease: digestOf('InRelease'),
    signers: ['A'.repeat(40)],
  };
  return {
    image: {
      reference: 'registry.example:5000/team/web:1.0',
      digest: digestOf('index'),
      manifestDigest: published.inventory.manifestDigest,
      platform: { os: 'linux', architecture: 'amd64' },
    },
    published: published.inventory,
    publishedContents: published.contents,
    rebuild,
    ...(setting.downloads === undefined ? {} : { downloads: setting.downloads }),
    evidence: {
      applies: packages.length > 0,
      archives: [suite],
      gatheredAt: '2026-01-02T09:00:00.000Z',
      packages: verified.map(({ evidence: plain, contents }) => {
        const newer = setting.newer?.[plain.name];
        const evidence = newer === undefined ? plain : { ...plain, newer };
        return unverified.includes(evidence.name)
          ? { ...evidence, status: 'unverified-version' }
          : {
              ...evidence,
              chain: {
                archive: suite.id,
                component: 'main',
                packages: digestOf('Packages'),
                deb: contents.deb,
                size: 1,
                path: 'pool/x.deb',
                contents: digestOf(canonicalJson(contents)),
              },
            };
      }),
    },
    debContents: new Map(verified.map(({ contents }) => [contents.deb, contents] as const)),
    ...(rebuilt === undefined ? {} : { rebuilt: rebuilt.inventory, rebuiltContents: rebuilt.contents }),
    ...(again === undefined ? {} : { rebuiltAgain: again.inventory, rebuiltAgainContents: again.contents }),
    ...(reinstalled === undefined ? {} : { reinstalled: reinstalled.inventory, reinstalledContents: reinstalled.contents }),
    ...(tree === undefined ? {} : { sourceTree: tree }),
  };
}

export const byproducts = {
  published: digestOf('p'),
  rebuild: digestOf('r'),
  evidence: digestOf('e'),
  account: digestOf('a'),
  differences: digestOf('d'),
} satisfies Record<string, Digest>;
