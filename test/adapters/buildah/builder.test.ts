import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readdir, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { buildah } from '../../../src/adapters/buildah/buildah.ts';
import type { BuildPlan } from '../../../src/model/rebuild.ts';
import {
  assertLimits,
  assertTold,
  type Failures,
  SAME_FAILURES,
  buildWith,
  failure,
  filesOf,
  type BuildMore,
} from '../environment/builds.ts';
import { busyboxBase, planOf, sha256, temporaryFolder, type Base } from '../environment/support.ts';

const folder = await temporaryFolder();
const base: Base = await busyboxBase('docker.io/library/small:1');

// What a build may fetch, and what it may not: the same program, at an address that is allowed and as one that is not.
const server = createServer((request, response) => {
  if (request.url === '/gone') response.writeHead(404).end('404 gone');
  else response.writeHead(200, { 'content-type': 'text/plain' }).end('fetched');
});

const build = (dockerfile: string, more: BuildMore = {}) => buildWith({ program: buildah, folder: folder.path, base, dockerfile, more });
const failureOf = async (...order: Parameters<typeof build>) => failure(await build(...order));

describe('the buildah builder', { concurrency: 2 }, () => {
  let port = 0;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  });
  after(async () => {
    server.close();
    assert.deepEqual(await readdir(folder.path), [], 'nothing of any build is left');
    await folder[Symbol.asyncDispose]();
  });

  it('builds stages, arguments and copies on the pinned base, whatever the FROM calls it', async () => {
    const dockerfile = [
      'ARG NAME=nothing',
      'FROM ${NAME}:1 AS one',
      'ARG WORD',
      'RUN echo "$WORD" > /word',
      `FROM small@${base.image.digest}`,
      'COPY --from=one /word /',
      'COPY page /',
      'ENV A=1',
      'CMD ["/word"]',
    ].join('\n');
    const bases = ['small:1', `small@${base.image.digest}`].map((reference) => ({ ...planOf(base).bases[0]!, reference }));
    const plan = { bases, buildArgs: { NAME: 'small', WORD: 'hello', http_proxy: 'http://192.0.2.1/' } };
    const { outcome, builderVersion, lines, done } = await build(dockerfile, { plan, files: { page: 'a page' }, gzip: true });
    assert.equal(outcome.status, 'built', lines.join('\n'));
    const { image } = outcome;
    assert.match(builderVersion, /^\d+\.\d+/);
    assert.ok(lines.some((line) => line.includes('STEP')));
    const files = await filesOf(image);
    assert.equal(files.get('word'), 'hello\n');
    assert.equal(files.get('page'), 'a page');
    assert.deepEqual(image.config.config?.Cmd, ['/word']);
    assert.equal(image.config.rootfs.diff_ids[0], base.image.config.rootfs.diff_ids[0]);
    assert.equal(image.config.rootfs.diff_ids.length, 3);
    assert.equal(image.config.created, '2023-11-14T22:13:20Z');
    assert.doesNotMatch(JSON.stringify([image.config, image.manifest]), /proxy|3128/i);
    await done();
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => !name.startsWith('job-')),
      [],
    );
  });

  it('builds the same bytes twice, in OCI and in Docker format, with one layer a step and with one for all', async () => {
    const make = async (plan: Partial<BuildPlan>) => {
      const { outcome, done } = await build('FROM small:1\nRUN echo a > /a\nRUN echo b > /b\n', { plan });
      assert.equal(outcome.status, 'built');
      await done();
      return outcome.image;
    };
    const [first, second] = [await make({}), await make({ compression: 'gzip' })];
    assert.deepEqual(first.config, second.config);
    assert.equal(first.manifest.config.digest, second.manifest.config.digest);
    assert.equal(first.manifest.layers.length, 3);
    assert.match(first.manifest.layers[2]?.mediaType ?? '', /tar$/);
    assert.match(second.manifest.layers[2]?.mediaType ?? '', /tar\+gzip$/);
    assert.equal((await make({ compression: 'gzip' })).manifestDigest, second.manifestDigest);
    // Docker's configuration has the name of the container in it: layers alone can be equal.
    const docker = await make({ format: 'docker' });
    assert.match(docker.manifest.config.mediaType, /docker/);
    assert.deepEqual(docker.config.rootfs, first.config.rootfs);
    assert.equal((await make({ layers: 'one' })).manifest.layers.length, 2);
  });

  it('lets apt take an archive as it was, which nothing in the image tells, nor changes where the Dockerfile has it otherwise', async () => {
    const dockerfile = (more: string) => `FROM small:1\n${more}RUN env | grep APT_CONFIG; cat $APT_CONFIG; echo '"env":[' > /a\n`;
    const asOf = { time: '2023-01-01T00:00:00Z', from: 'dpkg-log' } as const;
    const past = await build(dockerfile(''), { plan: { asOf } });
    assert.ok(past.lines.includes('APT_CONFIG=/dev/conforme-apt.conf'), past.lines.join('\n'));
    assert.ok(past.lines.includes('Acquire::Check-Valid-Until "false";'));
    const now = await build(dockerfile(''), { plan: {} });
    assert.ok(!now.lines.some((line) => line.startsWith('APT_CONFIG')));
    assert.ok(past.outcome.status === 'built' && now.outcome.status === 'built');
    assert.equal(past.outcome.image.manifestDigest, now.outcome.image.manifestDigest);
    const own = await build(dockerfile('ENV APT_CONFIG=/etc/group\n'), { plan: { asOf } });
    assert.ok(own.lines.includes('root:x:0:') && !own.lines.includes('Acquire::Check-Valid-Until "false";'));
    await Promise.all([past.done(), now.done(), own.done()]);
  });

  it('records what is fetched, and nothing else is reachable', async () => {
    const { outcome, resolvedDependencies, lines, done } = await build(
      [
        'FROM small:1',
        `RUN wget -q -O /fetched http://127.0.0.1:${port}/file`,
        'RUN if wget -q -O /x http://169.254.169.254/latest/meta-data; then echo reached; fi',
        `RUN if env -u http_proxy -u HTTP_PROXY wget -q -T 2 -O /x http://127.0.0.1:${port}/file; then echo reached; fi`,
        'RUN if nc -w 2 10.0.0.1 80; then echo reached; fi',
      ].join('\n'),
      { plan: {} },
    );
    assert.equal(outcome.status, 'built', lines.join('\n'));
    assert.ok(!lines.includes('reached'), lines.join('\n'));
    const files = await filesOf(outcome.image);
    assert.equal(files.get('fetched'), 'fetched');
    await done();
    const fetched = resolvedDependencies.find(({ uri }) => uri.endsWith('/file'));
    assert.deepEqual(fetched, {
      uri: `http://127.0.0.1:${port}/file`,
      digest: { sha256: sha256('fetched').slice(7) },
      annotations: { method: 'GET', status: 200, size: 7, mediaType: 'text/plain' },
    });
    assert.ok(resolvedDependencies.every(({ uri }) => !uri.includes('169.254')));
  });

  const failures: Failures = [
    ['a step that fails, with its line', 'FROM small:1\n# why\nRUN echo working && \\\n  exit 7\n', { reason: 'build-failed', line: 3 }],
    ['a Dockerfile that does not parse', 'FROM small:1\nFORM x\n', { reason: 'build-failed' }],
    ['a Dockerfile without FROM', 'RUN true\n', { reason: 'build-failed' }],
    ['a base that was not pinned', 'FROM other:2\n', { reason: 'build-failed' }],
    ...SAME_FAILURES,
  ];
  for (const [what, dockerfile, expected] of failures) it(`tells ${what}`, () => assertTold(failureOf, dockerfile, expected));

  it('tells an input that is gone', async () => {
    const { reason, detail } = await failureOf(`FROM small:1\nRUN wget http://127.0.0.1:${port}/gone\n`);
    assert.equal(reason, 'input-gone', detail);
  });

  it('tells another processor', async () => {
    assert.equal((await failureOf('FROM small:1\n', { plan: { platform: { os: 'linux', architecture: 's390x' } } })).reason, 'unsupported');
  });

  it('tells each limit', () => assertLimits(failureOf, 200 * 1024 ** 2));

  it('builds a second time under other conditions, and says which', async () => {
    const names = Array.from({ length: 30 }, (_one, index) => `/d/${index}`).join(' ');
    const dockerfile = `FROM small:1\nRUN mkdir /d && touch ${names} && busybox find /d > /order && busybox nproc > /nproc\n`;
    const make = async (more: BuildMore) => {
      const { outcome, conditions, done } = await build(dockerfile, more);
      assert.equal(outcome.status, 'built');
      const files = await filesOf(outcome.image);
      await done();
      return { conditions, files };
    };
    const first = await make({});
    const second = await make({ unlike: first.conditions });
    for (const { conditions, files } of [first, second]) assert.equal(files.get('nproc'), `${conditions.processors}\n`);
    assert.equal(first.conditions.processors, availableParallelism());
    assert.equal(second.conditions.processors, Math.max(1, availableParallelism() - 1));
    assert.notEqual(second.conditions.hostName, first.conditions.hostName);
    assert.ok(second.conditions.startedAt > first.conditions.startedAt);
    assert.equal(second.conditions.storage, 'disk');
    const onTmpfs = (await statfs(folder.path)).type === 0x01021994; // TMPFS_MAGIC
    if (first.conditions.storage === 'memory' && !onTmpfs) assert.notEqual(first.files.get('order'), second.files.get('order'));
    const third = await make({ unlike: second.conditions });
    assert.deepEqual([third.conditions.hostName, third.conditions.processors], [first.conditions.hostName, first.conditions.processors]);
    const late = await failureOf('FROM small:1\nRUN sleep 60\n', { unlike: first.conditions, seconds: 5 });
    assert.equal(late.reason, 'timeout');
  });

  it('cannot be led out of its folder by a context', async () => {
    const { outcome, done } = await build('FROM small:1\nCOPY . /all\n', { files: { '../../escaped': 'x' } });
    await done();
    assert.ok(outcome.status === 'not-comparable' || !(await filesOf(outcome.image)).has('escaped'));
    assert.ok(!(await readdir(folder.path)).includes('escaped'));
  });
});
