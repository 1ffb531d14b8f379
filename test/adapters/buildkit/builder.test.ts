import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { findBuildkit } from '../../../src/adapters/buildkit/buildkit.ts';
import type { BuildPlan } from '../../../src/model/rebuild.ts';
import { BUILDKIT, needsBuildkit } from '../../support/buildkit.ts';
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
const program = needsBuildkit.skip === undefined ? (await findBuildkit(BUILDKIT))! : (undefined as never);

const server = createServer((request, response) => {
  if (request.url === '/gone') response.writeHead(404).end('404 gone');
  else response.writeHead(200, { 'content-type': 'text/plain' }).end('fetched');
});

const build = (dockerfile: string, more: BuildMore = {}) => buildWith({ program, folder: folder.path, base, dockerfile, more });
const failureOf = async (...order: Parameters<typeof build>) => failure(await build(...order));

async function processesOfJobs(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (text.includes('/job/run/buildkitd') || text.includes(folder.path)) found.push(text.replaceAll('\0', ' '));
  }
  return found;
}

describe('the BuildKit builder', { concurrency: 2, ...needsBuildkit }, () => {
  let port = 0;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  });
  after(async () => {
    server.close();
    assert.deepEqual(await readdir(folder.path), [], 'nothing of any build is left');
    assert.deepEqual(await processesOfJobs(), []);
    assert.equal((await readFile('/proc/self/mountinfo', 'utf8')).includes(folder.path), false);
    await folder[Symbol.asyncDispose]();
  });

  it('builds stages, arguments, here-documents and mounts on the pinned base, and only the stages that are needed', async () => {
    const dockerfile = [
      '# syntax=docker/dockerfile:1',
      'ARG NAME=nothing',
      'FROM ${NAME}:1 AS one',
      'ARG WORD',
      'RUN echo "$WORD" > /word',
      'FROM nowhere.example/not-pinned:3 AS unused',
      'RUN false',
      `FROM small@${base.image.digest} AS last`,
      'SHELL ["/bin/sh", "-e", "-c"]',
      'RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch --mount=from=one,target=/one <<end',
      'cat /one/word > /copied',
      'touch /cache/x /scratch/y',
      'end',
      'COPY --link --chmod=600 --from=one /word /',
      'COPY --exclude=*.txt . /all/',
      'COPY <<here /here',
      'a here-document',
      'here',
      'HEALTHCHECK --interval=5s --start-interval=1s CMD true',
      'ONBUILD RUN true',
      'ENV A=1',
      'CMD ["/word"]',
    ].join('\n');
    const bases = ['small:1', `small@${base.image.digest}`].map((reference) => ({ ...planOf(base).bases[0]!, reference }));
    const plan = { bases, target: 'last', buildArgs: { NAME: 'small', WORD: 'hello, world', http_proxy: 'http://192.0.2.1/' } };
    const files = { page: 'a page', 'left.txt': 'x', ignored: 'y', '.dockerignore': 'ignored\n' };
    const { outcome, builderVersion, lines, done } = await build(dockerfile, { plan, files, gzip: true });
    assert.equal(outcome.status, 'built', lines.join('\n'));
    const { image } = outcome;
    assert.match(builderVersion, /^\d+\.\d+\.\d+/);
    const contents = await filesOf(image);
    assert.equal(contents.get('word'), 'hello, world\n');
    assert.equal(contents.get('copied'), 'hello, world\n');
    assert.equal(contents.get('here'), 'a here-document\n');
    assert.deepEqual([...contents.keys()].filter((name) => /^all\/./.test(name)).sort(), [
      'all/.dockerignore',
      'all/Dockerfile',
      'all/page',
    ]);
    assert.deepEqual(image.config.config?.Cmd, ['/word']);
    assert.deepEqual(image.config.config?.OnBuild, ['RUN true']);
    assert.equal(image.config.config?.Healthcheck?.['StartInterval'], 1_000_000_000);
    assert.equal(image.config.rootfs.diff_ids[0], base.image.config.rootfs.diff_ids[0]);
    assert.equal(image.manifest.layers[0]?.digest, base.image.manifest.layers[0]?.digest);
    assert.equal(image.config.created, '2023-11-14T22:13:20Z');
    assert.equal(image.config.history?.at(-1)?.comment, 'buildkit.dockerfile.v0');
    contents.delete('bin/busybox');
    assert.doesNotMatch(JSON.stringify([image.config, image.manifest, [...contents]]), /proxy|3128/i);
    await done();
  });

  it('lets a step rename a folder that it made, as dpkg does', async () => {
    const step = 'mkdir /etc/new && ls -di /etc/new > /before && mv /etc/new /etc/renamed && ls -di /etc/renamed > /after';
    const { outcome, lines, done } = await build(`FROM small:1\nRUN ${step}\n`);
    assert.equal(outcome.status, 'built', lines.join('\n'));
    const contents = await filesOf(outcome.image);
    const inode = (name: string) => contents.get(name)?.trim().split(' ')[0];
    // mv copies where the kernel does not rename.
    assert.match(inode('before') ?? '', /^\d+$/);
    assert.equal(inode('after'), inode('before'));
    await done();
  });

  it('builds the same manifest twice, in each format and compression', async () => {
    const make = async (plan: Partial<BuildPlan>) => {
      const { outcome, done, lines } = await build('FROM small:1\nRUN echo a > /a\nRUN echo b > /b\n', { plan });
      assert.equal(outcome.status, 'built', lines.join('\n'));
      await done();
      return outcome.image;
    };
    const [plain, gzip] = [await make({}), await make({ compression: 'gzip' })];
    assert.deepEqual(plain.config, gzip.config);
    assert.match(plain.manifest.layers[2]?.mediaType ?? '', /tar$/);
    assert.match(gzip.manifest.layers[2]?.mediaType ?? '', /tar\+gzip$/);
    assert.equal((await make({ compression: 'gzip' })).manifestDigest, gzip.manifestDigest);
    assert.match((await make({ compression: 'zstd' })).manifest.layers[2]?.mediaType ?? '', /zstd$/);
    const docker = await make({ format: 'docker', compression: 'gzip' });
    assert.equal(docker.manifest.mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
    assert.match(docker.manifest.layers[2]?.mediaType ?? '', /docker.*gzip$/);
    assert.deepEqual(docker.config, gzip.config);
  });

  it('records what is fetched, and nothing else is reachable', async () => {
    const { outcome, resolvedDependencies, lines, done } = await build(
      [
        'FROM small:1',
        // Go's programs ask no proxy about an address of loopback that they recognise as one.
        `ADD http://127.1:${port}/added /added`,
        `RUN wget -q -O /fetched http://127.0.0.1:${port}/file`,
        'RUN if wget -q -O /x http://169.254.169.254/latest/meta-data; then echo reached > /reached; fi',
        `RUN if env -u http_proxy -u HTTP_PROXY wget -q -T 2 -O /x http://127.0.0.1:${port}/file; then echo reached > /reached; fi`,
        'RUN --network=host if nc -w 2 10.0.0.1 80; then echo reached > /reached; fi',
        'RUN --network=none if wget -q -T 2 -O /x http://127.0.0.1:3128/; then echo reached > /reached; fi',
        'RUN if ls /job /job/run/buildkitd.sock /run/buildkit; then echo reached > /reached; fi',
        'RUN id -u; mount -t tmpfs none /tmp && echo reached > /reached; unshare -U true && echo reached > /reached; true',
      ].join('\n'),
    );
    assert.equal(outcome.status, 'built', lines.join('\n'));
    const contents = await filesOf(outcome.image);
    assert.equal(contents.get('fetched'), 'fetched');
    assert.equal(contents.get('added'), 'fetched');
    assert.ok(!contents.has('reached'), lines.join('\n'));
    await done();
    const fetched = resolvedDependencies.filter(({ digest }) => digest?.sha256 === sha256('fetched').slice(7)).map(({ uri }) => uri);
    assert.deepEqual([...new Set(fetched)].sort(), [`http://127.0.0.1:${port}/added`, `http://127.0.0.1:${port}/file`]);
    assert.ok(resolvedDependencies.every(({ uri }) => !uri.includes('169.254')));
  });

  const failures: Failures = [
    ['a step that fails, with its line', 'FROM small:1\n# why\nRUN echo working && \\\n  exit 7\n', { reason: 'build-failed', line: 3 }],
    ['a Dockerfile that does not parse', 'FROM small:1\nFORM x\n', { reason: 'build-failed', line: 2 }],
    ['a Dockerfile without FROM', 'RUN true\n', { reason: 'build-failed' }],
    ['a base that was not pinned', 'FROM other:2\n', { reason: 'unsupported', line: 1 }],
    ['an image of a copy that was not pinned', 'FROM small:1\nCOPY --from=other:2 /x /\n', { reason: 'unsupported', line: 2 }],
    ['a program that is not there', 'FROM small:1\nRUN ["/bin/nothing"]\n', { reason: 'build-failed', line: 2 }],
    ['a privileged step', 'FROM small:1\nRUN --security=insecure true\n', { reason: 'unsupported' }],
    ...SAME_FAILURES,
  ];
  for (const [what, dockerfile, expected] of failures) it(`tells ${what}`, () => assertTold(failureOf, dockerfile, expected));

  it('tells an input that is gone', async () => {
    const { reason, detail } = await failureOf(`FROM small:1\nRUN wget http://127.0.0.1:${port}/gone\n`);
    assert.equal(reason, 'input-gone', detail);
  });

  it('gives steps of a build of the past what apt needs for it, and leaves no trace', async () => {
    const dockerfile = (env: string) => `FROM small:1\n${env}RUN env; cat "$APT_CONFIG"; hostname; echo done > /done\n`;
    const asOf = { time: '2023-01-01T00:00:00Z', from: 'dpkg-log' } as const;
    const past = await build(dockerfile(''), { plan: { asOf } });
    const said = (text: string) => past.lines.some((line) => line.endsWith(text));
    assert.ok(said(' APT_CONFIG=/dev/conforme-apt.conf') && said('Acquire::Check-Valid-Until "false";'), past.lines.join('\n'));
    assert.ok(said(' buildkitsandbox'));
    const now = await build(dockerfile('').replace('cat "$APT_CONFIG"', 'cat "$APT_CONFIG" || true'), {});
    const other = await build(dockerfile(''), { plan: { asOf }, unlike: past.conditions });
    assert.ok(
      other.lines.some((line) => line.endsWith(' rebuild')),
      other.lines.join('\n'),
    );
    assert.ok(past.outcome.status === 'built' && now.outcome.status === 'built' && other.outcome.status === 'built');
    assert.equal(past.outcome.image.manifestDigest, other.outcome.image.manifestDigest);
    assert.deepEqual(past.outcome.image.config.rootfs, now.outcome.image.config.rootfs);
    await Promise.all([past.done(), now.done(), other.done()]);
  });

  it('tells each limit', () => assertLimits(failureOf, 300 * 1024 ** 2));

  it('stops at once when it is told to', async () => {
    await assert.rejects(build('FROM small:1\nRUN sleep 60\n', { signal: AbortSignal.timeout(3000) }), { name: 'TimeoutError' });
  });
});

it('has to be in the folder that is named', async () => {
  await assert.rejects(findBuildkit('/nonexistent'), { code: 'environment-missing' });
});
