import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { FINDINGS } from '../../src/model/finding-codes.ts';
import { canonicalJson } from '../../src/model/json.ts';
import { ATTRIBUTIONS, AUDITABLE, RESULTS, SEVERITIES } from '../../src/model/verdict.ts';
import { judge } from '../../src/steps/judge.ts';
import { RULES } from '../../src/steps/rules/index.ts';
import { byproducts, change, honest, judgeInputs } from '../support/judge-inputs.ts';

const GOLDEN = new URL('../golden/statement.json', import.meta.url);
const PAGE = new URL('../../api/predicates/verdict/v1.md', import.meta.url);

/** The backdoored image of the demo, in small. */
const backdoored = () =>
  judge(
    judgeInputs({
      published: change(honest(), {
        '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' },
        '/var/lib/dpkg/info/nginx.md5sums': 'made to match',
      }),
    }),
  );

test('the statement, byte for byte: a change of it is a change of what verdicts mean', () => {
  const text = `${JSON.stringify(JSON.parse(canonicalJson(backdoored().state(byproducts))), null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, text);
  assert.equal(text, readFileSync(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew; RULES_VERSION is raised with it');
});

test('subject: the repository with the digests of index and manifest', () => {
  const { subject, predicate } = backdoored().state(byproducts);
  assert.deepEqual(
    subject.map(({ name, digest }) => `${name}@sha256:${digest.sha256}`),
    [`registry.example:5000/team/web@${predicate.image.digest}`, `registry.example:5000/team/web@${predicate.image.manifestDigest}`],
  );
});

test('every rule in force stands in it, and when it was judged is the time of its youngest document', () => {
  const { predicate } = backdoored().state(byproducts);
  assert.deepEqual(predicate.rules, RULES);
  assert.equal(predicate.verdict.freshness.judgedAt, '2026-01-02T10:00:00.000Z');
  assert.deepEqual(predicate.byproducts, byproducts);
});

test('what is unexplained is listed by name, and the sum is every path', () => {
  const { account, state, differences } = judge(judgeInputs({ published: change(honest(), { '/srv/a': 'a', '/srv/b': 'b' }) }));
  const { predicate } = state(byproducts);
  assert.deepEqual(predicate.unexplained, ['/srv/a', '/srv/b']);
  for (const counts of [predicate.verdict.coverage.files])
    assert.equal(
      Object.values(counts).reduce((a, b) => a + b),
      account.length,
    );
  assert.equal(predicate.differences.total, differences.length);
  assert.deepEqual(
    predicate.differences.listed.map(({ path }) => path),
    ['/srv/a', '/srv/b'],
  );
});

test('the page of the predicate documents every code, rule, result, attribution and severity, and no other', () => {
  const page = readFileSync(PAGE, 'utf8');
  const section = (title: string): string => page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
  const rows = (title: string): string[] => [...section(title).matchAll(/^\| `([a-z0-9-]+)`/gm)].map((match) => match[1] ?? '').sort();
  assert.deepEqual(rows('Findings'), Object.keys(FINDINGS).sort());
  assert.deepEqual(rows('Rules'), RULES.map(({ name }) => name).sort());
  assert.deepEqual(rows('Result'), [...RESULTS].sort());
  assert.deepEqual(rows('Attributions'), [...ATTRIBUTIONS].sort());
  assert.deepEqual(rows('Auditable'), [...AUDITABLE].sort());
  for (const [code, { severity }] of Object.entries(FINDINGS))
    assert.match(section('Findings'), new RegExp(`^\\| \`${code}\` *\\| ${severity} *\\|`, 'm'));
  for (const severity of SEVERITIES) assert.ok(page.includes(severity));
});
