/** Who builds reproducibly gets the best answer: the rebuild has the very digest of the published manifest. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import { makePublisher, type Publisher } from '../../scripts/demo/publisher.ts';
import type { Statement } from '../../src/model/statement.ts';
import { type BuildkitOrder, needsBuildkit, publishWithBuildkit } from '../support/buildkit.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { judged, startAsUser, type Started } from './world.ts';

/** When the repository's only commit was made; see TestRepository. */
const COMMITTED = 1_700_000_000;
const LATER = COMMITTED + 86_400;

describe('an image that was built reproducibly', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-identical-'));
  const checkout = join(folder, 'checkout');
  let registry: TestRegistry;
  let other: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let publisher: Publisher;
  let service: Started;
  let source: { git: string; ref: string };
  const reference = (tag: string): string => `${registry.host}/twice/app:${tag}`;

  before(async () => {
    [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
    git = await startGitServer(join(folder, 'repositories'));
    publisher = await makePublisher(folder, () => undefined);
    const base = join(folder, 'base');
    for (const name of ['bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp']) mkdirSync(join(base, 'rootfs', name), { recursive: true });
    copyFileSync('/bin/busybox', join(base, 'rootfs/bin/sh'));
    writeFileSync(join(base, 'rootfs/etc/motd'), 'welcome\n');
    writeFileSync(join(base, 'Dockerfile'), 'FROM scratch\nCOPY rootfs /\nENV PATH=/bin\n');
    // Somebody else's: who built the base has it in another form than who pulled it.
    const maker = await makePublisher(folder, () => undefined);
    await maker.publish(base, `${registry.host}/twice/base:1`);
    await maker.close();
    const repository = new TestRepository(join(folder, 'repositories/app'));
    const commit = repository.commit('All of it', {
      Dockerfile: [
        `FROM ${registry.host}/twice/base:1 AS made`,
        'RUN echo made > /made',
        `FROM ${registry.host}/twice/base:1`,
        'LABEL org.example.made="twice"',
        'RUN rm /etc/motd && mkdir -p /opt/empty && echo done > /opt/done && ln -s done /opt/link && ln /opt/done /opt/again',
        'COPY page.html /srv/page.html',
        'COPY --chown=1000:1000 tree /srv/tree/',
        'COPY --from=made /made /',
        'WORKDIR /work',
        'USER 1000:1000',
        'ENTRYPOINT ["/bin/sh"]',
        '',
      ].join('\n'),
      'page.html': '<h1>Page</h1>\n',
      'tree/one/program': { executable: '#!/bin/sh\n' },
      'tree/link': { symlink: 'one/program' },
    });
    source = { git: `${git.address}/app/.git`, ref: commit };
    cpSync(repository.folder, checkout, { recursive: true, verbatimSymlinks: true });
    service = await startAsUser(join(folder, 'service'), `${registry.host},${other.host}`);
  });
  after(async () => {
    await service?.stop();
    await publisher?.close();
    await git?.stop();
    await Promise.all([registry?.stop(), other?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Judges the image; the result, with what explains it where it is another one. */
  const resultOf = async (image: string, builder: 'buildah' | 'buildkit'): Promise<[string, string]> => {
    const view = await judged(service, { image, source });
    assert.ok(view.verdict !== undefined, JSON.stringify(view.problem));
    const { predicate } = (await (await fetch(view.links.verdict ?? '')).json()) as Statement;
    assert.equal(predicate.buildPlan?.builder, builder);
    const differences = await (await fetch(`${view.links.differences}?limit=100`)).text();
    return [view.verdict.result, `${view.verdict.summary} ${JSON.stringify(predicate.buildPlan)} ${differences}`];
  };

  const kit: { what: string; epoch: number; output?: BuildkitOrder['output']; local?: true }[] = [
    { what: 'a repository, at the time of the commit', epoch: COMMITTED },
    { what: 'a repository, at a later time, with media types of Docker', epoch: LATER, output: { 'oci-mediatypes': 'false' } },
    { what: 'a repository, with layers in zstd', epoch: LATER, output: { compression: 'zstd' } },
    { what: 'a folder, whose files have the times of their checkout', epoch: LATER, local: true },
  ];
  for (const [index, { what, epoch, output = {}, local = false }] of kit.entries()) {
    it(`by BuildKit from ${what}`, needsBuildkit, async () => {
      const image = reference(`kit-${index}`);
      await publishWithBuildkit({
        context: checkout,
        reference: image,
        opts: { 'build-arg:SOURCE_DATE_EPOCH': String(epoch), ...(local ? {} : { context: `${source.git}#${source.ref}` }) },
        output: { 'rewrite-timestamp': 'true', ...output },
      });
      const [result, why] = await resultOf(image, 'buildkit');
      assert.equal(result, 'identical', why);
    });
  }

  const buildah: { what: string; args: string[]; elsewhere?: true; result?: 'layers-identical' }[] = [
    { what: 'a layer for each step', args: ['--layers', '--format=oci'] },
    { what: 'one layer', args: ['--layers=false', '--format=oci'] },
    { what: 'one layer, pushed where the base is not', args: ['--layers=false', '--format=oci'], elsewhere: true },
    // In this format buildah notes the random id and name of the container it built in: nobody builds such a configuration twice.
    { what: "a layer for each step, in Docker's format", args: ['--layers', '--format=docker'], result: 'layers-identical' },
  ];
  for (const [index, { what, args, elsewhere = false, result: expected = 'identical' }] of buildah.entries()) {
    it(`by buildah with ${what}${expected === 'identical' ? '' : `, as far as can be: ${expected}`}`, async () => {
      const image = elsewhere ? `${other.host}/twice/app:1` : reference(`buildah-${index}`);
      await publisher.publish(checkout, image, { args: [...args, `--timestamp=${LATER}`], push: [] });
      const [result, why] = await resultOf(image, 'buildah');
      assert.equal(result, expected, why);
    });
  }
});
