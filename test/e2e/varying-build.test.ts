/** A build that never makes the same twice: what varies is told apart from what somebody put into the image, and excuses no program. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { DifferenceView, VerificationView } from '../../api/schemas.ts';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import { makePublisher, type Publisher } from '../../scripts/demo/publisher.ts';
import { layerTar, pullParts, pushParts, withLayer } from '../../scripts/demo/registry-image.ts';
import { changed, edit, type Member, readMembers, writeMembers } from '../../scripts/demo/tar-surgery.ts';
import type { Explanation } from '../../src/model/explanation.ts';
import type { Statement } from '../../src/model/statement.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { judged, program, startAsUser, type Started } from './world.ts';

const ROOT = join(import.meta.dirname, '../..');
const NAMES = Array.from({ length: 40 }, (_one, index) => `/srv/d/${index}`).join(' ');
/** What steps of real Dockerfiles write without anybody having meant it to matter. */
const DATA = [
  `RUN mkdir -p /srv/d && touch ${NAMES} && busybox find /srv/d > /srv/order`,
  'RUN busybox date > /srv/date; busybox hostname > /srv/host; busybox nproc > /srv/processors; echo $RANDOM$RANDOM$RANDOM > /srv/random',
  'RUN mkdir -p /srv/doc && (busybox printf "\\037\\213\\010\\000"; busybox head -c 4 /dev/urandom; echo notes | busybox gzip -c | busybox tail -c +9) > /srv/doc/changelog.gz',
];
const PROGRAM = 'RUN cp /bin/tool /bin/stamped && busybox head -c 16 /dev/urandom >> /bin/stamped';

const dockerfile = (...steps: string[]): string =>
  ['FROM scratch', 'COPY --chmod=755 busybox /bin/busybox', 'COPY rootfs/ /', 'ENV PATH=/bin', ...steps, 'CMD ["/bin/tool"]', ''].join(
    '\n',
  );

describe('a build that varies', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-varying-'));
  const commits = new Map<string, string>();
  let registry: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let publisher: Publisher;
  let service: Started;

  before(async () => {
    [registry, git, publisher] = await Promise.all([
      startRegistry(),
      startGitServer(join(folder, 'repositories')),
      makePublisher(folder, () => undefined),
    ]);
    service = await startAsUser(join(folder, 'service'), registry.host);
    for (const [name, steps] of [
      ['data', DATA],
      ['program', [...DATA, PROGRAM]],
      ['flaky', [...DATA, `RUN test $(busybox nproc) -eq ${availableParallelism()}`]],
      ['slow', [...DATA, 'RUN busybox sleep 14']],
    ] as const) {
      const repository = new TestRepository(join(folder, 'repositories', name));
      const commit = repository.commit('all of it', {
        Dockerfile: dockerfile(...steps),
        busybox: readFileSync('/bin/busybox'),
        'rootfs/bin/sh': { symlink: 'busybox' },
        'rootfs/bin/cp': { symlink: 'busybox' },
        'rootfs/bin/mkdir': { symlink: 'busybox' },
        'rootfs/bin/touch': { symlink: 'busybox' },
        'rootfs/bin/tool': { executable: program('tool').toString('latin1') },
        'rootfs/etc/passwd': 'root:x:0:0:root:/root:/usr/sbin/nologin\n',
      });
      commits.set(name, commit);
      await publisher.publish(repository.folder, `${registry.host}/tests/${name}:honest`);
    }
  });
  after(async () => {
    await publisher?.close();
    await service?.stop();
    await git?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const judge = async (name: string, tag: string, by = service) => {
    const view = await judged(by, {
      image: `${registry.host}/tests/${name}:${tag}`,
      source: { git: `${git.address}/${name}/.git`, ref: commits.get(name) ?? '' },
    });
    const { verdict } = view;
    assert.ok(verdict !== undefined, JSON.stringify(view.problem));
    const { items } = (await (await fetch(`${view.links.differences}?limit=1000`)).json()) as { items: DifferenceView[] };
    return { view, verdict, at: (path: string) => items.find((one) => one.path === path), items };
  };
  const explanationOf = async (difference: DifferenceView | undefined): Promise<Explanation> => {
    assert.ok(difference?.links !== undefined, JSON.stringify(difference));
    return (await (await fetch(difference.links.explanation)).json()) as Explanation;
  };
  const statementOf = async ({ verdictDigest }: VerificationView): Promise<Statement> =>
    (await (await fetch(`${service.url}/v1/verdicts/${verdictDigest}`)).json()) as Statement;
  /** Publishes the honest image with other members in the layer that holds a file. */
  const twin = async (name: string, tag: string, file: string, change: (member: Member) => Member): Promise<void> => {
    const parts = await pullParts(registry.host, `tests/${name}`, 'honest');
    for (const index of parts.manifest.layers.keys()) {
      const members = readMembers(await layerTar(registry.host, `tests/${name}`, parts, index));
      if (!members.some((one) => one.name === file)) continue;
      const other = await withLayer(registry.host, `tests/${name}`, parts, index, writeMembers(edit(members, file, change)));
      await pushParts(registry.host, `tests/${name}`, tag, other);
      return;
    }
    assert.fail(`no layer holds ${file}`);
  };

  it('is no suspicion where only data varies, and each path is told', async () => {
    const { view, verdict, at, items } = await judge('data', 'honest');
    assert.equal(verdict.result, 'different', verdict.summary);
    assert.equal(verdict.auditable, 'partly', JSON.stringify(verdict.findings));
    for (const path of ['/srv/date', '/srv/random', '/srv/host'])
      assert.deepEqual([at(path)?.class, at(path)?.cause], ['varies', 'unknown'], path);
    assert.deepEqual(
      items.filter((one) => one.class === 'same' || one.class === 'unrepeated'),
      [],
    );
    assert.deepEqual([at('/srv/doc/changelog.gz')?.class, at('/srv/doc/changelog.gz')?.rule], ['noise', 'gzip-time@1']);
    const codes = verdict.findings.map(({ code, severity }) => `${severity} ${code}`);
    assert.ok(codes.includes('low build-not-reproducible') && codes.includes('low unexplained-file'), codes.join());
    assert.ok(
      verdict.findings.every(({ severity }) => severity !== 'high' && severity !== 'critical'),
      codes.join(),
    );
    const { rebuilds, byproducts } = (await statementOf(view)).predicate;
    assert.ok(rebuilds?.second?.status === 'built');
    assert.equal(byproducts.rebuiltAgain, rebuilds.second.inventory);
    assert.ok(rebuilds.second.conditions.startedAt > rebuilds.first.startedAt);
    assert.notEqual(rebuilds.second.conditions.hostName, rebuilds.first.hostName);
    const { stdout } = await promisify(execFile)(join(ROOT, 'scripts/recompute'), [
      view.verdictDigest ?? '',
      '--data-dir',
      service.dataDir,
    ]);
    assert.match(stdout, /judged again, the same/);
    const page = await (await fetch(view.links.page)).text();
    assert.match(page, /our own two rebuilds differ there as well/);

    // Where a reader goes on: the step, and what differs inside, by our own means or by diffoscope.
    const date = await explanationOf(at('/srv/date'));
    assert.deepEqual([at('/srv/date')?.line, at('/srv/order')?.line ?? 5], [6, 5]);
    assert.match(date.text ?? '', /^@@ -1,1 \+1,1 @@\n-.*\n\+/);
    assert.equal(at('/srv/doc/changelog.gz')?.explanation, undefined);
    assert.match(page, /Dockerfile line 6<\/a>|Dockerfile line 6[^]*What differs inside/);
  });

  it('hides no program that was changed, which both builds make otherwise', async () => {
    await twin('data', 'tampered', 'bin/tool', (one) => changed(one, { content: program('tool and more') }));
    const { verdict, at } = await judge('data', 'tampered');
    assert.deepEqual([verdict.result, verdict.auditable], ['suspicious', 'no'], verdict.summary);
    assert.deepEqual([at('/bin/tool')?.class, at('/srv/random')?.class], ['same', 'varies']);
    const finding = verdict.findings.find(({ code, paths }) => code === 'unexplained-code' && paths.includes('/bin/tool'));
    assert.equal(finding?.evidence['class'], 'same');
    // The build was made for the verdict before: what its steps made was kept.
    assert.equal(at('/bin/tool')?.line, 3);
    assert.equal((await explanationOf(at('/bin/tool'))).bytes?.offset, 12);
  });

  it('gives no cover to a setuid bit on what varies', async () => {
    await twin('data', 'setuid', 'srv/random', (one) => changed(one, { mode: 0o4755 }));
    const { verdict, at } = await judge('data', 'setuid');
    assert.equal(verdict.result, 'suspicious', verdict.summary);
    assert.equal(at('/srv/random')?.class, 'same');
  });

  it('names a program that varies, and accuses: anything could be published in its place', async () => {
    const { verdict, at } = await judge('program', 'honest');
    assert.deepEqual([verdict.result, verdict.auditable], ['suspicious', 'no'], verdict.summary);
    assert.equal(at('/bin/stamped')?.class, 'varies');
    const finding = verdict.findings.find(({ code, paths }) => code === 'unexplained-code' && paths.includes('/bin/stamped'));
    assert.equal(finding?.evidence['class'], 'varies');
    assert.match(finding?.message ?? '', /our own two rebuilds differ there as well/);
    const { bytes, rebuilt, published, diffoscope } = await explanationOf(at('/bin/stamped'));
    assert.ok(JSON.stringify(diffoscope).includes('@@'), JSON.stringify(diffoscope));
    assert.deepEqual([bytes?.offset !== undefined && bytes.offset >= 208, rebuilt.size, published.size], [true, 224, 224]);
  });

  it('takes what the second build makes for what the source makes', async (t) => {
    const { view } = await judge('data', 'honest');
    const { second } = (await statementOf(view)).predicate.rebuilds ?? {};
    const processors = second?.status === 'built' ? second.conditions.processors : 0;
    if (processors === availableParallelism()) return t.skip('a machine of one processor has no other number of them');
    await twin('data', 'processors', 'srv/processors', (one) => changed(one, { content: Buffer.from(`${processors}\n`) }));
    const { at } = await judge('data', 'processors');
    assert.deepEqual([at('/srv/processors')?.cause, at('/srv/processors')?.class], ['second-rebuild', 'varies']);
  });

  it('leaves the first build standing where the second fails, and says so', async (t) => {
    if (availableParallelism() === 1) return t.skip('a machine of one processor has no other number of them');
    const { verdict, at } = await judge('flaky', 'honest');
    assert.equal(verdict.result, 'different', verdict.summary);
    assert.equal(at('/srv/random')?.class, 'unrepeated');
    const finding = verdict.findings.find(({ code }) => code === 'second-rebuild-failed');
    assert.match(finding?.message ?? '', /build-failed/, JSON.stringify(verdict.findings));
  });

  it('does not begin a second build that the time does not suffice for', async () => {
    const hurried = await startAsUser(join(folder, 'hurried'), registry.host, { CONFORME_BUILD_SECONDS: '34' });
    try {
      const { verdict } = await judge('slow', 'honest', hurried);
      assert.equal(verdict.result, 'different', verdict.summary);
      const finding = verdict.findings.find(({ code }) => code === 'second-rebuild-failed');
      assert.match(finding?.message ?? '', /the first build took \d+ s of 34 s/, JSON.stringify(verdict.findings));
    } finally {
      await hurried.stop();
    }
  });
});
