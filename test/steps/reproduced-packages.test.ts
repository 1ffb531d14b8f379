import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import { DEFAULT_POLICY, isReproduced, reproducersOf } from '../../src/model/policy.ts';
import { REBUILD_OUTCOMES, type RebuildOutcome } from '../../src/model/rebuilders.ts';
import { judge, type JudgeInputs } from '../../src/steps/judge.ts';
import { byproducts, change, honest, judgeInputs } from '../support/judge-inputs.ts';

const A = 'https://a.example';
const B = 'https://b.example';
type Said = [rebuilder: string, outcome: RebuildOutcome];
const answersOf = (said: Said[]) => said.map(([rebuilder, outcome]) => ({ rebuilder, outcome }));

/** What each package's rebuilders say, by its name; the others are unlisted. */
function withRebuilders(said: Record<string, Said[]>, atLeast = 1, inputs: JudgeInputs = judgeInputs()): JudgeInputs {
  const asked = [A, B].map((url) => ({ url, keys: ['key'] }));
  const debs = inputs.evidence.packages.flatMap(
    ({ name, chain }) =>
    chain === undefined ? [] : [{ deb: chain.deb, answers: answersOf(said[name] ?? [[A, 'unlisted'], [B, 'unlisted']]) }], // prettier-ignore
  );
  return { ...inputs, evidence: { ...inputs.evidence, rebuilders: { rebuilders: asked, atLeast, debs } } };
}

describe('m of n rebuilders', () => {
  const cases: [Said[], by: number, of: number][] = [
    [[[A, 'reproduced'], [B, 'reproduced']], 2, 2],
    [[[A, 'reproduced'], [B, 'not-reproduced']], 1, 2],
    [[[A, 'unattested'], [B, 'unavailable']], 0, 2],
    // Instances of one party agree with each other for reasons that prove nothing.
    [[[`${A}/amd64`, 'reproduced'], [`${A}/all`, 'reproduced'], [B, 'unlisted']], 1, 2],
    [[], 0, 0],
  ]; // prettier-ignore
  for (const [said, by, of] of cases)
    it(`${JSON.stringify(said)}: ${by} of ${of}`, () => assert.deepEqual(reproducersOf(answersOf(said)), { by, of }));

  it('counts nothing but an attestation that binds the very .deb', () => {
    for (const outcome of REBUILD_OUTCOMES)
      assert.equal(isReproduced(DEFAULT_POLICY, answersOf([[A, outcome]])), outcome === 'reproduced', outcome);
  });

  it('asks for one at least, whatever the document says', () => {
    assert.equal(isReproduced({ ...DEFAULT_POLICY, reproducedBy: { atLeast: 0 } }, answersOf([[A, 'unlisted']])), false);
  });
});

describe('the verdict on an image whose packages rebuilders were asked about', () => {
  const SAID: Record<string, Said[]> = {
    nginx: [[A, 'reproduced'], [B, 'unavailable']],
    passwd: [[A, 'not-reproduced'], [B, 'unattested']],
    python3: [[A, 'reproduced'], [B, 'reproduced']],
  }; // prettier-ignore

  it('states how many files and bytes rest on reproduced packages, and by whom', () => {
    const { verdict, account, state } = judge(withRebuilders(SAID));
    const { predicate } = state(byproducts);
    const debOf = (name: string) => predicate.packages.find(({ purl }) => purl.includes(`/${name}@`))?.deb;
    const lines = account.filter(
      ({ attribution, evidence }) =>
        attribution === 'debian-official' && [debOf('nginx'), debOf('python3')].some((deb) => deb === evidence.deb),
    );
    assert.ok(lines.some(({ path }) => path === '/usr/sbin/nginx') && !lines.some(({ path }) => path === '/usr/bin/su'));
    const bytes = lines.reduce((sum, { size }) => sum + size, 0);
    assert.deepEqual(verdict.coverage.reproduced, { packages: 2, of: 4, files: lines.length, bytes });
    assert.deepEqual(predicate.rebuilders, {
      atLeast: 1,
      asked: [
        { url: A, keys: ['key'] },
        { url: B, keys: ['key'] },
      ],
    });
    const stated = predicate.packages.find(({ purl }) => purl.includes('/nginx@'))?.reproduced;
    assert.deepEqual(stated, { by: 1, of: 2, rebuilders: answersOf(SAID['nginx'] ?? []) });
  });

  it('names the build record of a package that a pool has, and takes it for nothing more', () => {
    const inputs = judgeInputs();
    const [deb = digestOf('none')] = inputs.evidence.packages.flatMap(({ name, chain }) => (name === 'nginx' && chain ? [chain.deb] : []));
    const buildinfos = { archive: 'https://pool.example', debs: [{ deb, buildinfo: digestOf('record') }] };
    const judged = judge({ ...inputs, evidence: { ...inputs.evidence, buildinfos } });
    assert.deepEqual(judged.verdict, judge(inputs).verdict);
    const stated = judged.state(byproducts).predicate.packages.map(({ buildinfo }) => buildinfo);
    assert.deepEqual(stated.filter((one) => one !== undefined), [digestOf('record')]); // prettier-ignore
  });

  it('says nothing of a third party’s package, although its repository has the very .deb', () => {
    const inputs = withRebuilders(SAID);
    const nginx = inputs.evidence.packages.find(({ name }) => name === 'nginx');
    assert.ok(nginx !== undefined);
    const purl = 'pkg:deb/debian/agent@1?repository_url=https:%2F%2Frepo.example';
    inputs.evidence.packages.push({ ...nginx, name: 'agent', version: '1', purl, status: 'third-party' });
    const { predicate } = judge(inputs).state(byproducts);
    const statedOf = (part: string) => predicate.packages.find((one) => one.purl.includes(part))?.reproduced;
    assert.equal(statedOf('/agent@'), undefined);
    assert.equal(statedOf('/nginx@')?.by, 1);
    const failing = withRebuilders({ nginx: [[A, 'not-reproduced']] });
    failing.evidence.packages.push({ ...nginx, name: 'agent', version: '1', purl, status: 'third-party' });
    const finding = judge(failing).verdict.findings.find(({ code }) => code === 'package-not-reproduced');
    assert.deepEqual(finding?.evidence, { 'nginx:amd64': '1.22.1-9' });
  });

  it('counts what as many reproduced as are asked for', () => {
    const { verdict, state } = judge(withRebuilders(SAID, 2));
    assert.equal(verdict.coverage.reproduced?.packages, 1);
    assert.equal(state(byproducts).predicate.rebuilders?.atLeast, 2);
  });

  it('does not count a file of a reproduced package that has other bytes now', () => {
    const published = change(honest(), { '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' } });
    const clean = judge(withRebuilders(SAID)).verdict;
    const { verdict } = judge(withRebuilders(SAID, 1, judgeInputs({ published })));
    assert.equal(verdict.auditable, 'no');
    assert.equal(verdict.coverage.reproduced?.files, (clean.coverage.reproduced?.files ?? 0) - 1);
  });

  it('names the packages that could not be built again, and accuses nobody', () => {
    const { verdict } = judge(withRebuilders(SAID));
    const [finding, ...more] = verdict.findings.filter(({ code }) => code === 'package-not-reproduced');
    assert.deepEqual([finding?.severity, finding?.evidence, more], ['info', { 'passwd:amd64': '1' }, []]);
    assert.match(finding?.message ?? '', /speaks against nobody/);
  });

  it('has nothing to tell of what one could not build and enough others could', () => {
    const { verdict } = judge(withRebuilders({ nginx: [[A, 'not-reproduced'], [B, 'reproduced']] })); // prettier-ignore
    assert.ok(!verdict.findings.some(({ code }) => code === 'package-not-reproduced'));
  });

  it('is the same in everything else, whatever they say or whether they answer', () => {
    const without = judge(judgeInputs()).verdict;
    assert.equal(without.coverage.reproduced, undefined);
    for (const outcome of REBUILD_OUTCOMES) {
      const all = Object.fromEntries(['base-files', 'nginx', 'passwd', 'python3'].map((name): [string, Said[]] => [name, [[A, outcome]]]));
      const { verdict } = judge(withRebuilders(all));
      const { reproduced: _, ...coverage } = verdict.coverage;
      const findings = verdict.findings.filter(({ code }) => code !== 'package-not-reproduced');
      assert.deepEqual({ ...verdict, coverage, findings }, without, outcome);
    }
  });
});
