import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { extract } from 'tar-stream';
import { type GitOptions, sweepClones } from '../../../src/adapters/git/git.ts';
import type { Git } from '../../../src/ports.ts';
import type { ProblemCode } from '../../../src/problem.ts';
import { startGitServer } from '../../../scripts/demo/git-server.ts';
import { makeLoopbackGit } from '../../support/git.ts';
import { TestRepository } from '../../support/repository.ts';

type Member = { name: string; type: string; mode: number; linkname: string | null; uid: number; mtime: number; body: Buffer };

async function members(tar: AsyncIterable<Uint8Array>): Promise<Member[]> {
  const found: Member[] = [];
  const reader = extract({ filenameEncoding: 'latin1' } as object);
  Readable.from(tar).pipe(reader);
  for await (const entry of reader) {
    const { name, type, mode, linkname, uid, mtime } = entry.header;
    found.push({
      name,
      type: type ?? '',
      mode: mode ?? 0,
      linkname: linkname ?? null,
      uid: uid ?? -1,
      mtime: (mtime?.getTime() ?? 0) / 1000,
      body: await buffer(entry),
    });
  }
  return found;
}

const sha256 = (text: string | Buffer): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const isProblem =
  (code: ProblemCode, text?: RegExp) =>
  (thrown: unknown): true => {
    assert.equal((thrown as { code?: string }).code, code, String(thrown));
    if (text !== undefined) assert.match((thrown as Error).message, text);
    return true;
  };

describe('git over HTTP', () => {
  const root = mkdtempSync(join(tmpdir(), 'conforme-git-test-'));
  const work = join(root, 'work');
  let server: Awaited<ReturnType<typeof startGitServer>>;
  let repository: TestRepository;
  let commits: string[] = [];
  let url = '';

  const gitThrough = (allow: string[], more: Partial<GitOptions> = {}): Git => makeLoopbackGit(work, allow, more);
  const git = gitThrough(['127.0.0.0/8']);
  const fetched = async <Result>(
    source: Parameters<Git['fetch']>[0],
    use: (result: Awaited<ReturnType<Git['fetch']>>) => Promise<Result>,
  ): Promise<Result> => {
    const result = await git.fetch(source);
    try {
      return await use(result);
    } finally {
      await result.done();
    }
  };

  before(async () => {
    repository = new TestRepository(join(root, 'repositories', 'app'));
    const first = repository.commit('first', {
      Dockerfile: 'FROM scratch\n',
      'app/page.html': '<p>one</p>\n',
      '.gitattributes': 'app/page.html export-ignore\n*.txt text eol=crlf\nv.txt ident export-subst\n',
      'v.txt': '$Id$ $Format:%H$\n',
    });
    repository.git('tag', '-a', 'v1', '-m', 'annotated');
    const second = repository.commit('second', {
      'app/page.html': '<p>two</p>\n',
      'app/run.sh': { executable: '#!/bin/sh\n' },
      'app/link': { symlink: '/etc/passwd' },
    });
    repository.git('checkout', '--quiet', '-b', 'side', first);
    const third = repository.commit('third', { 'app/page.html': '<p>side</p>\n', [`app/${'long/'.repeat(30)}name`]: 'deep' });
    repository.git('checkout', '--quiet', 'main');
    commits = [first, second, third];
    server = await startGitServer(join(root, 'repositories'));
    url = `${server.address}/app/.git`;
  });
  after(async () => {
    await server.stop();
    assert.deepEqual(readdirSync(work), [], 'every clone is removed');
    rmSync(root, { recursive: true });
  });

  it('streams exact bytes, modes and links of the default branch', () =>
    fetched({ url }, async ({ commit, tar }) => {
      assert.equal(commit, commits[1]);
      const all = await members(tar);
      assert.deepEqual(
        all.map(({ name, type, mode }) => [name, type, mode.toString(8)]),
        [
          ['.gitattributes', 'file', '644'],
          ['Dockerfile', 'file', '644'],
          ['app/', 'directory', '755'],
          ['app/link', 'symlink', '777'],
          ['app/page.html', 'file', '644'],
          ['app/run.sh', 'file', '755'],
          ['v.txt', 'file', '644'],
        ],
      );
      assert.equal(all.find(({ name }) => name === 'app/link')?.linkname, '/etc/passwd');
      assert.equal(all.find(({ name }) => name === 'v.txt')?.body.toString(), '$Id$ $Format:%H$\n', 'no filter, no substitution');
      assert.ok(all.every(({ uid, mtime }) => uid === 0 && mtime === 1_700_000_120));
    }));

  it('pins branch, tag, full and short commits', async () => {
    const [first = '', second = '', third = ''] = commits;
    for (const [ref, commit] of [
      ['main', second],
      ['refs/heads/side', third],
      ['v1', first],
      [first, first],
      [third.slice(0, 9), third],
      [first.toUpperCase(), first],
    ] as const) {
      assert.equal(await fetched({ url, ref }, async (result) => result.commit), commit, ref);
    }
  });

  it('tells what a name means now, without a clone', async () => {
    const [first, second, third] = commits;
    for (const [ref, commit] of [
      [undefined, second],
      ['main', second],
      ['refs/heads/side', third],
      ['v1', first], // annotated: the commit, not the tag's own object
      ['no-such-branch', undefined],
      [first, undefined],
    ] as const) {
      assert.equal(await git.pin({ url, ...(ref === undefined ? {} : { ref }) }), commit, ref);
    }
    await assert.rejects(git.pin({ url, ref: '--upload-pack=x' }), isProblem('invalid-source'));
    await assert.rejects(gitThrough([]).pin({ url }), isProblem('address-refused'));
  });

  it('removes what a killed process left, and nothing that is at work', async () => {
    const swept = mkdtempSync(join(root, 'swept-'));
    for (const name of ['git-old', 'git-new', 'other']) mkdirSync(join(swept, name));
    for (const name of ['git-old', 'other']) utimesSync(join(swept, name), 0, 0);
    await sweepClones(swept, new Date());
    assert.deepEqual(readdirSync(swept).sort(), ['git-new', 'other']);
    await sweepClones(join(root, 'no-such-folder'), new Date());
  });

  it('gives the files of a folder, with long names', () =>
    fetched({ url, ref: 'side', subdir: '/app/' }, async ({ tar }) => {
      const names = (await members(tar)).map(({ name }) => name);
      assert.ok(names.includes(`${'long/'.repeat(30)}name`));
      assert.ok(names.includes('page.html'));
    }));

  it('keeps names that are not UTF-8', async () => {
    const odd = new TestRepository(join(root, 'repositories', 'odd'));
    writeFileSync(Buffer.concat([Buffer.from(`${odd.folder}/caf`), Buffer.from([0xe9])]), 'latin');
    odd.commit('odd', {});
    await fetched({ url: `${server.address}/odd/.git` }, async ({ tar, history }) => {
      assert.deepEqual(
        (await members(tar)).map(({ name }) => name),
        ['caf\xe9'],
      );
      assert.deepEqual((await history()).files, []);
    });
  });

  it('traces files to other commits, newest first', () =>
    fetched({ url, subdir: 'app' }, async ({ history }) => {
      const { files, complete } = await history();
      const [first, , third] = commits;
      assert.equal(complete, true);
      assert.deepEqual(files, [
        { path: `${'long/'.repeat(30)}name`, digest: sha256('deep'), commit: third },
        { path: 'page.html', digest: sha256('<p>side</p>\n'), commit: third },
        { path: 'page.html', digest: sha256('<p>one</p>\n'), commit: first },
      ]);
    }));

  it('caps the history and says so', async () => {
    for (const limits of [{ commits: 1 }, { files: 1 }, { bytes: 12 }, { fileBytes: 5 }]) {
      const capped = gitThrough(['127.0.0.0/8'], { historyLimits: { commits: 100, files: 100, bytes: 1e6, fileBytes: 1e6, ...limits } });
      const result = await capped.fetch({ url, subdir: 'app' });
      const { files, complete } = await result.history();
      await result.done();
      assert.equal(complete, false, JSON.stringify(limits));
      assert.ok(files.length < 3, JSON.stringify(limits));
    }
  });

  it('names what is wrong with a source', async () => {
    const cases: [Parameters<Git['fetch']>[0], ProblemCode, RegExp][] = [
      [{ url, ref: 'nowhere' }, 'invalid-source', /nowhere/],
      [{ url, ref: 'deadbeef'.repeat(5) }, 'invalid-source', /deadbeef/],
      [{ url, ref: '--upload-pack=touch /tmp/x' }, 'invalid-source', /not a name/],
      [{ url, subdir: 'nowhere' }, 'invalid-source', /no folder nowhere/],
      [{ url, subdir: 'Dockerfile' }, 'invalid-source', /no folder/],
      [{ url, subdir: '../x' }, 'invalid-source', /leaves/],
      [{ url: `${server.address}/none/.git` }, 'invalid-source', /no public git repository/],
      [{ url: 'ext::sh -c id' }, 'invalid-source', /http/],
      [{ url: 'file:///etc' }, 'invalid-source', /http/],
      [{ url: 'http://user:pass@127.0.0.1/x' }, 'invalid-source', /credentials/],
      [{ url: 'http://127.0.0.1:1/x' }, 'source-unavailable', /cannot be fetched/],
    ];
    for (const [source, code, text] of cases) await assert.rejects(git.fetch(source), isProblem(code, text), JSON.stringify(source));
  });

  it('refuses a private address, also behind a redirect', async () => {
    await assert.rejects(gitThrough([]).fetch({ url }), isProblem('address-refused', /127\.0\.0\.1/));
    const redirecting: Server = createServer((request, response) => {
      response.writeHead(302, { location: `http://127.0.0.2:${new URL(url).port}/app/.git${request.url ?? ''}` }).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => redirecting.once('listening', resolve));
    const from = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
    await assert.rejects(gitThrough(['127.0.0.1/32']).fetch({ url: from }), isProblem('address-refused', /127\.0\.0\.2/));
    redirecting.close();
  });

  it('bounds what a repository unfolds to', async () => {
    const bomb = new TestRepository(join(root, 'repositories', 'bomb'));
    bomb.commit('bomb', { file: 'x'.repeat(1000) });
    let tree = bomb.git('rev-parse', 'HEAD^{tree}');
    for (let level = 0; level < 8; level += 1) {
      const listing = Array.from({ length: 10 }, (_, index) => `040000 tree ${tree}\td${index}`).join('\n');
      tree = bomb.makeTree(listing);
    }
    const commit = bomb.git('commit-tree', tree, '-m', 'a hundred million files');
    bomb.git('update-ref', 'refs/heads/main', commit);
    await assert.rejects(git.fetch({ url: `${server.address}/bomb/.git` }), isProblem('invalid-source', /too large|more than/));
  });

  it('ends a fetch that takes too long or too much', async () => {
    const big = new TestRepository(join(root, 'repositories', 'big'));
    big.commit('big', { noise: Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(Math.random() * 256))) });
    await assert.rejects(
      gitThrough(['127.0.0.0/8'], { limits: { packBytes: 100_000 } }).fetch({ url: `${server.address}/big/.git` }),
      isProblem('invalid-source', /larger than 100000/),
    );
    const silent: Server = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    await assert.rejects(
      gitThrough(['127.0.0.0/8'], { limits: { seconds: 1 } }).fetch({
        url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x`,
      }),
      isProblem('source-unavailable', /longer than 1 second/),
    );
    silent.closeAllConnections();
    silent.close();
  });
});
