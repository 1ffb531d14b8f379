/** Nothing but the reference is named: what was built, and how, is read off what BuildKit attached to the image. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { VerificationView } from '../../api/schemas.ts';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import { makeRegistry } from '../../src/adapters/registry/registry.ts';
import { hexOf } from '../../src/model/digest.ts';
import type { VerificationRequest } from '../../src/model/request.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { attachInIndex, attachReferrer, statementOf } from '../support/attach.ts';
import { needsBuildkit, publishWithBuildkit } from '../support/buildkit.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { member, tar } from '../support/tar.ts';
import { judged, startAsUser, type Started } from './world.ts';

describe('an image of which only the reference is named', needsBuildkit, () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-provenance-'));
  const empty = join(folder, 'empty');
  let registry: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let service: Started;
  let repository: TestRepository;
  let commit: string;
  const reference = (tag: string): string => `${registry.host}/shop/app:${tag}`;
  const address = (): string => `${git.address}/app/.git`;
  const remote = (): Record<string, string> => ({
    context: `${address()}#${commit}:services/web`,
    filename: 'docker/web.Dockerfile',
    target: 'final',
    'build-arg:GREETING': 'good day',
    'label:org.example.made': 'by hand',
  });

  before(async () => {
    registry = await startRegistry();
    git = await startGitServer(join(folder, 'repositories'));
    // The folders that one builder leaves behind and another does not are there before.
    for (const name of ['bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp']) mkdirSync(join(empty, 'rootfs', name), { recursive: true });
    copyFileSync('/bin/busybox', join(empty, 'rootfs/bin/sh'));
    writeFileSync(join(empty, 'Dockerfile'), 'FROM scratch\nCOPY rootfs /\nENV PATH=/bin\n');
    repository = new TestRepository(join(folder, 'repositories/app'));
    commit = repository.commit('One', {
      'services/web/docker/web.Dockerfile': [
        `ARG BASE=${registry.host}/shop/base:1`,
        'FROM $BASE AS made',
        'ARG GREETING=hello',
        'RUN echo "$GREETING" > /greeting',
        'FROM made AS final',
        'COPY page.html /srv/page.html',
        'FROM made AS after',
        'RUN false',
        '',
      ].join('\n'),
      'services/web/page.html': '<h1>Shop</h1>\n',
    });
    await publishWithBuildkit({ context: empty, reference: `${registry.host}/shop/base:1` });
    service = await startAsUser(join(folder, 'service'), registry.host);
  });
  after(async () => {
    await service?.stop();
    await git?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function judge(
    image: string,
    more: Partial<VerificationRequest> = {},
  ): Promise<{ view: VerificationView; verdict: Verdict; statement: Statement['predicate'] }> {
    const view = await judged(service, { image, ...more });
    assert.ok(view.verdict !== undefined, JSON.stringify(view.problem));
    const { predicate } = (await (await fetch(view.links.verdict ?? '')).json()) as Statement;
    return { view, verdict: view.verdict, statement: predicate };
  }
  const publish = (tag: string, opts: Record<string, string>, context = empty) =>
    publishWithBuildkit({ context, reference: reference(tag), opts });
  const codes = ({ findings }: Verdict): string[] => findings.map(({ code }) => code);

  for (const version of ['v0.2', 'v1']) {
    it(`is rebuilt from its provenance ${version}: repository, commit, folder, file, stage, arguments`, async () => {
      await publish(version, { ...remote(), 'attest:provenance': `mode=max,version=${version},builder-id=https://ci.example/run/7` });
      const { verdict, statement, view } = await judge(reference(version));
      assert.ok(
        ['identical', 'layers-identical', 'equivalent'].includes(verdict.result),
        `${verdict.summary} ${JSON.stringify(statement.differences)}`,
      );
      const { source, buildPlan, provenance } = statement;
      assert.deepEqual(source, {
        location: { kind: 'git', url: address(), ref: commit, commit, subdir: 'services/web' },
        evidence: 'provenance',
      });
      assert.deepEqual(
        [buildPlan?.dockerfile, buildPlan?.target, buildPlan?.buildArgs, buildPlan?.labels],
        ['docker/web.Dockerfile', 'final', { GREETING: 'good day' }, { 'org.example.made': 'by hand' }],
      );
      assert.deepEqual(buildPlan?.origins, { dockerfile: 'provenance', target: 'provenance', buildArgs: ['GREETING'] });
      assert.deepEqual(
        provenance?.map(({ attachedBy, predicateType, builder, complete }) => ({ attachedBy, predicateType, builder, complete })),
        [
          {
            attachedBy: 'index',
            predicateType: `https://slsa.dev/provenance/${version}`,
            builder: 'https://ci.example/run/7',
            complete: true,
          },
        ],
      );
      assert.ok(!codes(verdict).includes('dockerfile-differs'));
      const page = await (await fetch(view.links.page)).text();
      for (const words of ['https://ci.example/run/7', 'a recipe that was tried, no proof', 'GREETING=good day'])
        assert.ok(page.includes(words), words);
    });
  }

  it('is built as the request says where that says something', async () => {
    const { verdict, statement } = await judge(reference('v1'), { buildArgs: { GREETING: 'bye' } });
    assert.deepEqual(statement.buildPlan?.buildArgs, { GREETING: 'bye' });
    assert.equal(verdict.result, 'different', verdict.summary);
  });

  it('proves nothing by its provenance: a tampered twin with the honest one is found out', async () => {
    const client = makeRegistry({ fetch, insecure: [registry.host] });
    const honest = await client.resolve(reference('v1'));
    const [, attestation] = honest.index?.manifests ?? [];
    assert.ok(attestation !== undefined);
    for await (const { predicate } of client.attestations(
      reference('v1'),
      honest,
      () => true,
      () => undefined,
    )) {
      const evil = await pushImage(registry.host, 'shop/app', [tar(member({ name: 'bin/sh', mode: 0o4755 }, '\x7fELF evil'), member({ name: 'greeting' }, 'good day\n'))]); // prettier-ignore
      await attachInIndex(registry.host, 'shop/app', evil, [{ bytes: statementOf(evil.digest, predicate) }], 'evil');
    }
    const { verdict, statement } = await judge(reference('evil'));
    assert.equal(statement.source?.evidence, 'provenance');
    assert.deepEqual([verdict.result, verdict.auditable], ['suspicious', 'no'], verdict.summary);
  });

  it('from a changed working tree has the Dockerfile that was committed held against the one that was built', async () => {
    const tree = join(folder, 'tree');
    cpSync(join(repository.folder, 'services/web'), tree, { recursive: true });
    writeFileSync(
      join(tree, 'docker/web.Dockerfile'),
      `FROM ${registry.host}/shop/base:1\nRUN echo other > /greeting\nCOPY page.html /srv/page.html\n`,
    );
    await publish('dirty', {
      filename: 'docker/web.Dockerfile',
      'vcs:source': address(),
      'vcs:revision': `${commit}-dirty`,
      'vcs:localdir:context': 'services/web',
      'vcs:localdir:dockerfile': 'services/web',
      'attest:provenance': 'mode=max',
    }, tree); // prettier-ignore
    const { verdict, statement } = await judge(reference('dirty'));
    assert.deepEqual(statement.source?.location, { kind: 'git', url: address(), ref: commit, commit, subdir: 'services/web' });
    assert.equal(statement.provenance?.[0]?.uncommitted, true);
    assert.ok(codes(verdict).includes('uncommitted-source'), codes(verdict).join());
    const differs = verdict.findings.find(({ code }) => code === 'dockerfile-differs');
    assert.deepEqual(differs?.paths, ['docker/web.Dockerfile']);
    assert.match(differs?.evidence['diff'] ?? '', /\+RUN echo other > \/greeting/);
    assert.equal(statement.buildPlan?.dockerfile, 'docker/web.Dockerfile');
  });

  it('from a local folder alone says what is needed, and takes that', async () => {
    const local = join(folder, 'local');
    mkdirSync(local);
    writeFileSync(join(local, 'Dockerfile'), `FROM ${registry.host}/shop/base:1\nCOPY Dockerfile /srv/\n`);
    await publish('local', { 'attest:provenance': 'mode=max' }, local);
    const { verdict } = await judge(reference('local'));
    assert.deepEqual([verdict.result, verdict.reason], ['not-comparable', 'local-context']);
    assert.match(verdict.summary, /context.*PUT \/v1\/contexts/);
  });

  it('that needs a secret or an SSH key says which step does', async () => {
    for (const [type, line] of [
      ['secret,id=token', 3],
      ['ssh', 3],
    ] as const) {
      const made = repository.commit(type, {
        Dockerfile: `FROM ${registry.host}/shop/base:1\n\nRUN --mount=type=${type} echo done > /done\n`,
      });
      const tag = hexOf(await publish('needy', { context: `${address()}#${made}`, 'attest:provenance': 'mode=max' })).slice(0, 12);
      const { verdict } = await judge(reference('needy'));
      assert.deepEqual([verdict.result, verdict.reason], ['not-comparable', 'secret-required'], tag);
      const failed = verdict.findings.find(({ code }) => code === 'rebuild-failed');
      assert.equal(failed?.line, line);
      assert.match(failed?.message ?? '', new RegExp(`RUN --mount=type=${type}`));
    }
  });

  it('whose provenance leads to a private address or nowhere gets its verdict all the same', async () => {
    const image = await pushImage(registry.host, 'shop/lost', [tar(member({ name: 'a' }, 'a'))]);
    for (const [url, reason] of [
      ['http://10.1.2.3/a.git', 'policy-blocked'],
      [`${git.address}/none/.git`, 'input-gone'],
    ] as const) {
      const predicate = {
        buildDefinition: { resolvedDependencies: [{ uri: `git+${url}@refs/heads/main`, digest: { gitCommit: commit } }] },
      };
      await attachInIndex(registry.host, 'shop/lost', image, [{ bytes: statementOf(image.digest, predicate) }], 'it');
      const { verdict } = await judge(`${registry.host}/shop/lost:it`);
      assert.deepEqual([verdict.result, verdict.reason], ['not-comparable', reason], url);
    }
  });

  it("is found in its repository by a forge's own attestation among the referrers", async () => {
    const made = repository.commit('plain', {
      Dockerfile: `FROM ${registry.host}/shop/base:1\nCOPY services/web/page.html /srv/page.html\n`,
    });
    const digest = await publish('forge', { context: `${address()}#${made}` });
    const image = await makeRegistry({ fetch, insecure: [registry.host] }).resolve(reference('forge'));
    assert.equal(image.digest, digest);
    const { mediaType } = image.manifest;
    const predicate = {
      buildDefinition: {
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        resolvedDependencies: [{ uri: `git+${address()}@refs/heads/main`, digest: { gitCommit: made } }],
      },
    };
    await attachReferrer(registry.host, 'shop/app', { digest, descriptor: { mediaType, digest, size: 1 } }, statementOf(digest, predicate));
    const { verdict, statement } = await judge(reference('forge'));
    assert.deepEqual(statement.provenance?.map(({ attachedBy }) => attachedBy), ['referrers']); // prettier-ignore
    assert.ok(['identical', 'layers-identical', 'equivalent'].includes(verdict.result), verdict.summary);
  });
});
