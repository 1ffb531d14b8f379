import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

/** A publisher's own build machine: buildah with a storage of its own, and steps cached as on any developer's computer. */
export type Publisher = {
  /** Builds a folder with a Dockerfile and pushes the image. */
  publish(folder: string, reference: string, options?: PublishOptions): Promise<void>;
  /** Removes the storage. */
  close(): Promise<void>;
};

/** `args` of `buildah bud`, in place of `--layers`; `push` of `buildah push`, in place of `--format oci`. */
export type PublishOptions = { args?: readonly string[]; push?: readonly string[] };

/** Mounts and processes go with the program that made them, however it ends. */
const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

export async function makePublisher(folder: string, onLine: (line: string) => void, signal?: AbortSignal): Promise<Publisher> {
  const storage = await mkdtemp(join(folder, 'publisher-'));
  const uid = process.getuid?.() ?? 0;
  const user = uid === 0 ? [] : ['--user', '--map-root-user', '--map-auto'];
  // What buildah tells itself when it makes a user namespace: that the root it is there is none outside.
  const rootless: Record<string, string> =
    uid === 0 ? {} : { _CONTAINERS_USERNS_CONFIGURED: 'done', _CONTAINERS_ROOTLESS_UID: String(uid) };
  const env = { BUILDAH_ISOLATION: 'chroot', TMPDIR: storage, ...rootless };
  const inside = (command: string[], options: Parameters<typeof run>[2] = {}): Promise<void> =>
    run('unshare', [...user, ...NAMESPACES, '--', ...command], { env, ...options });
  const buildah = (driver: string): string[] => {
    return ['buildah', '--storage-driver', driver, '--root', join(storage, driver), '--runroot', join(storage, 'run')];
  };
  const overlays = await inside([...buildah('overlay'), 'images', '--quiet']).then(
    () => true,
    () => false,
  );
  // Copying whole file systems is slow, and works where the folder itself lies on an overlay.
  const common = buildah(overlays ? 'overlay' : 'vfs');
  const watched = { onLine, killSignal: 'SIGKILL', ...(signal === undefined ? {} : { signal }) } as const;
  return {
    async publish(context, reference, { args = ['--layers'], push = ['--format', 'oci'] } = {}) {
      const image = `localhost/${reference.replace(/^[^/]*\//, '')}`;
      await inside([...common, 'bud', ...args, '--tls-verify=false', '--tag', image, '.'], { cwd: context, ...watched });
      onLine(`pushing ${reference}`);
      await inside([...common, 'push', '--tls-verify=false', ...push, image, `docker://${reference}`], watched);
    },
    // Within the namespaces as well: for a user who is not root, the files have other owners outside.
    close: () => inside(['rm', '-rf', '--one-file-system', storage]),
  };
}
