/** Images made by unpacking packages, without dpkg and without running any of their scripts. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { made, type Member, readMembers } from '../../scripts/demo/tar-surgery.ts';

const run = promisify(execFile);
const bytesOf = async (...args: string[]): Promise<Buffer> =>
  (await run('dpkg-deb', args, { encoding: 'buffer', maxBuffer: 2 ** 30 })).stdout;

export type UnpackedDeb = {
  /** Members of control.tar. */
  controlMembers: Member[];
  name: string;
  version: string;
  architecture: string;
  control: string;
  md5sums: Buffer | undefined;
  members: Member[];
};

export async function unpackDeb(file: string): Promise<UnpackedDeb> {
  const control = readMembers(await bytesOf('--ctrl-tarfile', file));
  const text = (control.find(({ name }) => name === 'control')?.content ?? Buffer.alloc(0)).toString();
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    name: field('Package'),
    version: field('Version'),
    architecture: field('Architecture'),
    control: text,
    controlMembers: control.filter(({ type }) => type !== '5'),
    md5sums: control.find(({ name }) => name === 'md5sums')?.content,
    members: readMembers(await bytesOf('--fsys-tarfile', file)).filter(({ name }) => name !== '' && name !== '.'),
  };
}

/** Folders first, once each, as several packages have them. */
export function mergeMembers(all: readonly Member[]): Member[] {
  const folders = new Map<string, Member>();
  for (const one of all) if (one.type === '5' && !folders.has(one.name)) folders.set(one.name, one);
  const sorted = [...folders.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...sorted, ...all.filter(({ type }) => type !== '5')];
}

export const folder = (name: string, mode = 0o755, uid = 0): Member => made({ name: `${name}/`, type: '5', mode, uid, gid: uid });
export const file = (name: string, text: string | Buffer, mode = 0o644): Member => made({ name, mode }, Buffer.from(text as string));

/** The database as dpkg would have written it for these packages: status and `info/`, named by architecture where several may be there. */
export function dpkgDatabase(debs: readonly UnpackedDeb[]): Member[] {
  const stanzas = debs.map(({ control }) => `${control.trimEnd().replace('\n', '\nStatus: install ok installed\n')}\n`);
  const info = debs.flatMap(({ name, architecture, control, controlMembers, members }) => {
    const base = `var/lib/dpkg/info/${name}${/^Multi-Arch: same$/m.test(control) ? `:${architecture}` : ''}`;
    const kept = controlMembers.filter((one) => one.name !== 'control');
    return [
      file(`${base}.list`, ['/.', ...members.map((one) => `/${one.name}`), ''].join('\n')),
      ...kept.map((one) => file(`${base}.${one.name}`, one.content, /(?:inst|rm)$|^config$/.test(one.name) ? 0o755 : 0o644)),
    ];
  });
  return [folder('var/lib/dpkg/info'), file('var/lib/dpkg/status', stanzas.join('\n')), ...info];
}
