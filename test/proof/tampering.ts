import { layerTar, pullParts, pushParts, withLayer } from '../../scripts/demo/registry-image.ts';
import { changed, made, readMembers, writeMembers, type Member } from '../../scripts/demo/tar-surgery.ts';

/** One file of an image, changed in the layer that has it or put into the topmost one; everything else stays as it is. */
export type Tampering = {
  path: string | RegExp;
  change(found: Member | undefined): Member;
};

/** The file with some bytes changed in the middle, its size kept. */
export function flips(path: Tampering['path']): Tampering {
  return {
    path,
    change(found) {
      const content = Buffer.from(of(found, path).content);
      const middle = content.length >> 1;
      content[middle] = (content[middle] ?? 0) ^ 0xff;
      return changed(of(found, path), { content });
    },
  };
}

export function edits(path: Tampering['path'], edit: (text: string) => string): Tampering {
  return {
    path,
    change(found) {
      const before = of(found, path).content.toString('latin1');
      const after = edit(before);
      if (after === before) throw new Error(`${String(path)} was not changed`);
      return changed(of(found, path), { content: Buffer.from(after, 'latin1') });
    },
  };
}

/** A file that was not there. */
export function adds(path: string, content: string | Buffer, mode = 0o644): Tampering {
  return { path, change: () => made({ name: path, mode }, Buffer.from(content)) };
}

/** The same file with another mode. */
export function rights(path: string, mode: number): Tampering {
  return { path, change: (found) => changed(of(found, path), { mode }) };
}

function of(found: Member | undefined, path: Tampering['path']): Member {
  if (found === undefined) throw new Error(`the image has nothing like ${String(path)}`);
  return found;
}

/** Publishes the twin of an image under another tag; the path that was tampered with. */
export async function publishTwin(
  host: string,
  repository: string,
  tag: string,
  twin: string,
  { path, change }: Tampering,
): Promise<string> {
  const parts = await pullParts(host, repository, tag);
  const isIt = ({ name, type }: Member): boolean => type === '0' && (typeof path === 'string' ? name === path : path.test(name));
  let at = parts.manifest.layers.length;
  let members: Member[] = [];
  let found: Member | undefined;
  while (found === undefined && at > 0) {
    at -= 1;
    members = readMembers(await layerTar(host, repository, parts, at));
    found = members.find(isIt);
  }
  const after = change(found);
  if (found === undefined) {
    at = parts.manifest.layers.length - 1;
    members = readMembers(await layerTar(host, repository, parts, at));
  }
  const others = found === undefined ? [...members, after] : members.map((one) => (one === found ? after : one));
  await pushParts(host, repository, twin, await withLayer(host, repository, parts, at, writeMembers(others)));
  return `/${after.name.replace(/^(\.?\/)+/, '')}`;
}
