import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import schema from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' };
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { Log, Result } from 'sarif';
import { digestOf } from '../../src/model/digest.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Finding } from '../../src/model/verdict.ts';
import { writeSarif } from '../../src/steps/write-sarif.ts';
import { HOSTILE_NAME, sampleVerdict } from '../support/sample-verdict.ts';

const golden = JSON.parse(readFileSync(new URL('../golden/statement.json', import.meta.url), 'utf8')) as Statement;

/** What every reader of SARIF holds a file against: the schema that `$schema` names. */
function faults(log: unknown): unknown[] {
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv);
  const { $schema: _draft04, id: _id, ...rest } = schema as Record<string, unknown>;
  ajv.validate(rest, log);
  return ajv.errors ?? [];
}

function written(findings: Finding[], more: Partial<Statement['predicate']> = {}): { text: string; log: Log; results: Result[] } {
  const { verdict } = golden.predicate;
  const text = writeSarif(digestOf('verdict'), { predicate: { ...golden.predicate, ...more, verdict: { ...verdict, findings } } });
  const log = JSON.parse(text) as Log;
  assert.deepEqual(faults(log), []);
  return { text, log, results: log.runs[0]?.results ?? [] };
}

const finding = (more: Partial<Finding>): Finding => ({
  code: 'packaged-file-replaced',
  severity: 'critical',
  paths: ['/usr/sbin/nginx'],
  message: 'it was replaced',
  evidence: {},
  advice: 'Look.',
  ...more,
});
const git = (subdir?: string): NonNullable<Statement['predicate']['source']> => ({
  location: { kind: 'git', url: 'https://git.example.org/a.git', commit: '0'.repeat(40), ...(subdir === undefined ? {} : { subdir }) },
  evidence: 'request',
});
const plan = (dockerfile: string): NonNullable<Statement['predicate']['buildPlan']> => ({
  builder: 'buildah',
  dockerfile,
  buildArgs: {},
  platform: { os: 'linux', architecture: 'amd64' },
  bases: [],
  format: 'oci',
});

describe('the findings as SARIF', () => {
  it('are valid by the schema, which finds faults', () => {
    for (const kind of ['honest', 'partly', 'backdoored', 'unsourced'] as const) written(sampleVerdict(kind).findings);
    assert.notDeepEqual(faults({ version: '2.1.0', runs: [{ tool: {} }] }), []);
    assert.notDeepEqual(faults({ version: '2.0.0', runs: [] }), []);
  });

  it('give the same bytes for the same verdict', () => {
    assert.equal(written([finding({})]).text, written([finding({})]).text);
  });

  it('have a rule for each code, with help, and the severity of what is here', () => {
    const { log, results } = written([
      finding({ severity: 'medium' }),
      finding({ code: 'unexplained-file', severity: 'low' }),
      finding({ severity: 'low' }),
    ]);
    const rules = log.runs[0]?.tool.driver.rules ?? [];
    assert.deepEqual(
      rules.map(({ id, properties }) => [id, (properties as Record<string, unknown>)['security-severity']]),
      [
        ['packaged-file-replaced', '5.5'],
        ['unexplained-file', '2.0'],
      ],
    );
    assert.match(rules[0]?.help?.text ?? '', /Debian signed\. Find out who changed/);
    assert.deepEqual(
      results.map(({ ruleId, ruleIndex, level }) => [ruleId, ruleIndex, level]),
      [
        ['packaged-file-replaced', 0, 'warning'],
        ['unexplained-file', 1, 'note'],
        ['packaged-file-replaced', 0, 'note'],
      ],
    );
  });

  const PLACES: [
    what: string,
    more: Partial<Statement['predicate']>,
    finding: Partial<Finding>,
    uri: string,
    base: string,
    line: number,
  ][] = [
    ['a line', { source: git(), buildPlan: plan('Dockerfile') }, { line: 7 }, 'Dockerfile', 'SOURCE', 7],
    ['a folder', { source: git('a b/c'), buildPlan: plan('docker/Dockerfile') }, { line: 7 }, 'a%20b/c/docker/Dockerfile', 'SOURCE', 7],
    ['no line', { source: git(), buildPlan: plan('Dockerfile') }, {}, 'Dockerfile', 'SOURCE', 1],
    ['a name that leaves', { source: git('../..'), buildPlan: plan('../etc/./x?y#z') }, {}, 'etc/x%3Fy%23z', 'SOURCE', 1],
  ];
  for (const [what, more, part, uri, base, line] of PLACES)
    it(`are in the Dockerfile: ${what}`, () => {
      const [place] = written([finding(part)], more).results[0]?.locations ?? [];
      assert.deepEqual(place?.physicalLocation, { artifactLocation: { uri, uriBaseId: base }, region: { startLine: line } });
      assert.deepEqual(place?.logicalLocations, [{ fullyQualifiedName: '/usr/sbin/nginx', kind: 'resource' }]);
    });

  it('are in the image where nobody knows a Dockerfile', () => {
    const { buildPlan: _plan, source: _source, ...without } = golden.predicate;
    const log = JSON.parse(
      writeSarif(digestOf('verdict'), {
        predicate: { ...without, verdict: { ...golden.predicate.verdict, findings: [finding({ line: 9 }), finding({ paths: [] })] } },
      }),
    ) as Log;
    assert.deepEqual(faults(log), []);
    const uris = log.runs[0]?.results?.map(({ locations }) => locations?.[0]?.physicalLocation?.artifactLocation?.uri);
    assert.equal(uris?.[0], 'usr/sbin/nginx');
    assert.ok((uris?.[1] ?? '').length > 0, 'an empty address is refused');
  });

  it('hold no link, placeholder or markup of a hostile name', () => {
    const { results } = written([finding({ message: `[click](https://evil.example) {0} ${HOSTILE_NAME} \\x1b` })]);
    assert.equal(results[0]?.message.text, `\\[click\\](https://evil.example) {{0}} ${HOSTILE_NAME} \\\\x1b`);
  });

  it('are told apart from one build to the next by what they are about', () => {
    const prints = (findings: Finding[]) =>
      written(findings).results.map(({ partialFingerprints }) => partialFingerprints?.['primaryLocationLineHash']);
    const outdated = (version: string, source = 'openssl') =>
      finding({ code: 'outdated-package', paths: [], message: version, evidence: { source: `${source} ${version}` } });
    const [first] = prints([outdated('1.0')]);
    assert.deepEqual(prints([outdated('1.1')]), [first]);
    assert.notDeepEqual(prints([outdated('1.0', 'zlib')]), [first]);
    assert.match(first ?? '', /^[0-9a-f]{16}:1$/);
    assert.deepEqual(prints([outdated('1.0'), outdated('2.0')]), [first, first?.replace(/1$/, '2')]);
    assert.notDeepEqual(prints([finding({})]), prints([finding({ paths: ['/bin/sh'] })]));
  });
});
