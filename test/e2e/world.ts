/** What the end-to-end tests stand on: the service as its user starts it, a registry, and a small image with its source. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VerificationView } from '../../api/schemas.ts';
import { digestOf, type Digest } from '../../src/model/digest.ts';
import type { VerificationRequest } from '../../src/model/request.ts';
import { makePublisher } from '../../scripts/demo/publisher.ts';
import { layerTar, pullParts, pushParts, withLayer, type ImageParts } from '../../scripts/demo/registry-image.ts';
import { readMembers, writeMembers, type Member } from '../../scripts/demo/tar-surgery.ts';
import { startService, type Service } from '../../scripts/demo/service.ts';
import { freePort } from '../support/ports.ts';
import { TestRepository, type Files } from '../support/repository.ts';
import { member, tar } from '../support/tar.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Kept between runs, beside what npm keeps there. */
export const CACHE = join(ROOT, 'node_modules/.cache/conforme-e2e');

export type Started = Service & { dataDir: string; token: string };

/** Starts the service with `scripts/start` and a data folder of its own, as somebody who has never started it. */
export async function startAsUser(folder: string, registry: string, env: Record<string, string> = {}): Promise<Started> {
  const dataDir = join(folder, 'data');
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const token = (): string => readFileSync(join(dataDir, 'token'), 'utf8').trim();
  const service = await startService({
    command: [join(ROOT, 'scripts/start'), '--port', String(port)],
    url: `http://127.0.0.1:${port}`,
    logFile: join(folder, 'service.log'),
    token,
    env: {
      CONFORME_DATA_DIR: dataDir,
      CONFORME_ALLOW_ADDRESSES: '127.0.0.0/8',
      CONFORME_REGISTRIES_INSECURE: registry,
      CONFORME_SNAPSHOT_URL: 'none',
      ...env,
    },
  });
  return { ...service, dataDir, token: token() };
}

/** Waits for a verification to end; `onView` sees it as it goes. */
export async function ended(service: Service, id: string, onView?: (view: VerificationView) => void): Promise<VerificationView> {
  for (;;) {
    const view = await service.get(id);
    onView?.(view);
    if (view.status === 'done' || view.status === 'failed') return view;
    await sleep(250);
  }
}

export async function judged(service: Service, body: VerificationRequest): Promise<VerificationView> {
  return ended(service, (await service.post(body)).id);
}

/** Uploads files as a build context. */
export async function uploadContext(
  service: Started,
  files: Record<string, { mode?: number; content: string | Buffer } | { link: string }>,
): Promise<Digest> {
  const bytes = tar(
    ...Object.entries(files).map(([name, file]) =>
      'link' in file ? member({ name, type: '2', mode: 0o777, link: file.link }) : member({ name, mode: file.mode ?? 0o644 }, file.content),
    ),
  );
  const digest = digestOf(bytes);
  const answer = await fetch(`${service.url}/v1/contexts/${digest}`, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/x-tar' },
  });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  return digest;
}

/** A program as far as anybody can tell without running it. */
export const program = (words: string): Buffer =>
  Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01\0', 'latin1'), Buffer.from(words.padEnd(200, '.'))]);

const SMALL: Files = {
  Dockerfile: [
    'FROM scratch',
    'COPY rootfs/ /',
    'ENV MODE=plain',
    'USER 1000:1000',
    'WORKDIR /srv',
    'ENTRYPOINT ["/bin/tool", "serve"]',
    '',
  ].join('\n'),
  'rootfs/bin/tool': { executable: program('tool').toString('latin1') },
  'rootfs/usr/lib/libhelp.so': program('library'),
  'rootfs/etc/app.conf': 'colour = blue\n',
  'rootfs/etc/passwd': 'root:x:0:0:root:/root:/usr/sbin/nologin\n',
  'rootfs/srv/data/one': 'one\n',
  'rootfs/srv/data/two': 'two\n',
  'rootfs/srv/copy-a': 'the same twice\n',
  'rootfs/srv/copy-b': 'the same twice\n',
  'rootfs/srv/link': { symlink: 'data/one' },
};

/** A small image of a handful of files, built by a publisher out of a git repository; rebuilding it takes a moment. */
export type SmallImage = {
  registry: string;
  repository: string;
  reference(tag: string): string;
  folder: string;
  commit: string;
  parts: ImageParts;
  /** Index of the layer with the files. */
  layer: number;
  members: Member[];
  /** Publishes the image with other members in that layer. */
  twin(tag: string, members: readonly Member[]): Promise<void>;
  publish(tag: string, parts: ImageParts): Promise<void>;
};

export async function makeSmallImage(registry: string, repositories: string): Promise<SmallImage> {
  const repository = 'tests/small';
  const source = new TestRepository(join(repositories, 'small'));
  const commit = source.commit('all of it', SMALL);
  const scratch = mkdtempSync(join(tmpdir(), 'conforme-small-'));
  const publisher = await makePublisher(scratch, () => undefined);
  try {
    await publisher.publish(source.folder, `${registry}/${repository}:honest`);
  } finally {
    await publisher.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  const parts = await pullParts(registry, repository, 'honest');
  const layers = await Promise.all(parts.manifest.layers.map((_layer, index) => layerTar(registry, repository, parts, index)));
  const layer = layers.findIndex((bytes) => readMembers(bytes).some(({ name }) => name === 'bin/tool'));
  const publish = async (tag: string, changed: ImageParts): Promise<void> => {
    await pushParts(registry, repository, tag, changed);
  };
  return {
    registry,
    repository,
    reference: (tag) => `${registry}/${repository}:${tag}`,
    folder: dirname(source.folder),
    commit,
    parts,
    layer,
    members: readMembers(layers[layer] ?? Buffer.alloc(0)),
    publish,
    twin: async (tag, members) => publish(tag, await withLayer(registry, repository, parts, layer, writeMembers(members))),
  };
}
