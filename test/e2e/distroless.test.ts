/** An image in the manner of distroless: packages unpacked without dpkg, a file for each in status.d, a few files of its own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { changed, edit, type Member, writeMembers } from '../../scripts/demo/tar-surgery.ts';
import { type Auditor, startAuditor } from '../support/auditor.ts';
import { downloadDebs } from '../support/real-debs.ts';
import { file, folder, mergeMembers, unpackDeb, type UnpackedDeb } from '../support/unpacked.ts';
import { program } from './world.ts';

const NAMES = new Set(['base-files', 'netbase', 'tzdata', 'libc6', 'libssl3', 'libgcc-s1', 'libstdc++6', 'gcc-12-base']);

/** What the builder adds, as it writes it. */
const OWN: Member[] = [
  file('etc/passwd', 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n'),
  file('etc/group', 'root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n'),
  file('etc/nsswitch.conf', 'hosts: files dns\n'),
  folder('home/nonroot', 0o700, 65532),
]; // prettier-ignore
const OS_RELEASE =
  'PRETTY_NAME="Distroless"\nNAME="Debian GNU/Linux"\nID="debian"\nVERSION_ID="12"\nVERSION="Debian GNU/Linux 12 (bookworm)"\n';

function statusFolder({ name, control, md5sums }: UnpackedDeb): Member[] {
  const sums = md5sums === undefined ? [] : [file(`var/lib/dpkg/status.d/${name}.md5sums`, md5sums)];
  return [file(`var/lib/dpkg/status.d/${name}`, control), ...sums];
}

describe('an image in the manner of distroless', () => {
  let auditor: Auditor;
  let scratch: string;
  let debs: UnpackedDeb[];
  let members: Member[];

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'conforme-distroless-'));
    const files = await downloadDebs(scratch, [...NAMES, 'libc-bin', 'ca-certificates']);
    debs = (await Promise.all(files.map(unpackDeb))).filter(({ name }) => NAMES.has(name));
    assert.equal(debs.length, NAMES.size);
    const packaged = edit(
      debs.flatMap((one) => one.members),
      'usr/lib/os-release',
      (one) => changed(one, { content: Buffer.from(OS_RELEASE) }),
    );
    members = mergeMembers([...packaged, folder('var/lib/dpkg/status.d'), ...debs.flatMap(statusFolder), ...OWN]);
    auditor = await startAuditor();
  });
  after(async () => {
    await auditor?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  it('has an account for every packaged file and for its database, and tells what the builder added', async () => {
    const { verdict, evidence, account, unexplained, finding, line } = await auditor.audit([writeMembers(members)], { reinstall: true });
    assert.deepEqual(evidence.packages.map(({ name, status }) => [name, status]), [...NAMES].sort().map((name) => [name, 'verified'])); // prettier-ignore
    const own = ['/etc/group', '/etc/nsswitch.conf', '/etc/passwd', '/home/nonroot', '/usr/lib/os-release'];
    assert.deepEqual(unexplained, own);
    const packaged = new Set(debs.flatMap((one) => one.members.map(({ name }) => `/${name}`)));
    for (const { path, attribution } of account)
      if (packaged.has(path) && path !== '/usr/lib/os-release') assert.equal(attribution, 'debian-official', path);
    assert.equal(line('/var/lib/dpkg/status.d/libc6').evidence.rule, 'status-folder@1');
    assert.equal(line('/var/lib/dpkg/status.d/libc6.md5sums').evidence.rule, 'status-folder@1');
    assert.deepEqual(finding('packaged-file-replaced')?.paths, ['/usr/lib/os-release'], 'the builder’s own name for it');
    assert.ok(
      verdict.findings.every(({ severity }) => severity !== 'critical' && severity !== 'high'),
      JSON.stringify(verdict.findings),
    );
    assert.notEqual(verdict.auditable, 'no');
  });

  const libc = (): string => members.find(({ name }) => name.endsWith('/libc.so.6'))!.name;
  const ATTACKS: [what: string, tamper: () => Member[], path: () => string, code: string][] = [
    ['a changed library', () => edit(members, libc(), (one) => changed(one, { content: program('evil') })), () => `/${libc()}`, 'packaged-file-replaced'],
    ['a setuid library', () => edit(members, libc(), (one) => changed(one, { mode: 0o4755 })), () => `/${libc()}`, 'packaged-file-attributes-changed'],
    ['a changed line of the database', () => edit(members, 'var/lib/dpkg/status.d/tzdata', (one) => changed(one, { content: Buffer.from(one.content.toString().replace(/^Description: .*$/m, 'Description: other')) })), () => '/var/lib/dpkg/status.d/tzdata', 'unexplained-file'],
    ['changed checksums', () => edit(members, 'var/lib/dpkg/status.d/libc6.md5sums', (one) => changed(one, { content: Buffer.from('0'.repeat(32)) })), () => '/var/lib/dpkg/status.d/libc6.md5sums', 'unexplained-file'],
    ['a program in the database', () => edit(members, 'var/lib/dpkg/status.d/libc6.md5sums', (one) => changed(one, { mode: 0o755 })), () => '/var/lib/dpkg/status.d/libc6.md5sums', 'unexplained-code'],
    ['another package’s checksums', () => [...members, file('var/lib/dpkg/status.d/none.md5sums', debs.find(({ name }) => name === 'libc6')!.md5sums!)], () => '/var/lib/dpkg/status.d/none.md5sums', 'unexplained-file'],
    ['a program of nobody', () => [...members, file('usr/bin/helper', program('helper'), 0o755)], () => '/usr/bin/helper', 'unexplained-code'],
  ]; // prettier-ignore
  for (const [what, tamper, path, code] of ATTACKS) {
    it(`does not excuse ${what}`, async () => {
      const { unexplained, verdict } = await auditor.audit([writeMembers(tamper())]);
      assert.ok(unexplained.includes(path()), unexplained.join());
      const told = verdict.findings.filter((one) => one.code === code && one.paths.includes(path()));
      assert.equal(told.length, 1, JSON.stringify(verdict.findings));
      if (code === 'packaged-file-replaced') assert.deepEqual([told[0]?.severity, verdict.auditable], ['critical', 'no']);
    });
  }
});
