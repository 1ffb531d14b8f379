/** An honest image taken apart, so that one thing in it can be changed by one layer more. */
import { layerTar, pullParts, withLayerOnTop, type ImageParts } from '../../scripts/demo/registry-image.ts';
import { changed, made, readMembers, writeMembers, type Member } from '../../scripts/demo/tar-surgery.ts';

export type OpenImage = {
  parts: ImageParts;
  /** The name of the only file or the first one that matches; throws where there is none, so that nothing is ever tampered with by accident. */
  find(pattern: RegExp): string;
  member(name: string): Member;
  text(name: string): string;
  /** The file with other text; mode and owner stay. */
  edit(name: string, change: (text: string) => string): Member;
  /** The file with some bytes changed in the middle, its size kept. */
  flip(name: string): Member;
  /** Publishes the image with these layers on top. */
  publish(tag: string, ...layers: Member[][]): Promise<void>;
  /** Publishes the image with another configuration. */
  configure(tag: string, change: (config: Record<string, unknown>) => Record<string, unknown>): Promise<void>;
};

export async function openImage(
  registry: string,
  repository: string,
  tag: string,
  push: (tag: string, parts: ImageParts) => Promise<unknown>,
): Promise<OpenImage> {
  const parts = await pullParts(registry, repository, tag);
  const members = new Map<string, Member>();
  for (const index of parts.manifest.layers.keys()) {
    for (const one of readMembers(await layerTar(registry, repository, parts, index))) members.set(one.name, one);
  }
  const member = (name: string): Member => {
    const found = members.get(name);
    if (found === undefined) throw new Error(`the image has no ${name}`);
    return found;
  };
  const text = (name: string): string => member(name).content.toString('latin1');
  return {
    parts,
    member,
    text,
    find(pattern) {
      const found = [...members.keys()].sort().find((name) => pattern.test(name));
      if (found === undefined) throw new Error(`the image has nothing like ${String(pattern)}`);
      return found;
    },
    edit(name, change) {
      const before = text(name);
      const after = change(before);
      if (after === before) throw new Error(`${name} was not changed`);
      return changed(member(name), { content: Buffer.from(after, 'latin1') });
    },
    flip(name) {
      const content = Buffer.from(member(name).content);
      const middle = content.length >> 1;
      content[middle] = (content[middle] ?? 0) ^ 0xff;
      return changed(member(name), { content });
    },
    async publish(to, ...layers) {
      let image = parts;
      for (const layer of layers)
        image = await withLayerOnTop(registry, repository, image, writeMembers(layer), { created_by: '/bin/sh -c true' });
      await push(to, image);
    },
    configure: async (to, change) => {
      await push(to, { ...parts, config: { ...parts.config, config: change(parts.config.config ?? {}) } });
    },
  };
}

export const file = (name: string, content: string | Buffer, fields: { mode?: number; uid?: number; gid?: number } = {}): Member =>
  made({ name, ...fields }, Buffer.from(content));
export const link = (name: string, target: string): Member => made({ name, type: '2', mode: 0o777, link: target });
export const hardLink = (name: string, target: string): Member => made({ name, type: '1', link: target });
export const folder = (name: string, mode = 0o755): Member => made({ name: `${name}/`, type: '5', mode });
/** OCI image specification 1.1, layer.md "Whiteouts". */
export const gone = (name: string): Member => made({ name: name.replace(/[^/]*$/, (base) => `.wh.${base}`) });
export const opaque = (name: string): Member => made({ name: `${name}/.wh..wh..opq` });
