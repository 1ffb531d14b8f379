import { type Deb, LocalArchive, type SuiteOptions } from './debian-archive.ts';

/** An archive of snapshots on loopback, in the layout of Debian's: times that lie between are redirected, and files have a first time. */
export class SnapshotArchive {
  readonly archive: LocalArchive;
  readonly #times = new Set<string>();

  private constructor(archive: LocalArchive) {
    this.archive = archive;
    this.archive.interfere = (path) => this.redirect(path);
  }

  static async start(): Promise<SnapshotArchive> {
    return new SnapshotArchive(await LocalArchive.start());
  }

  get url(): string {
    return this.archive.origin;
  }

  get requests(): string[] {
    return this.archive.requests;
  }

  reset(): void {
    this.archive.files.clear();
    this.archive.requests.length = 0;
    this.#times.clear();
    this.archive.interfere = (path) => this.redirect(path);
  }

  /** A time between two snapshots leads to the one before. */
  redirect(path: string): { status: number; headers?: Record<string, string> } | undefined {
    const [, archive, time = '', rest] = /^\/archive\/([a-z-]+)\/(\d{8}T\d{6}Z)\/(.*)$/.exec(path) ?? [];
    if (archive === undefined || this.#times.has(`${archive} ${time}`)) return undefined;
    const before = [...this.#times].filter((one) => one.startsWith(`${archive} `) && one < `${archive} ${time}`).sort().at(-1); // prettier-ignore
    if (before === undefined) return { status: 404 };
    return { status: 302, headers: { location: `/archive/${before.replace(' ', '/')}/${rest ?? ''}` } };
  }

  /** A suite as it was at a time, signed then. */
  async publish(time: string, options: SuiteOptions, archive: 'debian' | 'debian-security' = 'debian'): Promise<void> {
    this.#times.add(`${archive} ${time}`);
    await this.archive.publish({ ...options, base: `/archive/${archive}/${time}` });
  }

  /** What the API for programs says of the .debs of a version. */
  sawFirst({ name }: Deb, version: string, architecture: string, time: string, archive = 'debian'): void {
    const hash = Buffer.from(`${name} ${version}`).toString('hex').padEnd(40, '0').slice(0, 40);
    const fileinfo = { [hash]: [{ archive_name: archive, first_seen: time, name: 'x.deb', path: '/pool', size: 1 }] };
    const answer = { result: [{ hash, architecture }], fileinfo };
    this.archive.files.set('/mr/binary/dpkg/', Buffer.from('{"result":[{"binary_version":"1.21.22"}]}'));
    this.archive.files.set(`/mr/binary/${name}/${version}/binfiles?fileinfo=1`, Buffer.from(JSON.stringify(answer)));
  }

  stop(): Promise<void> {
    return this.archive.stop();
  }
}
