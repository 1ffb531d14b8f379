import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PackageEvidence } from '../../src/model/debian.ts';
import { digestOf } from '../../src/model/digest.ts';
import { debianPurl } from '../../src/model/purl.ts';
import { collectFiles, makeBill } from '../../src/steps/make-bill.ts';
import { writeCycloneDx } from '../../src/steps/write-cyclonedx.ts';
import { writeSpdx } from '../../src/steps/write-spdx.ts';
import { judge, type JudgeInputs, type Judgement } from '../../src/steps/judge.ts';
import { byproducts, change, CONFIG, honest, judgeInputs, reinstalledFiles, type Setting } from '../support/judge-inputs.ts';
import { packageOf, type PackageSpec } from '../support/packaged-image.ts';

const URL = 'https://packages.example/apt';
const AGENT: PackageSpec = {
  name: 'agent',
  version: '9.1',
  files: {
    '/usr/bin/agent': { text: 'agent', mode: 0o755, magic: 'elf' },
    '/usr/share/agent/words': 'words\n',
  },
};
const FILES = {
  '/usr/bin/agent': { text: 'agent', mode: 0o755, magic: 'elf' as const },
  '/usr/share/agent': { dir: true as const },
  '/usr/share/agent/words': 'words\n',
};
const bare: Setting = { rebuilt: false, source: false, published: change(honest(), { '/usr/local/bin/run.sh': undefined, ...FILES }) };

/** The inputs of an image that holds packages of a third party beside Debian's. */
function withThirdParty(setting: Setting, spec: PackageSpec = AGENT): JudgeInputs {
  const inputs = judgeInputs(setting);
  const { evidence, contents } = packageOf(spec);
  const archive = { ...inputs.evidence.archives[0]!, id: `${URL} stable`, inRelease: digestOf('theirs'), signers: ['B'.repeat(40)], thirdParty: { url: URL, source: '/etc/apt/sources.list.d/a.list' } }; // prettier-ignore
  const purl = debianPurl(spec.name, evidence.version, evidence.architecture, 'debian', URL);
  const chain: PackageEvidence['chain'] = { archive: archive.id, component: 'main', packages: digestOf('P'), deb: contents.deb, size: 1, path: 'x.deb', contents: digestOf('c') }; // prettier-ignore
  return {
    ...inputs,
    evidence: {
      ...inputs.evidence,
      archives: [...inputs.evidence.archives, archive],
      packages: [...inputs.evidence.packages, { ...evidence, purl, status: 'third-party', chain }],
    },
    debContents: new Map([...inputs.debContents, [contents.deb, contents]]),
  };
}

const accountOf = ({ account }: Judgement, path: string): string | undefined => account.find((line) => line.path === path)?.attribution;
const codes = ({ verdict }: Judgement): string[] => verdict.findings.map(({ code, severity }) => `${severity} ${code}`);

test('a package of a third party accounts for its files, and is never enough for yes', () => {
  const judged = judge(withThirdParty(bare));
  assert.equal(accountOf(judged, '/usr/bin/agent'), 'third-party');
  assert.equal(accountOf(judged, '/usr/share/agent/words'), 'third-party');
  assert.equal(accountOf(judged, '/usr/share/agent'), 'third-party'); // a folder on the way
  const line = judged.account.find(({ path }) => path === '/usr/bin/agent');
  assert.equal(line?.evidence.url, URL);
  assert.match(line?.evidence.package ?? '', /^pkg:deb\/debian\/agent@9\.1\?arch=amd64&repository_url=/);
  assert.equal(judged.verdict.auditable, 'partly');
  const finding = judged.verdict.findings.find(({ code }) => code === 'third-party-package');
  assert.deepEqual(finding?.paths, ['/usr/bin/agent']);
  assert.deepEqual(finding?.evidence, { repository: URL, source: '/etc/apt/sources.list.d/a.list', key: 'B'.repeat(40), 'agent:amd64': '9.1' }); // prettier-ignore
  assert.equal(judged.verdict.coverage.executables['third-party'], 1);
  assert.ok(judged.verdict.coverage.accounted < 1);
  // Without the repository's word the program is unexplained.
  assert.equal(judge(judgeInputs(bare)).verdict.auditable, 'no');
});

test('a package in the place of one of Debian’s is told', () => {
  const inputs = withThirdParty(bare);
  inputs.evidence.packages.at(-1)!.alsoInDebian = true;
  const finding = judge(inputs).verdict.findings.find(({ code }) => code === 'third-party-package');
  assert.match(finding?.message ?? '', /in the place of Debian's agent$/);
});

test('bills of materials and the entry point name the repository, and nobody else', () => {
  const inputs = withThirdParty({ ...bare, config: { ...CONFIG, Entrypoint: ['/usr/bin/agent'], Cmd: [] } });
  inputs.evidence.archives.at(-1)!.origin = 'Debian';
  const { state, account } = judge(inputs);
  const statement = state(byproducts);
  const [program] = statement.predicate.verdict.runs ?? [];
  assert.equal(program?.statement, `agent 9.1 of the repository ${URL}, whose key the image names itself`);
  assert.equal(program?.version, '9.1');
  const collected = collectFiles();
  for (const line of account) collected.add(line);
  const bill = makeBill(digestOf('verdict'), statement, inputs.evidence, collected.files());
  assert.match(writeCycloneDx(bill), /pkg:deb\/debian\/agent@9\.1\?arch=amd64&repository_url=/);
  const spdx = writeSpdx(bill);
  assert.match(spdx, /"supplier":"Organization: https:\/\/packages\.example\/apt"/);
  assert.match(spdx, /Of a third party, by a key that the image names itself: https:\/\/packages\.example\/apt stable/);
});

test('what a package of a third party brings is named as the package, not as a copy', () => {
  const claims = [{ name: 'openssl', version: '3.0.1' }];
  const published = change(bare.published!, {
    '/usr/bin/agent': { text: 'agent', mode: 0o755, magic: 'elf', claims },
    '/opt/agent': { text: 'other', mode: 0o755, magic: 'elf', claims },
  });
  const { copies } = judge(withThirdParty({ ...bare, published })).state(byproducts).predicate;
  assert.deepEqual(
    copies?.listed.map(({ path, name }) => [path, name]),
    [['/opt/agent', 'openssl']],
  );
});

test('a third party vouches for the bytes that it signed and no others', () => {
  const other = change(bare.published!, { '/usr/bin/agent': { text: 'evil', mode: 0o755, magic: 'elf' } });
  const judged = judge(withThirdParty({ ...bare, published: other }));
  assert.equal(accountOf(judged, '/usr/bin/agent'), 'unexplained');
  assert.equal(judged.verdict.auditable, 'no');
  const moded = change(bare.published!, { '/usr/bin/agent': { text: 'agent', mode: 0o4755, magic: 'elf' } });
  assert.ok(codes(judge(withThirdParty({ ...bare, published: moded }))).includes('critical setuid-unexpected'));
});

test('a third party says nothing of what a package of Debian holds', () => {
  const evil = { text: 'evil', mode: 0o755, magic: 'elf' as const };
  const spec = { ...AGENT, control: { replaces: 'nginx' }, files: { ...AGENT.files, '/usr/sbin/nginx': evil } };
  const judged = judge(withThirdParty({ ...bare, published: change(bare.published!, { '/usr/sbin/nginx': evil }) }, spec));
  assert.equal(accountOf(judged, '/usr/sbin/nginx'), 'unexplained');
  assert.ok(codes(judged).includes('critical packaged-file-replaced'));
  assert.equal(judged.verdict.auditable, 'no');
});

test('nor does it by a diversion of its own', () => {
  const evil = { text: 'evil', mode: 0o755, magic: 'elf' as const };
  const diversions = '/usr/sbin/nginx\n/usr/sbin/nginx.distrib\nagent\n';
  const spec = {
    ...AGENT,
    files: { ...AGENT.files, '/usr/sbin/nginx': evil },
    scripts: { preinst: '#!/bin/sh\ndpkg-divert --package agent --add --rename --divert /usr/sbin/nginx.distrib /usr/sbin/nginx\n' },
  };
  const published = change(bare.published!, {
    '/usr/sbin/nginx': evil,
    '/usr/sbin/nginx.distrib': { text: 'nginx', mode: 0o755, magic: 'elf' },
    '/var/lib/dpkg/diversions': diversions,
  });
  const judged = judge(withThirdParty({ ...bare, published }, spec));
  assert.equal(accountOf(judged, '/usr/sbin/nginx'), 'unexplained');
  assert.equal(judged.verdict.auditable, 'no');
});

test('nor of what installing the packages of Debian makes', () => {
  const passwd = `${(reinstalledFiles()['/etc/passwd'] as string | undefined) ?? ''}evil:x:0:0::/:/bin/sh\n`;
  const spec = { ...AGENT, files: { ...AGENT.files, '/etc/passwd': passwd } };
  const judged = judge(withThirdParty({ ...bare, published: change(bare.published!, { '/etc/passwd': passwd }) }, spec));
  assert.notEqual(accountOf(judged, '/etc/passwd'), 'third-party');
  assert.ok(codes(judged).some((code) => code.startsWith('critical account')));
});

test('files in places that matter are told, whoever signed them', () => {
  const spec = {
    ...AGENT,
    files: { ...AGENT.files, '/etc/cron.d/agent': '* * * * * root agent\n', '/etc/ld.so.preload': '/usr/lib/x.so\n' },
  };
  const published = change(bare.published!, { '/etc/cron.d/agent': '* * * * * root agent\n', '/etc/ld.so.preload': '/usr/lib/x.so\n' });
  const told = codes(judge(withThirdParty({ ...bare, published }, spec)));
  assert.ok(told.includes('medium scheduled-job'), told.join());
  assert.ok(told.includes('critical preload-configured') || told.includes('high preload-configured'), told.join());
});

test('a repository that could not be used is told', () => {
  const inputs = judgeInputs({ unverified: ['passwd'] });
  inputs.evidence.packages.forEach((one) => one.status === 'unverified-version' && (one.unverified = 'repository-unreachable'));
  inputs.evidence.repositories = [{ url: URL, suite: 'stable', source: '/etc/apt/sources.list.d/a.list', problem: 'repository-unreachable', detail: 'no answer' }]; // prettier-ignore
  const { findings } = judge(inputs).verdict;
  assert.deepEqual(
    findings.filter(({ code }) => code === 'third-party-package').map(({ severity, evidence }) => [severity, evidence['repository'], evidence['detail']]), // prettier-ignore
    [['info', URL, 'no answer']],
  );
  assert.match(findings.find(({ code }) => code === 'package-unverified')?.message ?? '', /a repository of the image/);
});
