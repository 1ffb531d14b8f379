/** An image for a processor that this machine does not have: its evidence is whole, and only what scripts generate is not confirmed. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { changed, edit, type Member, writeMembers } from '../../scripts/demo/tar-surgery.ts';
import { machineArchitecture } from '../../src/adapters/environment/machine.ts';
import { type Auditor, startAuditor } from '../support/auditor.ts';
import { downloadDebs } from '../support/real-debs.ts';
import { dpkgDatabase, file, mergeMembers, unpackDeb, type UnpackedDeb } from '../support/unpacked.ts';
import { program } from './world.ts';

const architecture = machineArchitecture() === 'arm64' ? 'amd64' : 'arm64';

describe(`an image for ${architecture}`, () => {
  const platform = { os: 'linux', architecture };
  let auditor: Auditor;
  let scratch: string;
  let debs: UnpackedDeb[];
  let members: Member[];

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'conforme-foreign-'));
    debs = await Promise.all((await downloadDebs(scratch, ['?essential', 'apt'], { architecture })).map(unpackDeb));
    const contentOf = (name: string): Buffer => debs.flatMap((one) => one.members).find((one) => one.name === name)!.content;
    const generated = [
      file('etc/passwd', contentOf('usr/share/base-passwd/passwd.master')),
      file('etc/group', contentOf('usr/share/base-passwd/group.master')),
      file('etc/nsswitch.conf', contentOf('usr/share/libc-bin/nsswitch.conf')),
    ];
    members = mergeMembers([...debs.flatMap((one) => one.members), ...dpkgDatabase(debs), ...generated]);
    auditor = await startAuditor();
  });
  after(async () => {
    await auditor?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  it('has an account for every packaged file, and is not accused of what could not be run here', async () => {
    const { verdict, evidence, account, unexplained, finding } = await auditor.audit([writeMembers(members)], {
      platform,
      reinstall: true,
    });
    assert.ok(debs.some((one) => one.architecture === architecture) && debs.length > 50);
    assert.deepEqual(evidence.packages.filter(({ status }) => status !== 'verified'), []); // prettier-ignore
    const packaged = new Set(debs.flatMap((one) => one.members.map(({ name }) => `/${name}`)));
    assert.deepEqual(account.filter(({ path, attribution }) => packaged.has(path) && attribution !== 'debian-official').map(({ path }) => path), []); // prettier-ignore
    assert.deepEqual(account.filter(({ code, attribution }) => code && attribution !== 'debian-official').map(({ path }) => path), []); // prettier-ignore
    assert.deepEqual(unexplained.filter((path) => !/^\/etc\/(?:passwd|group|nsswitch\.conf)$|^\/var\/lib\/dpkg\/status$/.test(path)), []); // prettier-ignore
    assert.match(finding('reinstall-missing')?.message ?? '', new RegExp(`this machine cannot run .* packages for ${architecture}`));
    assert.ok(
      verdict.findings.every(({ severity }) => severity !== 'critical' && severity !== 'high'),
      JSON.stringify(verdict.findings),
    );
    assert.equal(verdict.auditable, 'unknown', 'what maintainer scripts made is neither confirmed nor refuted');
  });

  it('is not auditable with a changed program', async () => {
    const name = members.find((one) => /(?:^|\/)bin\/bash$/.test(one.name))!.name;
    const tampered = edit(members, name, (one) => changed(one, { content: program('evil') }));
    const { verdict, finding, line } = await auditor.audit([writeMembers(tampered)], { platform });
    assert.deepEqual([finding('packaged-file-replaced')?.severity, finding('packaged-file-replaced')?.paths], ['critical', [`/${name}`]]);
    assert.equal(line(`/${name}`).attribution, 'unexplained');
    assert.equal(verdict.auditable, 'no');
  });

  it('finds its packages by their files where the database is gone', async () => {
    const without = members.filter(({ name }) => !name.startsWith('var/lib/dpkg'));
    const { account, evidence } = await auditor.audit([writeMembers(without)], { platform });
    assert.deepEqual(account.filter(({ code, attribution }) => code && attribution !== 'debian-official').map(({ path }) => path), []); // prettier-ignore
    assert.ok(evidence.packages.length > 50 && evidence.packages.every(({ state }) => state === 'found'));
  });
});
