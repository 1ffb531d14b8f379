import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readMembers } from '../../../scripts/demo/tar-surgery.ts';
import { hexOf } from '../../../src/model/digest.ts';
import { member, pax, tar } from '../../support/tar.ts';
import { sha256, temporaryFolder } from '../environment/support.ts';

const SCRIPT = join(import.meta.dirname, '../../../src/adapters/buildah/as-published.ts');
const run = (...args: string[]): number | null => spawnSync(process.execPath, [SCRIPT, ...args], { stdio: 'inherit' }).status;
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

function write(folder: string, layers: Buffer[], config: object, annotations: Record<string, string> = {}): string {
  const text = JSON.stringify(config);
  mkdirSync(folder, { recursive: true });
  for (const bytes of [...layers, Buffer.from(text)]) writeFileSync(join(folder, hexOf(sha256(bytes))), bytes);
  const described = (bytes: Buffer | string, mediaType: string) => ({ mediaType, digest: sha256(bytes), size: Buffer.byteLength(bytes) });
  const manifest = { schemaVersion: 2, config: described(text, 'c'), layers: layers.map((one) => described(one, LAYER)), annotations };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return JSON.stringify(manifest);
}

it('takes the notes of an overlay out of layers and nothing else, and names by their new digests what follows', async () => {
  await using folder = await temporaryFolder();
  const [image, store] = [join(folder.path, 'image'), join(folder.path, 'images')];
  const note: [string, string] = ['SCHILY.xattr.user.overlay.origin', ''];
  const kept: [string, string][] = [
    ['path', `etc/${'long'.repeat(60)}`],
    ['SCHILY.xattr.security.capability', '\x01\0\0\x02=\n\0\0'],
    ['SCHILY.xattr.user.overlay.opaque', 'y'],
    ['SCHILY.xattr.user.overlay.originally', 'mine'],
  ];
  const rest = [member({ name: 'etc/file' }, 'SCHILY.xattr.user.overlay.origin='), member({ name: 'etc/empty' })];
  const noted = tar(pax([note]), member({ name: 'etc/', type: '5', mode: 0o755 }), pax([kept[0]!, note, ...kept.slice(1)]), member({ name: 'etc/cut' }, 'x'.repeat(700)), ...rest); // prettier-ignore
  const clean = tar(member({ name: 'etc/', type: '5', mode: 0o755 }), pax(kept), member({ name: 'etc/cut' }, 'x'.repeat(700)), ...rest);
  const configOf = (layer: Buffer, comment?: string) => ({ rootfs: { diff_ids: [sha256(layer)] }, history: [{ created_by: 'RUN a && b' }, ...(comment === undefined ? [] : [{ comment }])] }); // prettier-ignore
  const step = configOf(noted);
  const stepId = hexOf(sha256(JSON.stringify(step)));
  const stepManifest = write(join(folder.path, 'step'), [noted], step);
  mkdirSync(join(store, stepId), { recursive: true });
  writeFileSync(join(store, 'images.json'), JSON.stringify([{ id: stepId }]));
  writeFileSync(join(store, stepId, 'manifest'), stepManifest);
  writeFileSync(join(store, stepId, `=${Buffer.from(`sha256:${stepId}`).toString('base64')}`), JSON.stringify(step));
  const base = (manifest: string) => ({ 'org.opencontainers.image.base.digest': sha256(manifest) });
  write(image, [noted], configOf(noted, `FROM ${stepId.slice(0, 12)}`), base(stepManifest));

  assert.equal(run('without-notes', image, store), 10);
  const cleanStep = configOf(clean);
  const expected = join(folder.path, 'expected');
  const cleanManifest = write(join(folder.path, 'clean-step'), [clean], cleanStep);
  write(expected, [clean], configOf(clean, `FROM ${hexOf(sha256(JSON.stringify(cleanStep))).slice(0, 12)}`), base(cleanManifest));
  assert.deepEqual(readdirSync(image).sort(), readdirSync(expected).sort());
  const manifest = readFileSync(join(image, 'manifest.json'), 'utf8');
  assert.equal(manifest, readFileSync(join(expected, 'manifest.json'), 'utf8'));
  assert.equal(readMembers(readFileSync(join(image, hexOf(sha256(clean))))).length, 4);
  assert.equal(run('without-notes', image, store), 0, 'there is nothing left to do');
  assert.equal(readFileSync(join(image, 'manifest.json'), 'utf8'), manifest);
});

it("puts the base's blobs only where the base's layers are", async () => {
  await using folder = await temporaryFolder();
  const [image, base] = [join(folder.path, 'image'), join(folder.path, 'base')];
  const layers = ['one', 'two', 'three'].map((name) => tar(member({ name }, name)));
  const packed = (level: number) => layers.map((layer) => gzipSync(layer, { level }));
  const diffIds = layers.map(sha256);
  write(base, packed(1), { rootfs: { diff_ids: [diffIds[0], diffIds[2], diffIds[2]] } });
  write(image, packed(9), { rootfs: { diff_ids: diffIds } });
  assert.equal(run('base-blobs', image, base), 0);
  const found = JSON.parse(readFileSync(join(image, 'manifest.json'), 'utf8')) as { layers: { digest: string; size: number }[] };
  const [one, , three] = packed(1);
  assert.deepEqual(found.layers.map(({ digest }) => digest), [sha256(one!), sha256(packed(9)[1]!), sha256(three!)]); // prettier-ignore
  assert.equal(found.layers[0]?.size, one?.length);
  assert.ok(readFileSync(join(image, hexOf(sha256(one!)))).equals(one!));
});
