/** An image of a while ago, judged when the archive has moved on: the rebuild installs what the publisher's build did. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { VerificationView } from '../../api/schemas.ts';
import { makeBase } from '../../scripts/demo/base.ts';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import { makePublisher } from '../../scripts/demo/publisher.ts';
import { pushBase } from '../../scripts/demo/registry-image.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Difference } from '../../src/model/verdict.ts';
import { needsBuildkit, publishWithBuildkit } from '../support/buildkit.ts';
import { type ArchiveKey, type Deb, LocalArchive, makeDeb, makeKey } from '../support/debian-archive.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { SnapshotArchive } from '../support/snapshot-archive.ts';
import { CACHE, judged, startAsUser, type Started } from './world.ts';

const DAY = 24 * 3600_000;
const stamp = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');

describe('an image whose packages moved on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-past-'));
  const begun = Date.now();
  let registry: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let mirror: LocalArchive;
  let snapshot: SnapshotArchive;
  let service: Started;
  let key: ArchiveKey;
  let debs: { one: Deb; two: Deb };
  let image: string;
  let byBuildkit: string;
  let source: { git: string; ref: string };

  before(async () => {
    // Not the usual address of loopback, which no proxy is asked for.
    [registry, mirror, snapshot] = await Promise.all([startRegistry(), LocalArchive.start('127.0.0.2'), SnapshotArchive.start()]);
    git = await startGitServer(join(folder, 'repositories'));
    key = await makeKey('archive', { date: new Date('2019-01-01T00:00:00Z') });
    const debOf = (version: string): Promise<Deb> =>
      makeDeb({ name: 'greeter', version, files: { 'usr/bin/greeter': { text: `#!/bin/sh\necho ${version}\n`, mode: 0o755 } } });
    debs = { one: await debOf('1.0-1'), two: await debOf('1.1-1') };

    const base = await makeBase(CACHE, () => undefined);
    const suite = `${base.codename}-updates`;
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const config = { os: 'linux', architecture, config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] } };
    await pushBase(registry.host, 'tests/base', 'stable', base, config);
    const repository = new TestRepository(join(folder, 'repositories', 'app'));
    const commit = repository.commit('all of it', {
      Dockerfile: [
        `FROM ${registry.host}/tests/base:stable`,
        'COPY archive.gpg /etc/apt/trusted.gpg.d/archive.gpg',
        `RUN echo 'deb ${mirror.address} ${suite} main' > /etc/apt/sources.list && rm -f /etc/apt/sources.list.d/*`,
        'RUN apt-get update && apt-get install -y --no-install-recommends greeter && rm -rf /var/lib/apt/lists/*',
        '',
      ].join('\n'),
      'archive.gpg': Buffer.from(key.keyring),
    });
    source = { git: `${git.address}/app/.git`, ref: commit };

    // What was published 20 days ago was valid for a week then; the mirror has it still when the image is built.
    const first = { suite, codename: suite, date: new Date(begun - 20 * DAY), keys: [key], debs: [debs.one] };
    await mirror.publish(first);
    await snapshot.publish(stamp(begun - 19 * DAY), { ...first, validUntil: new Date(begun - 13 * DAY) });
    image = `${registry.host}/tests/app:1`;
    byBuildkit = `${registry.host}/tests/app:kit`;
    const publisher = await makePublisher(folder, () => undefined);
    try {
      await publisher.publish(repository.folder, image);
      if (needsBuildkit.skip === undefined) await publishWithBuildkit({ context: repository.folder, reference: byBuildkit });
    } finally {
      await publisher.close();
    }
    // Then the archive moves on, and the mirror keeps nothing of what was.
    const then = Date.now() + 1000;
    const second = { suite, codename: suite, date: new Date(then), keys: [key], debs: [debs.two] };
    mirror.files.clear();
    await mirror.publish(second);
    await snapshot.publish(stamp(then + 1000), second);
    service = await startAsUser(join(folder, 'service'), registry.host, { CONFORME_SNAPSHOT_URL: snapshot.url });
  });
  after(async () => {
    await service?.stop();
    await git?.stop();
    await Promise.all([registry?.stop(), mirror?.stop(), snapshot?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const statementOf = async (view: VerificationView): Promise<Statement> => {
    assert.ok(view.verdict !== undefined, JSON.stringify(view.problem));
    return (await (await fetch(view.links.verdict ?? '')).json()) as Statement;
  };
  const inGreeter = async (view: VerificationView): Promise<Difference[]> => {
    const { items } = (await (await fetch(`${view.links.differences}?limit=1000`)).json()) as { items: Difference[] };
    return items.filter(({ path }) => path.startsWith('/usr/bin/'));
  };

  const isAsItWas = async (reference: string, builder: 'buildah' | 'buildkit'): Promise<void> => {
    const view = await judged(service, { image: reference, source });
    const { predicate } = await statementOf(view);
    assert.equal(predicate.buildPlan?.builder, builder);
    assert.equal(view.verdict?.result, 'equivalent', JSON.stringify([view.verdict?.summary, predicate.differences]));
    assert.deepEqual(await inGreeter(view), []);
    assert.match(predicate.buildPlan?.asOf?.from ?? '', /^(dpkg-log|apt-history)$/);
    const fetched = predicate.resolvedDependencies.find(({ digest }) => digest !== undefined && `sha256:${digest.sha256}` === digestOf(debs.one.bytes)); // prettier-ignore
    assert.ok(fetched?.uri.startsWith(`${snapshot.url}/archive/debian/${stamp(begun - 19 * DAY)}/pool/`), JSON.stringify(fetched));
    assert.ok(fetched?.annotations?.original?.startsWith(`${mirror.address}/pool/`));
  };

  it('is rebuilt from the archive of its time, and nothing of that shows in the image', () => isAsItWas(image, 'buildah'));
  it('is so by BuildKit as well, where BuildKit built it', needsBuildkit, () => isAsItWas(byBuildkit, 'buildkit'));

  it('is rebuilt as of the time that the request names', async () => {
    const time = new Date(begun + DAY).toISOString().replace(/\.\d+/, '');
    const view = await judged(service, { image, source, asOf: time });
    const { predicate } = await statementOf(view);
    assert.deepEqual(predicate.buildPlan?.asOf, { time, from: 'request' });
    assert.deepEqual((await inGreeter(view)).map(({ path }) => path), ['/usr/bin/greeter']); // prettier-ignore
  });

  it('is rebuilt with the packages of today where the archive of snapshots fails midway, and the plan does not claim otherwise', async () => {
    snapshot.archive.interfere = (path) =>
      path.includes('/pool/') ? { status: 503, headers: { 'retry-after': '0' } } : snapshot.redirect(path);
    const view = await judged(service, { image, source, asOf: new Date(begun - DAY).toISOString().replace(/\.\d+/, '') });
    const { predicate } = await statementOf(view);
    assert.equal(predicate.buildPlan?.asOf, undefined);
    assert.deepEqual((await inGreeter(view)).map(({ path }) => path), ['/usr/bin/greeter']); // prettier-ignore
    const log = await (await fetch(view.links.log ?? '')).text();
    assert.match(log, /archives as of .* were not to be had: .*503/);
  });
});
