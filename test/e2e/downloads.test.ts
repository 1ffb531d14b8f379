/** Images with downloads in them: pinned by the source, pinned by nobody, and by somebody who gives other bytes to others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { VerificationView } from '../../api/schemas.ts';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import { makePublisher } from '../../scripts/demo/publisher.ts';
import { digestOf, hexOf } from '../../src/model/digest.ts';
import type { AccountLine } from '../../src/model/verdict.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { member, tar } from '../support/tar.ts';
import { judged, program, startAsUser, type Started } from './world.ts';

const archiveOf = (tool: Buffer): Buffer =>
  gzipSync(tar(member({ name: 'tool-1/bin/tool', mode: 0o755 }, tool), member({ name: 'tool-1/words' }, 'words\n')));
const HONEST = archiveOf(program('a tool'));
const EVIL = archiveOf(program('another tool'));

describe('images with downloads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-downloads-'));
  let registry: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let server: Server;
  let service: Started;
  let answer = HONEST;
  let address: string;
  const posted = new Map<string, () => Promise<VerificationView>>();

  const fetched = (check: string): string =>
    `RUN wget -q -O /tmp/tool.tar.gz ADDRESS/tool.tar.gz${check} && tar -x -z -f /tmp/tool.tar.gz -C /opt && rm /tmp/tool.tar.gz`;
  const CASES: Record<string, { run: string; published?: Buffer; files?: Record<string, string> }> = {
    pinned: { run: fetched(` && echo '${hexOf(digestOf(HONEST))}  /tmp/tool.tar.gz' | sha256sum -c -`) },
    'pinned by a list': { run: `COPY sums /tmp/sha256sums\n${fetched(' && sha256sum -c /tmp/sha256sums')}`, files: { 'sha256sums': `${hexOf(digestOf(HONEST))}  /tmp/tool.tar.gz\n` } }, // prettier-ignore
    unpinned: { run: fetched(''), files: { 'README.md': `The tool's SHA-256 is ${hexOf(digestOf(HONEST))}.\n` } },
    'other bytes': { run: `${fetched('')} # built apart`, published: EVIL },
    setuid: {
      run: `${fetched(` && echo '${hexOf(digestOf(HONEST))}  /tmp/tool.tar.gz' | sha256sum -c -`)}\nRUN chmod 4755 /opt/tool-1/bin/tool`,
    },
  };

  before(async () => {
    registry = await startRegistry();
    git = await startGitServer(join(folder, 'repositories'));
    server = createServer((_request, response) => response.end(answer)).listen(0, '127.0.0.2');
    await once(server, 'listening');
    address = `http://127.0.0.2:${(server.address() as AddressInfo).port}`;
    service = await startAsUser(join(folder, 'service'), registry.host);
    const publisher = await makePublisher(folder, () => undefined);
    try {
      for (const [index, [name, { run, published, files }]] of Object.entries(CASES).entries()) {
        const repository = new TestRepository(join(folder, 'repositories', `app${index}`));
        const applets = ['sh', 'wget', 'tar', 'gzip', 'sha256sum', 'rm', 'chmod', 'cat'];
        const ref = repository.commit('all of it', {
          Dockerfile: `FROM scratch\nCOPY rootfs/ /\nENV PATH=/bin\n${run.replaceAll('ADDRESS', address).replace('COPY sums', 'COPY sha256sums')}\nENTRYPOINT ["/opt/tool-1/bin/tool"]\n`,
          'rootfs/bin/busybox': { executable: readFileSync('/bin/busybox') },
          ...Object.fromEntries(applets.map((applet) => [`rootfs/bin/${applet}`, { symlink: 'busybox' }])),
          'rootfs/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
          'rootfs/opt/.keep': '',
          'rootfs/tmp/.keep': '',
          ...files,
        });
        answer = published ?? HONEST;
        const image = `${registry.host}/tests/app${index}:1`;
        await publisher.publish(repository.folder, image);
        posted.set(name, () => judged(service, { image, source: { git: `${git.address}/app${index}/.git`, ref } }));
      }
    } finally {
      await publisher.close();
    }
    answer = HONEST;
  });
  after(async () => {
    await service?.stop();
    await git?.stop();
    await registry?.stop();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const judge = async (name: string) => {
    const view = await posted.get(name)!();
    assert.ok(view.verdict !== undefined, JSON.stringify(view.problem));
    const { items } = (await (await fetch(`${view.links.files}?limit=1000`)).json()) as { items: AccountLine[] };
    const tool = items.find(({ path }) => path === '/opt/tool-1/bin/tool');
    assert.ok(tool !== undefined);
    return { verdict: view.verdict, tool, found: view.verdict.findings.filter(({ code }) => code === 'unverified-download') };
  };

  it('is accounted for where a step holds the archive against a digest', async () => {
    for (const [name, pinnedIn] of [
      ['pinned', 'Dockerfile'],
      ['pinned by a list', 'sha256sums'],
    ] as const) {
      // prettier-ignore
      const { verdict, tool, found } = await judge(name);
      assert.equal(tool.attribution, 'download', JSON.stringify(verdict.findings));
      assert.deepEqual(
        [tool.evidence.url, tool.evidence.member, tool.evidence.pinnedIn],
        [`${address}/tool.tar.gz`, '/tool-1/bin/tool', pinnedIn],
      );
      assert.deepEqual(found, []);
      assert.equal(verdict.auditable, 'yes', JSON.stringify(verdict.findings));
    }
  });

  it('is a finding with address and line where nothing does, whatever a README says', async () => {
    const { verdict, tool, found } = await judge('unpinned');
    assert.equal(tool.attribution, 'rebuilt');
    assert.deepEqual(found.map(({ severity, line, evidence }) => [severity, line, evidence['url']]), [['high', 4, `${address}/tool.tar.gz`]]); // prettier-ignore
    assert.deepEqual(found[0]?.paths, ['/opt/tool-1/bin/tool', '/opt/tool-1/words']);
    assert.equal(verdict.auditable, 'partly');
  });

  it('is suspicious where the server gave other bytes to the publisher', async () => {
    const { verdict, tool } = await judge('other bytes');
    assert.equal(tool.attribution, 'unexplained');
    assert.equal(verdict.result, 'suspicious');
  });

  it('is no account of a program that the build makes setuid', async () => {
    const { verdict, tool } = await judge('setuid');
    assert.equal(tool.attribution, 'rebuilt');
    assert.notEqual(verdict.auditable, 'yes');
    assert.ok(verdict.findings.some(({ code, paths }) => code.includes('setuid') && paths.includes(tool.path)), JSON.stringify(verdict.findings)); // prettier-ignore
  });
});
