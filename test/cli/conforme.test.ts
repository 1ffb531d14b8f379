import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { exitCodeOf } from '../../api/commands/shared.ts';
import { packContext } from '../../api/context-tar.ts';
import { serviceOf } from '../../api/service-address.ts';
import { type TarMember, makeTarReader } from '../../src/model/tar.ts';
import type { Verification } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { type Ended, runConforme, type Said } from '../support/command-line.ts';
import { assertMatches } from '../support/matches.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { SampleKind } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';
import { eventually } from '../support/verification.ts';

const TOKEN = 'a-token-of-the-test-1234';
let registry: TestRegistry;
let service: TestService;
let image: string;
let folder: string;

before(async () => {
  registry = await startRegistry();
  service = await startService({ token: TOKEN, insecure: [registry.host], more: { patience: 20_000 } });
  await pushImage(registry.host, 'shop', [], { tag: '1' });
  image = `${registry.host}/shop:1`;
  folder = await mkdtemp(join(tmpdir(), 'conforme-cli-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
  await registry.stop();
});

const conforme = (args: string[], environment: Record<string, string> = {}, said?: Said): Promise<Ended> =>
  runConforme(args, { HOME: folder, CONFORME_SERVER: service.url, CONFORME_TOKEN: TOKEN, ...environment }, said);

const seen = new Set<string>();
/** The verification that was asked for last and that nobody has looked at yet. */
function asked(): Promise<Verification> {
  return eventually(async () => {
    const found = (await service.deps.records.list(100)).items.find(({ id, status }) => status === 'queued' && !seen.has(id));
    if (found !== undefined) seen.add(found.id);
    return found;
  });
}

/** Runs the command and ends what it asks for. A different Dockerfile for each, so that each is a verification of its own. */
async function judge(kind: SampleKind, args: string[] = [], lines: string[] = []): Promise<Ended & { verification: Verification }> {
  const running = conforme(['verify', image, '--dockerfile', `Dockerfile.${seen.size}`, ...args]);
  const verification = await asked();
  await service.progress.step(verification.id, 'rebuild');
  for (const line of lines) service.progress.log(verification.id, line);
  await service.conclude(verification.id, kind);
  await service.progress.end(verification.id, 'done');
  return { ...(await running), verification };
}

describe('conforme verify', () => {
  it('ends with 0 where the contents can be audited, 1 where they cannot, 2 where it could not tell', async () => {
    const honest = await judge('honest');
    assert.deepEqual([honest.code, (await judge('partly')).code, (await judge('backdoored')).code], [0, 1, 1]);
    for (const part of [
      'auditable   yes',
      'result      equivalent',
      '100% of',
      'findings    none',
      'runs        /usr/sbin/nginx: nginx 1.22.1-9+deb12u4, the bytes that Debian signed',
      `/verifications/${honest.verification.id}`,
    ])
      assert.ok(honest.stdout.includes(part), `${part} in ${honest.stdout}`);

    const verdict = honest.verification.verdict ?? (await service.deps.records.get(honest.verification.id))?.verdict;
    assert.ok(verdict);
    assert.equal(exitCodeOf({ verdict: { ...verdict, auditable: 'unknown' } }), 2);
  });

  it('prints findings, and nothing that a terminal would obey', async () => {
    const { stdout, stderr } = await judge('backdoored', [], ['plain line', '\u001b]0;title\u0007\u001b[2Jgone \u202egnp.exe']);
    assert.match(stdout, /critical .*\[packaged-file-replaced\]/);
    assert.ok(stdout.indexOf('critical') < stdout.indexOf('medium'));
    assert.match(stderr, /conforme: rebuilding/);
    assert.match(stderr, / {2}\| plain line\n {2}\| gone gnp\.exe/);
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('gives JSON that is documented, on a standard output of its own', async () => {
    const { code, stdout, verification } = await judge('honest', [
      '--json',
      '--git',
      'https://git.example.org/a.git',
      '--ref',
      'v1',
      '--subdir',
      'x',
      '--build-arg',
      'A=b=c',
    ]);
    assert.equal(code, 0);
    const answer = JSON.parse(stdout) as { request: unknown };
    assertMatches('Verification', answer);
    assert.deepEqual(answer.request, {
      source: { git: 'https://git.example.org/a.git', ref: 'v1', subdir: 'x' },
      dockerfile: verification.request.dockerfile,
      buildArgs: { A: 'b=c' },
    });
  });

  it('sends a folder as the build context', async () => {
    const context = join(folder, 'context');
    await mkdir(join(context, '.git'), { recursive: true });
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\n');
    await writeFile(join(context, '.git/config'), 'secret');
    const { code, stderr, verification } = await judge('honest', ['--context', context]);
    assert.equal(code, 0);
    assert.match(stderr, /sending \d+ B of build context/);
    const { source } = verification.request;
    assert.ok(source !== undefined && 'context' in source);
    assert.deepEqual(
      membersOf(gunzipSync(await service.deps.blobs.read(source.context))).map(({ path }) => path),
      ['/Dockerfile'],
    );
  });

  it('need not wait', async () => {
    const { code, stdout } = await conforme(['verify', image, '--no-wait', '--dockerfile', 'nowait']);
    const { id } = await asked();
    assert.deepEqual([code, stdout], [0, `${id}\n${service.deps.publicUrl}/verifications/${id}\n`]);
  });

  it('goes on when the connection breaks', async () => {
    const said = { stdout: '', stderr: '' };
    const running = conforme(['verify', image, '--dockerfile', 'broken'], {}, said);
    const { id } = await asked();
    await service.progress.step(id, 'rebuild');
    await eventually(() => said.stderr.includes('rebuilding'));
    service.app.server.closeAllConnections();
    await service.progress.step(id, 'conclude');
    await service.conclude(id, 'honest');
    assert.equal((await running).code, 0, said.stderr);
    // It went on where it stopped: no step is told twice.
    assert.equal(said.stderr.split('rebuilding').length, 2, said.stderr);
  });

  it('ends with 3 on an error, and says which', async () => {
    const failing = conforme(['verify', image, '--dockerfile', 'failing']);
    const { id } = await asked();
    await service.deps.records.fail(id, new Problem('registry-unavailable', 'it answered 503').toDocument());
    await service.progress.end(id, 'failed');
    const cases: [Promise<Ended>, RegExp][] = [
      [failing, /registry-unavailable: it answered 503/],
      [conforme(['verify', `${registry.host}/nothing:1`]), /image-not-found/],
      [conforme(['verify', image], { CONFORME_TOKEN: 'wrong-token-of-the-test' }), /unauthorized/],
      [conforme(['verify', image, '--server', 'http://127.0.0.1:1']), /does not answer/],
      [conforme(['verify', image, '--context', join(folder, 'nothing')]), /invalid-context/],
      [conforme(['verify', image, '--context', folder, '--git', 'https://x.example']), /exclude each other/],
      [conforme(['verify', image, '--bild-arg', 'A=1']), /bild-arg/],
      [conforme(['verify']), /conforme verify IMAGE/],
      [conforme([]), /the commands are: conforme verify/],
      [conforme(['verify', image, '--fail-on', 'bad']), /--fail-on bad: is none of never, partly/],
    ];
    for (const [run, message] of cases) {
      const { code, stdout, stderr } = await run;
      assert.deepEqual([code, stdout], [3, ''], stderr);
      assert.match(stderr, message);
    }
  });

  it('finds the token of a service on this machine, and sends it nowhere else', async () => {
    const data = join(folder, 'data');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, 'token'), `${TOKEN}\n`);
    const own = await conforme(['verify', image, '--no-wait', '--dockerfile', 'token'], { CONFORME_TOKEN: '', CONFORME_DATA_DIR: data });
    assert.equal(own.code, 0, own.stderr);
    await asked();
    for (const server of ['https://conforme.example.org', 'http://127.0.0.1.example.org', 'http://localhost.example.org:8080'])
      assert.equal(serviceOf({ server }, { CONFORME_DATA_DIR: data }).token, undefined, server);
    for (const server of [undefined, 'http://localhost:1', 'http://[::1]:8080'])
      assert.equal(serviceOf({ server }, { CONFORME_DATA_DIR: data }).token, TOKEN, server);
  });
});

function membersOf(bytes: Buffer): TarMember[] {
  const members: TarMember[] = [];
  const reader = makeTarReader({
    member: (member) => void members.push(member),
    data: () => undefined,
    close: () => undefined,
    anomaly: ({ code }) => assert.fail(code),
  });
  reader.write(bytes);
  reader.end();
  return members;
}

describe('a packed build context', () => {
  it('is the same for equal folders, in whatever order and time they were made', async () => {
    const make = async (name: string, order: string[]): Promise<string> => {
      const root = join(folder, name);
      await mkdir(join(root, 'sub'), { recursive: true });
      for (const file of order) await writeFile(join(root, file), `content of ${file}`.repeat(file.length * 1000));
      await writeFile(join(root, 'empty'), '');
      await symlink('../a', join(root, 'sub/link'));
      await chmod(join(root, 'b'), 0o755);
      return root;
    };
    const files = ['a', 'b', 'sub/c', 'B', `sub/${'long'.repeat(40)}`, 'é'];
    const first = await packContext(await make('one', files), join(folder, 'one.tar.gz'));
    const second = await packContext(await make('two', files.toReversed()), join(folder, 'two.tar.gz'));
    assert.equal(first.digest, second.digest);

    const members = membersOf(gunzipSync(await readFile(first.file)));
    assert.deepEqual(
      members.map(({ path, kind, mode }) => `${path} ${kind} ${mode.toString(8)}`),
      [
        '/B file 644',
        '/a file 644',
        '/b file 755',
        '/empty file 644',
        '/sub directory 755',
        '/sub/c file 644',
        '/sub/link symlink 777',
        `/sub/${'long'.repeat(40)} file 644`,
        '/é file 644',
      ],
    );
    assert.ok(members.every(({ uid, gid, mtime }) => uid === 0 && gid === 0 && mtime === 0));
    assert.equal(members.find(({ path }) => path === '/sub/link')?.target, '../a');
    assert.equal(members.find(({ path }) => path === '/a')?.size, 'content of a'.length * 1000);
  });

  it('refuses what a tar cannot carry as it is', async () => {
    const root = join(folder, 'odd');
    await mkdir(root);
    await writeFile(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]), '');
    await assert.rejects(packContext(root, join(folder, 'odd.tar.gz')), { code: 'invalid-context' });
  });
});
