/** Real Debian packages in images that have lost their database: what is left of a build stage, and a deleted /var/lib/dpkg. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { makeBase } from '../../scripts/demo/base.ts';
import { changed, edit, made, type Member, readMembers, writeMembers } from '../../scripts/demo/tar-surgery.ts';
import { type Auditor, startAuditor } from '../support/auditor.ts';
import { CACHE, program } from './world.ts';

/** `COPY --from=build` of a shell with what it needs, and of the time zones of another package. */
const COPIED =
  /^(?:usr|usr\/bin|usr\/lib|usr\/lib64|lib64|usr\/lib\/[a-z0-9_]+-linux-gnu|usr\/bin\/bash|usr\/lib64\/ld-linux[^/]*|usr\/lib\/[^/]+\/(?:ld-linux[^/]*|libc\.so\.6|libtinfo\.so\.6[^/]*)|usr\/share|usr\/share\/zoneinfo(?:\/.*)?)$/;

describe('images whose package database is lost', () => {
  let auditor: Auditor;
  let base: Buffer;
  let leftover: Member[];

  before(async () => {
    const { path } = await makeBase(CACHE, () => undefined);
    base = await promisify(gunzip)(await readFile(path));
    leftover = readMembers(base).filter(({ name }) => COPIED.test(name));
    auditor = await startAuditor();
  });
  after(() => auditor?.stop());

  it('accounts for a few files in an empty image, whose release nothing names', async () => {
    const { verdict, evidence, account, unexplained, finding } = await auditor.audit([writeMembers(leftover)]);
    assert.ok(account.length > 8 && leftover.some(({ name }) => name === 'usr/bin/bash'), String(account.length));
    assert.deepEqual(unexplained, []);
    assert.equal(verdict.auditable, 'yes', JSON.stringify(verdict.findings));
    const names = evidence.packages.map(({ name }) => name);
    for (const name of ['bash', 'libc6', 'libtinfo6']) assert.ok(names.includes(name), names.join());
    assert.ok(evidence.packages.every(({ state, status }) => state === 'found' && status === 'verified'));
    assert.match(finding('package-found-by-hash')?.message ?? '', /no package database names/);
  });

  it('excuses neither a changed program, nor a setuid bit, another owner or another place', async () => {
    const bash = leftover.find(({ name }) => name === 'usr/bin/bash')!;
    const evil = Buffer.from(bash.content);
    evil.write('evil', evil.indexOf('GNU bash'), 'latin1');
    const tampered = [
      ...edit(leftover, 'usr/bin/bash', (one) => changed(one, { content: evil })),
      made({ name: 'usr/bin/rbash', mode: 0o4755 }, bash.content),
      made({ name: 'usr/bin/ls', mode: 0o755 }, bash.content),
    ];
    const libc = tampered.findIndex(({ name }) => name.endsWith('/libc.so.6'));
    const libc6 = changed(tampered[libc]!, { uid: 1000 });
    tampered[libc] = libc6;
    const { verdict, line, unexplained } = await auditor.audit([writeMembers(tampered)]);
    // Of its folder nothing is left that has an account.
    assert.deepEqual(unexplained, ['/usr/bin', '/usr/bin/bash', '/usr/bin/ls', '/usr/bin/rbash', `/${libc6.name}`].sort());
    assert.match(line('/usr/bin/bash').evidence.note ?? '', /^bash \S+ of the archive has other bytes here/);
    assert.match(line(`/${libc6.name}`).evidence.note ?? '', /bytes are those of libc6 .* another owner/);
    assert.equal(verdict.auditable, 'no', 'a setuid program');
  });

  for (const [what, layers] of [
    ['in a later layer', () => [base, writeMembers([made({ name: 'var/lib/.wh.dpkg' })])]],
    ['before the image was squashed', () => [writeMembers(readMembers(base).filter(({ name }) => !name.startsWith('var/lib/dpkg/')))]],
  ] as [string, () => Buffer[]][]) {
    it(`accounts for every packaged file where the database was deleted ${what}`, async () => {
      const { evidence, account, unexplained, verdict, finding } = await auditor.audit(layers());
      assert.deepEqual(evidence.search?.skipped, 0);
      // No database says what is installed: what maintainer scripts made has no account, and it is no code.
      const generated = /^\/(?:etc|root|var|dev|proc|sys|run|home|mnt|opt|srv|media|boot|tmp|usr\/local|usr\/share\/info)(?:\/|$)/;
      const alternative =
        /^\/usr\/(?:s?bin\/(?:awk|nawk|pager|rmt|which)|share\/man\/(?:\w\w\/)?man\d\/(?:awk|nawk|pager|rmt|which|builtins)\.\d\.gz)$/;
      assert.deepEqual(unexplained.filter((path) => !generated.test(path) && !alternative.test(path)), []); // prettier-ignore
      assert.deepEqual(account.filter(({ code, attribution }) => code && attribution !== 'debian-official').map(({ path }) => path), []); // prettier-ignore
      assert.ok(account.filter(({ attribution }) => attribution === 'debian-official').length > 3000);
      assert.equal(verdict.findings.filter(({ severity }) => severity === 'critical' || severity === 'high').length, 0, JSON.stringify(verdict.findings)); // prettier-ignore
      assert.ok(finding('no-package-database') !== undefined && finding('packaged-file-missing') === undefined);
    });
  }

  it('finds a program of Debian that the database of a whole image does not name, and leaves another one alone', async () => {
    const bash = leftover.find(({ name }) => name === 'usr/bin/bash')!;
    const added = [
      made({ name: 'usr/share/zoneinfo/UTC' }, Buffer.from('no time zone')),
      made({ name: 'usr/bin/helper', mode: 0o755 }, program('helper')),
    ];
    const whole = await auditor.audit([base, writeMembers([...added, changed(bash, { content: program('bash') })])]);
    assert.match(whole.line('/usr/bin/helper').evidence.note ?? '', /no verified package holds it/);
    assert.equal(whole.finding('packaged-file-replaced')?.severity, 'critical');
    assert.ok(whole.evidence.search !== undefined && whole.evidence.packages.some(({ state }) => state === 'installed'));
  });
});
