import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { SecurityEvidence, SecurityIssue, SourceIssues } from '../../src/model/security.ts';
import { judge } from '../../src/steps/judge.ts';
import { securityFixes } from '../../src/steps/security-fixes.ts';
import { byproducts, judgeInputs } from '../support/judge-inputs.ts';

const issue = (cve: string, fixed: string | undefined, release = 'bookworm', urgency = 'medium'): SecurityIssue =>
  fixed === undefined ? { cve, release, urgency, status: 'open' } : { cve, release, urgency, status: 'resolved', fixed };
const KNOWN: SourceIssues[] = [
  {
    source: 'openssl',
    issues: [issue('CVE-2', '3.0.15-1~deb12u1'), issue('CVE-1', '3.0.13-1'), issue('CVE-3', undefined), issue('CVE-4', '9', 'trixie')],
  },
];
const one = (sourceVersion: string, state = 'installed') => ({ source: 'openssl', sourceVersion, state });
const fixes = (...packages: ReturnType<typeof one>[]) =>
  securityFixes('bookworm', packages, KNOWN).map(({ version, issues }) => [version, ...issues.map(({ cve }) => cve)]);

test('what was fixed between the installed version and the newest, in dpkg’s order and in the image’s release', () => {
  assert.deepEqual(fixes(one('3.0.9-1'), one('3.0.9-1')), [['3.0.9-1', 'CVE-1', 'CVE-2']]);
  assert.deepEqual(fixes(one('3.0.13-1')), [['3.0.13-1', 'CVE-2']]);
  assert.deepEqual(fixes(one('3.0.15-1~deb12u1')), []);
  assert.deepEqual(fixes(one('3.0.15-1~~')), [['3.0.15-1~~', 'CVE-2']]);
  assert.deepEqual(fixes(one('1:0')), []);
  assert.deepEqual(fixes(one('3.0.9-1', 'config-files'), one('-')), []);
  for (const state of ['unpacked', 'half-configured', 'triggers-pending', 'found'])
    assert.deepEqual(fixes(one('3.0.13-1', state)), [['3.0.13-1', 'CVE-2']], state);
  assert.deepEqual(fixes(one('2'), one('3.0.14')), [['2', 'CVE-1', 'CVE-2'], ['3.0.14', 'CVE-2']]); // prettier-ignore
});

test('a finding for each source, and the statement names the data', () => {
  const inputs = judgeInputs();
  const tracker = { url: 'http://tracker.example/json', digest: digestOf('json'), fetchedAt: '2026-01-02T08:00:00.000Z' };
  const security: SecurityEvidence = {
    tracker: { ...tracker, document: digestOf('document') },
    fixes: [
      { source: 'nginx', version: '1.22.1-9', issues: [{ cve: 'CVE-2024-1', fixed: '1.22.1-10', urgency: 'high**' }, { cve: 'CVE-2024-2', fixed: '1.22.1-9+deb12u1', urgency: 'low' }] }, // prettier-ignore
      { source: 'passwd', version: '1', issues: [{ cve: 'CVE-2024-3', fixed: '2', urgency: 'unimportant' }] },
    ],
  };
  const { verdict, state } = judge({ ...inputs, evidence: { ...inputs.evidence, security } });
  assert.equal(verdict.auditable, 'yes');
  assert.deepEqual(
    verdict.findings.map(({ code, severity, message, layer }) => [code, severity, message, layer]),
    [
      ['known-vulnerability', 'high', 'nginx 1.22.1-9 lacks fixes for 2 known vulnerabilities: CVE-2024-1, CVE-2024-2', 0],
      ['known-vulnerability', 'info', 'passwd 1 lacks fixes for 1 known vulnerability: CVE-2024-3', 0],
    ],
  );
  assert.deepEqual(verdict.findings[0]?.evidence, {
    packages: 'nginx',
    tracker: `${digestOf('json')} of 2026-01-02T08:00:00.000Z`,
    'CVE-2024-1': 'fixed in 1.22.1-10; urgency: high**',
    'CVE-2024-2': 'fixed in 1.22.1-9+deb12u1; urgency: low',
  });
  assert.deepEqual(state(byproducts).predicate.securityTracker, tracker);
});
