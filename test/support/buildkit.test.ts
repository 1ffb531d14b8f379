import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { needsBuildkit, publishWithBuildkit } from './buildkit.ts';
import { startRegistry } from './registry.ts';

it('publishes with a real BuildKit: the same bytes twice with an epoch', needsBuildkit, async () => {
  const registry = await startRegistry();
  const context = await mkdtemp(join(tmpdir(), 'conforme-context-'));
  const before = await readdir(tmpdir());
  try {
    await copyFile('/bin/busybox', join(context, 'busybox'));
    const lines = ['FROM scratch', 'COPY busybox /bin/sh', 'COPY <<end /etc/motd', 'hello', 'end', 'RUN echo $((1 + 1)) > /two', ''];
    await writeFile(join(context, 'Dockerfile'), lines.join('\n'));
    const publish = (tag: string) =>
      publishWithBuildkit({
        context,
        reference: `${registry.host}/test/small:${tag}`,
        opts: { 'build-arg:SOURCE_DATE_EPOCH': '1700000000' },
        output: { 'rewrite-timestamp': 'true' },
      });
    const digest = await publish('1');
    assert.equal(await publish('2'), digest);
    const answer = await fetch(`http://${registry.host}/v2/test/small/manifests/2`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    await answer.body?.cancel();
    assert.deepEqual(
      (await readdir(tmpdir())).filter((name) => name.startsWith('conforme-buildkit-') && !before.includes(name)),
      [],
    );
  } finally {
    await registry.stop();
    await rm(context, { recursive: true, force: true });
  }
});
