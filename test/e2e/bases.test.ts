/** Base images that have moved on, and verdicts that rest on the verdict about a base. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'node:test';
import type { AccountLine, Verdict } from '../../src/model/verdict.ts';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import type { Statement } from '../../src/model/statement.ts';
import { needsBuildkit, publishWithBuildkit } from '../support/buildkit.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { judged, startAsUser, type Started } from './world.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

describe('base images', needsBuildkit, () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-bases-'));
  let registry: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let service: Started;
  let bases: TestRepository;
  let apps: TestRepository;
  const reference = (name: string): string => `${registry.host}/team/${name}`;

  type Judged = { verdict: Verdict; statement: Statement['predicate']; digest: string; files: string };
  async function judge(image: string): Promise<Judged> {
    const view = await judged(service, { image });
    assert.ok(view.verdict !== undefined, JSON.stringify(view.problem));
    const { predicate } = (await (await fetch(view.links.verdict ?? '')).json()) as Statement;
    return { verdict: view.verdict, statement: predicate, digest: view.verdictDigest ?? '', files: view.links.files };
  }
  /** Builds a repository at its newest commit. */
  const publish = (repository: TestRepository, at: string, image: string, opts: Record<string, string>) =>
    publishWithBuildkit({
      context: repository.folder,
      reference: reference(image),
      opts: { context: `${git.address}/${at}/.git#${repository.git('rev-parse', 'HEAD')}`, ...opts },
    });
  const PROVENANCE = { 'attest:provenance': 'mode=max' };
  /** A tool in the base that is no package's, so that nothing but the base's own source accounts for it. */
  const commitBase = (version: string): string =>
    bases.commit(version, {
      Dockerfile: 'FROM scratch\nCOPY rootfs /\nENV PATH=/bin\n',
      ...Object.fromEntries(['dev', 'etc', 'proc', 'run', 'sys', 'tmp'].map((name) => [`rootfs/${name}/.keep`, ''])),
      'rootfs/bin/sh': { executable: readFileSync('/bin/busybox') },
      'rootfs/bin/version': { executable: `#!/bin/sh\necho ${version}\n` },
    });

  before(async () => {
    registry = await startRegistry();
    git = await startGitServer(join(folder, 'repositories'));
    bases = new TestRepository(join(folder, 'repositories/base'));
    apps = new TestRepository(join(folder, 'repositories/app'));
    apps.commit('App', { Dockerfile: `FROM ${reference('base:1')}\nCOPY page.html /srv/page.html\n`, 'page.html': '<h1>Page</h1>\n' });
    service = await startAsUser(join(folder, 'service'), registry.host);
  });
  after(async () => {
    await service?.stop();
    await git?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are found by the provenance, by their layers, or not at all, and the verdict says which was used', async () => {
    const labels = { 'label:org.opencontainers.image.source': `${git.address}/app/.git`, 'label:org.opencontainers.image.revision': apps.git('rev-parse', 'HEAD') }; // prettier-ignore
    commitBase('1.0');
    const old = await publish(bases, 'base', 'base:1', PROVENANCE);
    await publish(apps, 'app', 'app:attested', PROVENANCE);
    await publish(apps, 'app', 'app:labelled', labels);
    await publish(apps, 'app', 'app:known', { ...labels, 'label:org.opencontainers.image.version': '2' });
    commitBase('1.1');
    const now = await publish(bases, 'base', 'base:1', PROVENANCE);
    assert.notEqual(old, now);

    const attested = await judge(reference('app:attested'));
    const [base] = attested.statement.buildPlan?.bases ?? [];
    assert.deepEqual([base?.digest, base?.evidence, base?.beneath], [old, 'provenance', true]);
    assert.ok(['identical', 'layers-identical', 'equivalent'].includes(attested.verdict.result), attested.verdict.summary);

    const moved = await judge(reference('app:labelled'));
    assert.deepEqual([moved.statement.buildPlan?.bases[0]?.digest, moved.statement.buildPlan?.bases[0]?.evidence], [now, 'tag']);
    assert.ok(moved.verdict.findings.some(({ code }) => code === 'base-moved'));
    // The tool of the old base is nobody's here, so that the image cannot be audited; but a tag that moves on accuses nobody.
    assert.deepEqual([moved.verdict.result, moved.verdict.auditable], ['different', 'no'], moved.verdict.summary);

    // The old base is judged, and from then on found by its layers.
    await judge(`${reference('base')}@${old}`);
    const known = await judge(reference('app:known'));
    const [byLayers] = known.statement.buildPlan?.bases ?? [];
    assert.deepEqual([byLayers?.evidence, byLayers?.beneath], ['layers', true]);
    assert.ok(['identical', 'layers-identical', 'equivalent'].includes(known.verdict.result), known.verdict.summary);
  });

  it('with a verdict account for their files in the verdicts on them, which can be recomputed', async () => {
    const base = await judge(reference('base:1'));
    assert.equal(base.verdict.auditable, 'yes', JSON.stringify(base.verdict.findings));
    await publish(apps, 'app', 'app:on-judged', PROVENANCE);
    const { verdict, statement, digest, files } = await judge(reference('app:on-judged'));
    assert.equal(verdict.auditable, 'yes', JSON.stringify(verdict.findings));
    assert.deepEqual([statement.baseVerdict?.digest, statement.baseVerdict?.auditable], [base.digest, 'yes']);
    const page = (await (await fetch(`${files}?attribution=base&path=/bin/`)).json()) as { items: AccountLine[] };
    const tool = page.items.find(({ path }) => path === '/bin/version');
    assert.deepEqual([tool?.evidence.verdict, tool?.evidence.sourcePath], [base.digest, 'rootfs/bin/version']);
    const { stdout } = await run(join(ROOT, 'scripts/recompute'), [digest, '--data-dir', service.dataDir]);
    assert.match(stdout, /the same/);
  });
});
