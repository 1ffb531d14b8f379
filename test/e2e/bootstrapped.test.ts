/** An image as mmdebstrap makes it, with nothing on top, and with packages of a second architecture: accounted for without any rebuild. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { changed, edit, readMembers, writeMembers } from '../../scripts/demo/tar-surgery.ts';
import { type Audit, type Auditor, startAuditor } from '../support/auditor.ts';
import { sourcesLines } from '../support/real-debs.ts';
import { program } from './world.ts';

const run = promisify(execFile);
const CODENAME = 'bookworm';

/** What neither packages nor their scripts make, and what changes from run to run: no code, and nothing that matters. */
const LEFT_BY_INSTALLER =
  /^\/(?:etc\/(?:hostname|resolv\.conf|machine-id|\.pwd\.lock|apt\/sources\.list)|var\/log\/.*|var\/lib\/apt\/.*|var\/cache\/.*|var\/lib\/dpkg\/(?:available|.*-old|lock.*|triggers\/Lock)|dev(?:\/.*)?)$/;

describe('an image made by mmdebstrap', () => {
  let auditor: Auditor;
  let scratch: string;
  let sources: string[];

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'conforme-bootstrapped-'));
    sources = (await sourcesLines()).map((line) => line.trim());
    auditor = await startAuditor();
  });
  after(async () => {
    await auditor?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  function isHonest({ account, unexplained, verdict, finding }: Audit): void {
    const grave = verdict.findings.filter(({ severity }) => severity === 'critical' || severity === 'high');
    assert.deepEqual(grave.map(({ code, paths, message }) => [code, message, paths]), []); // prettier-ignore
    assert.equal(finding('reinstall-missing'), undefined);
    assert.deepEqual(account.filter(({ code, attribution }) => code && !attribution.startsWith('debian-')).map(({ path }) => path), []); // prettier-ignore
    assert.deepEqual(unexplained.filter((path) => !LEFT_BY_INSTALLER.test(path)), []); // prettier-ignore
    assert.notEqual(verdict.auditable, 'no');
  }

  it('is accounted for, packages of a second architecture included', async () => {
    const tar = join(scratch, 'mmdebstrap.tar');
    const options = ['--variant=minbase', '--architectures=amd64,arm64', '--include=libstdc++6:arm64,zlib1g:arm64'];
    await run('mmdebstrap', [...options, CODENAME, tar, ...sources], { maxBuffer: 2 ** 26 });
    const bytes = await readFile(tar);
    const honest = await auditor.audit([bytes], { reinstall: true });
    isHonest(honest);
    const { evidence, line } = honest;
    const foreign = evidence.packages.filter(({ architecture }) => architecture === 'arm64');
    assert.ok(foreign.length >= 4 && foreign.every(({ status }) => status === 'verified'), JSON.stringify(foreign.map(({ purl }) => purl)));
    assert.match(line('/usr/lib/aarch64-linux-gnu/libz.so.1.2.13').evidence.package ?? '', /zlib1g@.*arch=arm64$/);
    assert.match(line('/usr/lib/x86_64-linux-gnu/libz.so.1.2.13').evidence.package ?? '', /zlib1g@.*arch=amd64$/);

    const name = 'usr/lib/aarch64-linux-gnu/libz.so.1.2.13';
    const members = edit(readMembers(bytes).map((one) => ({ ...one })), name, (one) => changed(one, { content: program('evil') })); // prettier-ignore
    const { verdict, finding } = await auditor.audit([writeMembers(members)]);
    assert.deepEqual([finding('packaged-file-replaced')?.paths, verdict.auditable], [[`/${name}`], 'no']);
  });
});
