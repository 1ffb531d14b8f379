import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chainIds, liesBeneath } from '../../src/model/chain-id.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { Inventory } from '../../src/model/inventory.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { BuildPlan, PinnedBase } from '../../src/model/rebuild.ts';
import type { AccountLine, Finding, Verdict } from '../../src/model/verdict.ts';
import type { BaseVerdict } from '../../src/steps/case.ts';
import { judge, type JudgeInputs, type Judgement } from '../../src/steps/judge.ts';
import { byproducts, change, type Files, honest, judgeInputs } from '../support/judge-inputs.ts';
import { imageOf } from '../support/packaged-image.ts';

const BASE_LAYER = digestOf('base layer');
/** Files of the base that belong to no package. */
const OWN: Files = {
  '/opt': { dir: true },
  '/opt/tool': { text: 'tool', mode: 0o755, magic: 'elf' },
  '/opt/words': 'words\n',
};
const layerOf = (diffId = BASE_LAYER): Inventory['layers'][number] => ({
  digest: digestOf(`packed ${diffId}`),
  diffId,
  mediaType: '',
  size: 1,
  uncompressedSize: 1,
  entries: 1,
});

type Base = {
  files?: Files;
  /** How the base's own verdict accounts for its files. */
  account?: Record<string, Partial<AccountLine>>;
  verdict?: Partial<Verdict>;
  layer?: typeof BASE_LAYER;
};

/** An image with these files on a base that was judged; both sides hold them unless said otherwise. */
function onBase(
  { files = OWN, account = {}, verdict = {}, layer = BASE_LAYER }: Base,
  published: Files = OWN,
  rebuilt: Files = OWN,
): JudgeInputs {
  const inputs = judgeInputs({ published: change(honest(), published), rebuilt: change(honest('2'), rebuilt) });
  for (const side of [inputs.published, inputs.rebuilt]) {
    if (side === undefined) continue;
    side.layers = [layerOf(), ...side.layers];
    // What is as the base has it came with the base; the rest with the layer above.
    for (const entry of side.entries) entry.layer = entry.path in OWN && canonicalJson((side === inputs.published ? published : rebuilt)[entry.path]) === canonicalJson(OWN[entry.path]) ? 0 : 1; // prettier-ignore
  }
  const { inventory } = imageOf(files);
  inventory.layers = [layerOf(layer)];
  const lines = inventory.entries.map((entry): AccountLine => {
    const { path, kind, size } = entry;
    const evidence = { sourcePath: path.slice(1), revision: 'b'.repeat(40) };
    return { path, kind, size, layer: 0, code: path === '/opt/tool', attribution: 'source', evidence, ...account[path] };
  });
  const image = {
    reference: 'base:1',
    digest: digestOf('base'),
    manifestDigest: digestOf('base'),
    evidence: 'layers',
    beneath: true,
  } as const;
  const base: BaseVerdict = {
    digest: digestOf('the verdict on the base'),
    image,
    verdict: { ...judge(judgeInputs()).verdict, auditable: 'yes', findings: [], ...verdict },
    inventory,
    account: lines,
  };
  return { ...inputs, base };
}

const lineOf = ({ account }: Judgement, path = '/opt/tool'): AccountLine | undefined => account.find((line) => line.path === path);
const codes = ({ verdict }: Judgement): string[] => verdict.findings.map(({ code, severity }) => `${severity} ${code}`);

describe('a verdict on the base', () => {
  it('gives files that come unchanged out of its layers their account, and the statement names it', () => {
    const judged = judge(onBase({}));
    const { attribution, evidence } = lineOf(judged) ?? {};
    assert.equal(attribution, 'base');
    assert.deepEqual(evidence, { sourcePath: 'opt/tool', revision: 'b'.repeat(40), verdict: digestOf('the verdict on the base') });
    assert.equal(judged.verdict.auditable, 'yes', codes(judged).join());
    const { predicate } = judged.state({ ...byproducts, base: digestOf('the verdict on the base') });
    assert.deepEqual(predicate.baseVerdict, {
      digest: digestOf('the verdict on the base'),
      reference: 'base:1',
      manifestDigest: digestOf('base'),
      result: 'equivalent',
      auditable: 'yes',
    });
    assert.equal(predicate.byproducts.base, digestOf('the verdict on the base'));
    assert.equal(
      judge({ ...onBase({}), base: undefined } as unknown as JudgeInputs).verdict.auditable,
      'partly',
      'without it, the rebuild alone',
    );
  });

  it('says no more of a file than it said of it there', () => {
    for (const attribution of ['rebuilt', 'volatile', 'third-party', 'unexplained'] as const) {
      const judged = judge(onBase({ account: { '/opt/tool': { attribution } }, verdict: { auditable: 'partly' } }));
      assert.equal(lineOf(judged)?.attribution, 'rebuilt', attribution);
      assert.equal(judged.verdict.auditable, 'partly', attribution);
      const finding = judged.verdict.findings.find(({ code }) => code === 'base-unaccounted');
      assert.deepEqual(finding?.paths, ['/opt/tool'], attribution);
    }
  });

  it('does not let data that nothing accounted for there become fine by a rebuild on the same base', () => {
    const judged = judge(onBase({ account: { '/opt/words': { attribution: 'unexplained' } }, verdict: { auditable: 'partly' } }));
    assert.equal(judged.verdict.auditable, 'partly');
    assert.ok(codes(judged).includes('medium base-unaccounted'));
    const gone = { ...OWN, '/opt/words': undefined } as unknown as Files;
    const without = judge(
      onBase({ account: { '/opt/words': { attribution: 'unexplained' } }, verdict: { auditable: 'partly' } }, gone, gone),
    );
    assert.equal(without.verdict.auditable, 'yes', 'what a later layer deletes is not held against the rest');
  });

  const critical = (...paths: string[]): Finding => ({
    code: 'setuid-unexpected',
    severity: 'critical',
    paths,
    message: '/opt/tool runs with the rights of root',
    evidence: {},
    advice: '',
  });

  it('with a critical finding vouches for nothing, and the finding stays as long as the file does', () => {
    const condemned = { verdict: { auditable: 'no' as const, findings: [critical('/opt/tool')] } };
    const judged = judge(onBase(condemned));
    assert.equal(lineOf(judged)?.attribution, 'rebuilt');
    assert.equal(judged.verdict.auditable, 'no');
    const finding = judged.verdict.findings.find(({ code }) => code === 'base-condemned');
    assert.deepEqual([finding?.severity, finding?.paths], ['critical', ['/opt/tool']]);
    assert.match(finding?.message ?? '', /base:1 says: \/opt\/tool runs with the rights of root/);

    const replaced = { ...OWN, '/opt/tool': undefined } as unknown as Files;
    assert.ok(!codes(judge(onBase(condemned, replaced, replaced))).some((code) => code.includes('base-condemned')));
  });

  it('that could not tell enough gives no account', () => {
    assert.equal(lineOf(judge(onBase({ verdict: { auditable: 'unknown' } })))?.attribution, 'rebuilt');
  });

  it('says nothing of what a layer above changed, in bytes, mode or owner', () => {
    const changes: Files[string][] = [
      { text: 'evil', mode: 0o755, magic: 'elf' },
      { text: 'tool', mode: 0o4755, magic: 'elf' },
      { text: 'tool', mode: 0o755, uid: 1000, magic: 'elf' },
    ];
    for (const tool of changes) {
      const judged = judge(onBase({}, { ...OWN, '/opt/tool': tool }));
      assert.notEqual(lineOf(judged)?.attribution, 'base');
      assert.equal(judged.verdict.auditable, 'no');
    }
    // The same file written again by a layer above is that layer's, not the base's.
    const inputs = onBase({});
    for (const entry of inputs.published.entries) if (entry.path === '/opt/tool') entry.layer = 1;
    assert.equal(lineOf(judge(inputs))?.attribution, 'rebuilt');
  });

  it('says nothing of what the Dockerfile takes away', () => {
    const judged = judge(onBase({}, OWN, { '/opt': { dir: true } }));
    assert.notEqual(lineOf(judged)?.attribution, 'base');
  });

  it('says nothing of an image that lies on other layers', () => {
    const judged = judge(onBase({ layer: digestOf('another layer') }));
    assert.equal(lineOf(judged)?.attribution, 'rebuilt');
  });

  it('does not excuse a packaged program that is another one, in the base or above it', () => {
    const nginx = { text: 'evil', mode: 0o755, magic: 'elf' as const };
    const evil = { ...OWN, '/usr/sbin/nginx': nginx };
    const inputs = onBase({ files: evil }, evil, evil);
    for (const entry of inputs.published.entries) if (entry.path === '/usr/sbin/nginx') entry.layer = 0;
    const judged = judge(inputs);
    assert.equal(lineOf(judged, '/usr/sbin/nginx')?.attribution, 'unexplained');
    assert.ok(codes(judged).includes('critical packaged-file-replaced'));
  });
});

describe('a base that moved on', () => {
  const at = '/opt/tool';
  /** Published and rebuilt lie on different bases, which hold different tools. */
  const onOther = (evidence: PinnedBase['evidence'], layer = 0): Judgement => {
    const tool = (text: string): Files => ({ '/opt': { dir: true }, [at]: { text, mode: 0o755, magic: 'elf' } });
    const inputs = judgeInputs({ published: change(honest(), tool('old')), rebuilt: change(honest('2'), tool('new')), baseLayers: 1 });
    inputs.published.layers = [layerOf(), ...inputs.published.layers];
    if (inputs.rebuilt !== undefined) inputs.rebuilt.layers = [layerOf(digestOf('new base')), ...inputs.rebuilt.layers];
    for (const entry of inputs.published.entries) entry.layer = entry.path === at ? layer : 1;
    for (const entry of inputs.rebuilt?.entries ?? []) entry.layer = entry.path === at ? 0 : 1;
    const image: PinnedBase = { reference: 'base:1', digest: digestOf('b'), manifestDigest: digestOf('b'), beneath: false };
    const plan: BuildPlan = {
      builder: 'buildah',
      dockerfile: 'Dockerfile',
      buildArgs: {},
      platform: { os: 'linux', architecture: 'amd64' },
      bases: [evidence === undefined ? image : { ...image, evidence }],
      format: 'oci',
    };
    return judge({ ...inputs, rebuild: { ...inputs.rebuild, plan } });
  };

  it('accuses nobody of the code that it brought, and the image cannot be audited all the same', () => {
    const judged = onOther('tag');
    assert.deepEqual([judged.verdict.result, judged.verdict.auditable], ['different', 'no']);
    assert.ok(codes(judged).includes('low base-moved'));
    assert.match(judged.verdict.findings.find(({ code }) => code === 'unexplained-code')?.message ?? '', /in another base/);
  });

  it('is no excuse where the base is named and another one lies beneath, nor for what lies above it', () => {
    for (const evidence of ['digest', 'provenance', 'label'] as const) {
      const judged = onOther(evidence);
      assert.deepEqual([judged.verdict.result, judged.verdict.auditable], ['suspicious', 'no'], evidence);
      assert.ok(codes(judged).includes('medium base-layers-differ'), evidence);
    }
    assert.equal(onOther('tag', 1).verdict.result, 'suspicious');
  });
});

describe('layers', () => {
  const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')];
  it('have a chain of their own for each prefix', () => {
    assert.deepEqual(chainIds([]), []);
    assert.deepEqual(chainIds([a, b]), [a, digestOf(`${a} ${b}`)]);
    assert.deepEqual(chainIds([a, b, c]).slice(0, 2), chainIds([a, b]));
    assert.notEqual(chainIds([b, a])[1], chainIds([a, b])[1]);
  });
  it('lie beneath others as a prefix', () => {
    assert.ok(liesBeneath([a], [a, b]) && liesBeneath([a, b], [a, b]) && liesBeneath([], [a]));
    assert.ok(!liesBeneath([b], [a, b]) && !liesBeneath([a, b], [a]) && !liesBeneath([a, c], [a, b]));
  });
});
