import { spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createCleartextMessage, generateKey, type PrivateKey, sign } from 'openpgp';
import { type Digest, digestOf, hexOf } from '../../src/model/digest.ts';

/** A key as the archive's: its secret half, and the file that pins it. */
export type ArchiveKey = { privateKey: PrivateKey; keyring: Uint8Array };

export async function makeKey(name: string, options: { date?: Date; keyExpirationTime?: number } = {}): Promise<ArchiveKey> {
  const { privateKey, publicKey } = await generateKey({ type: 'ecc', userIDs: [{ name }], format: 'object', ...options });
  return { privateKey, keyring: publicKey.write() };
}

export type DebSource = {
  name: string;
  version?: string;
  architecture?: string;
  /** Further lines of the control file. */
  control?: string;
  /** Contents by path; `mode` and links where they matter. */
  files?: Record<string, string | { text: string; mode: number } | { link: string } | { hardLink: string }>;
  /** Members of control.tar: maintainer scripts, conffiles … */
  members?: Record<string, string>;
  compression?: 'xz' | 'gzip' | 'zstd' | 'none';
};

/** A .deb, and what its control file says. */
export type Deb = { name: string; stanza: string; bytes: Buffer; /** For Contents indexes. */ architecture?: string; paths?: string[] };

/** Builds a .deb with dpkg-deb, owned by root. */
export async function makeDeb(source: DebSource): Promise<Deb> {
  const { name, version = '1', architecture = 'all', control = '', files = {}, members = {}, compression = 'xz' } = source;
  const folder = await mkdtemp(join(tmpdir(), 'conforme-deb-'));
  try {
    const tree = join(folder, 'tree');
    await mkdir(join(tree, 'DEBIAN'), { recursive: true, mode: 0o755 });
    const fields = `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}\nMaintainer: Test <test@example.org>\nDescription: test\n`;
    await writeFile(join(tree, 'DEBIAN/control'), `${fields}${control}`);
    for (const [member, text] of Object.entries(members))
      await writeFile(join(tree, 'DEBIAN', member), text, { mode: /inst$|rm$/.test(member) ? 0o755 : 0o644 });
    let script = 'umask 022; ';
    for (const [path, file] of Object.entries(files)) {
      const place = join(tree, path);
      await mkdir(dirname(place), { recursive: true });
      if (typeof file === 'string') await writeFile(place, file);
      else if ('text' in file) {
        await writeFile(place, file.text);
        script += `chmod ${file.mode.toString(8)} '${place}'; `;
      } else script += 'link' in file ? `ln -s '${file.link}' '${place}'; ` : `ln '${join(tree, file.hardLink)}' '${place}'; `;
    }
    const build = `${script}find '${tree}' -type d -exec chmod 755 {} +; dpkg-deb --root-owner-group -Z${compression} --build tree made.deb`;
    const { status, stderr } = spawnSync('sh', ['-ec', build], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const stanza = spawnSync('dpkg-deb', ['--field', 'made.deb'], { cwd: folder, encoding: 'utf8' }).stdout.trimEnd();
    return { name, architecture, stanza, bytes: await readFile(join(folder, 'made.deb')), paths: Object.keys(files) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

export type SuiteOptions = {
  suite?: string;
  codename?: string;
  origin?: string;
  label?: string;
  date?: Date;
  validUntil?: Date;
  byHash?: boolean;
  /** When it is signed; now, where a key is not past its time. */
  signedAt?: Date;
  /** Who signs; several keys sign side by side. */
  keys: ArchiveKey[];
  debs?: Deb[];
  components?: string;
  /** With indexes of which package holds which path. */
  contents?: boolean;
  /** Where `dists/` and `pool/` are served. */
  base?: string;
};

/** A repository in memory, served on loopback. Tests change what lies at a path to attack it. */
export class LocalArchive {
  readonly files = new Map<string, Buffer>();
  readonly requests: string[] = [];
  /** Answers instead of the files, where it returns something. */
  interfere: (path: string, request: IncomingMessage) => { status: number; body?: Buffer; headers?: Record<string, string> } | undefined =
    () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      const path = decodeURIComponent(request.url ?? '');
      this.requests.push(path);
      const answer = this.interfere(path, request);
      const body = answer === undefined ? this.files.get(path) : answer.body;
      response.writeHead(answer?.status ?? (body === undefined ? 404 : 200), answer?.headers).end(body);
    });
  }

  /** An address of loopback other than the usual one is asked for through a proxy, too. */
  static async start(host = '127.0.0.1'): Promise<LocalArchive> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return new LocalArchive(server);
  }

  get origin(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  get address(): string {
    return `${this.origin}/debian`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Puts .debs into the pool and signs an index of them as a suite. */
  async publish({ suite = 'bookworm', debs = [], base = '/debian', ...options }: SuiteOptions): Promise<void> {
    const stanzas = debs.map(({ name, stanza, bytes }) => {
      const path = `pool/main/${name[0]}/${name}/${name}_${hexOf(digestOf(bytes)).slice(0, 8)}.deb`;
      this.files.set(`${base}/${path}`, bytes);
      return `${stanza}\nFilename: ${path}\nSize: ${bytes.length}\nSHA256: ${hexOf(digestOf(bytes))}\n`;
    });
    const plain = stanzas.join('\n');
    const packages = spawnSync('xz', ['-c'], { input: plain }).stdout;
    const index = 'main/binary-amd64/Packages.xz';
    this.files.set(`${base}/dists/${suite}/${index}`, packages);
    this.files.set(`${base}/dists/${suite}/main/binary-amd64/by-hash/SHA256/${hexOf(digestOf(packages))}`, packages);
    const named = [
      { path: index, digest: digestOf(packages), size: packages.length },
      // Served compressed alone; apt passes over what has no such line.
      { path: index.replace('.xz', ''), digest: digestOf(plain), size: Buffer.byteLength(plain) },
    ];
    for (const architecture of options.contents === true ? ['amd64', 'all'] : []) {
      const of = debs.filter((deb) => deb.architecture === architecture);
      const lines = of.flatMap(({ name, paths = [] }) => paths.map((path) => `${path.padEnd(60)} misc/${name}\n`)).sort();
      const bytes = gzipSync(lines.join(''));
      const path = `main/Contents-${architecture}.gz`;
      this.files.set(`${base}/dists/${suite}/${path}`, bytes);
      this.files.set(`${base}/dists/${suite}/main/by-hash/SHA256/${hexOf(digestOf(bytes))}`, bytes);
      named.push({ path, digest: digestOf(bytes), size: bytes.length });
    }
    const text = releaseText({ suite, ...options }, named);
    this.files.set(`${base}/dists/${suite}/InRelease`, await clearSign(text, options.keys, options.signedAt));
  }
}

export function releaseText(options: Omit<SuiteOptions, 'keys' | 'debs'>, files: { path: string; digest: Digest; size: number }[]): string {
  const {
    suite = 'bookworm',
    codename = suite,
    origin = 'Debian',
    label = 'Debian',
    date = new Date(),
    validUntil,
    byHash = true,
    components = 'main',
  } = options;
  return [
    `Origin: ${origin}`,
    `Label: ${label}`,
    `Suite: ${suite}`,
    `Codename: ${codename}`,
    `Date: ${date.toUTCString().replace('GMT', 'UTC')}`,
    ...(validUntil === undefined ? [] : [`Valid-Until: ${validUntil.toUTCString().replace('GMT', 'UTC')}`]),
    ...(byHash ? ['Acquire-By-Hash: yes'] : []),
    'Architectures: all amd64',
    `Components: ${components}`,
    'SHA256:',
    ...files.map(({ path, digest, size }) => ` ${hexOf(digest)} ${size} ${path}`),
    '',
  ].join('\n');
}

export async function clearSign(text: string, keys: readonly ArchiveKey[], date = new Date()): Promise<Buffer> {
  const message = await createCleartextMessage({ text });
  return Buffer.from(await sign({ message, signingKeys: keys.map(({ privateKey }) => privateKey), date }));
}
