/** The real diffoscope over real files, in the clean environment. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { findDiffoscope, makeDiffoscope } from '../../../src/adapters/diffoscope/diffoscope.ts';
import { CONFINED_LIMITS, makeRunConfined } from '../../../src/adapters/environment/confined.ts';
import { makeScratch } from '../../../src/adapters/environment/scratch.ts';
import { readSubordinateIds } from '../../../src/adapters/environment/subids.ts';
import type { DiffNode } from '../../../src/model/explanation.ts';
import type { Explain, Scratch } from '../../../src/ports-explain.ts';
import { member, tar } from '../../support/tar.ts';
import { zip } from '../../support/zip.ts';

describe('diffoscope, confined', () => {
  let folder: string;
  let scratch: Scratch;
  let explain: Explain;
  const ids = readSubordinateIds();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conforme-diffoscope-'));
    scratch = await makeScratch({ folder, ids: await ids })();
    const found = await findDiffoscope(makeRunConfined({ folder, ids: await ids }));
    assert.ok(found !== undefined, 'scripts/setup installs it');
    explain = found;
  });
  after(async () => {
    await scratch?.done();
    assert.deepEqual(await readdir(folder), [], 'nothing is left of any run');
    await rm(folder, { recursive: true, force: true });
  });

  const pairOf = async (rebuilt: Uint8Array, published: Uint8Array) => ({
    rebuilt: await scratch.put(rebuilt),
    published: await scratch.put(published),
  });
  const textOf = (nodes: readonly DiffNode[] | undefined): string => JSON.stringify(nodes);

  it('tells what differs in programs, archives and text, each by its own tools', async () => {
    const program = readFileSync('/bin/true');
    const changed = Buffer.from(program);
    const place = changed.indexOf('GNU coreutils');
    assert.ok(place > 0);
    changed.write('GNU corruptly', place, 'latin1');
    const { told, fault } = await explain.explain(
      [
        await pairOf(program, changed),
        await pairOf(gzipSync('hello\n'), gzipSync('hallo\n')),
        await pairOf(zip([{ name: 'a.txt', content: 'one\n' }]), zip([{ name: 'a.txt', content: 'two\n' }])),
        await pairOf(Buffer.from('red\nblue\n'), Buffer.from('red\ngreen\n')),
      ],
      { seconds: 60 },
    );
    assert.equal(fault, undefined);
    assert.match(textOf(told[0]), /GNU corruptly/);
    assert.match(textOf(told[1]), /-hello\\n\+hallo/);
    assert.match(textOf(told[2]), /a\.txt.*-one\\n\+two/);
    assert.match(textOf(told[3]), /-blue\\n\+green/);
  });

  it('lets no name in an archive out of its place, and shows it as printable text', async () => {
    const name = '../../../../../../job/out/answer\x1b[31m<script>';
    const archive = (content: string): Buffer =>
      tar(member({ name: 'fine', mode: 0o644 }, content), member({ name, mode: 0o644 }, content));
    const { told } = await explain.explain([await pairOf(archive('a\n'), archive('b\n'))], { seconds: 60 });
    assert.match(textOf(told[0]), /-a\\n\+b/);
    assert.match(textOf(told[0]), /\\\\x1b\[31m<script>/);
    assert.ok(!/[\x00-\x08\x0b-\x1f]/.test(told[0]?.map(({ rebuilt }) => rebuilt).join() ?? '\x00'));
  });

  it('ends within its limits over a bomb, and still tells of the others', async () => {
    const bomb = (letter: number): Buffer => gzipSync(Buffer.alloc(400 * 1024 ** 2, letter), { level: 9 });
    const begun = performance.now();
    const pairs = [await pairOf(bomb(0x61), bomb(0x62)), await pairOf(Buffer.from('one\n'), Buffer.from('two\n'))];
    const { told, fault } = await explain.explain(pairs, { seconds: 60 });
    assert.match(fault ?? '', /limit/);
    assert.equal(told[0], undefined);
    assert.match(textOf(told[1]), /-one\\n\+two/);
    assert.ok(performance.now() - begun < 90_000);
  });

  it('gives up when its time is over, and says so', async () => {
    const run = makeRunConfined({ folder, ids: await ids, limits: { ...CONFINED_LIMITS } });
    const slow = makeDiffoscope((order) => run({ ...order, command: ['sleep', '60'] }), 'slow');
    const { told, fault } = await slow.explain([await pairOf(Buffer.from('a'), Buffer.from('b'))], { seconds: 1 });
    assert.deepEqual(told, [undefined]);
    assert.match(fault ?? '', /limit on seconds/);
  });

  it('has neither network nor files of the machine', async () => {
    const run = makeRunConfined({ folder, ids: await ids });
    const { answer } = await run({
      command: [
        'sh',
        '-c',
        `(ls ${folder} /etc/ssl /root/.ssh; cat /proc/net/dev | grep -v lo: | tail -n +3; id -u; ls -A /job) > /job/out/answer 2>&1`,
      ],
      files: [],
      seconds: 20,
      answerBytesMax: 10_000,
    });
    const text = answer?.toString() ?? '';
    assert.match(text, new RegExp(`cannot access '${folder}'`));
    assert.match(text, /^0\nout\ntmp\n$/m);
  });
});
