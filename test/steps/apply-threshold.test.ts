import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Auditable, Result, Severity } from '../../src/model/verdict.ts';
import { applyThreshold, type Outcome, parseThreshold } from '../../src/steps/apply-threshold.ts';

const CASES: [threshold: string, auditable: Auditable, result: Result, severities: Severity[], outcome: Outcome][] = [
  ['partly', 'yes', 'equivalent', ['high'], 'pass'],
  ['partly', 'partly', 'equivalent', [], 'fail'],
  ['partly', 'no', 'equivalent', [], 'fail'],
  ['partly', 'unknown', 'equivalent', [], 'unknown'],
  ['no', 'partly', 'suspicious', ['critical'], 'pass'],
  ['no', 'no', 'identical', [], 'fail'],
  ['no', 'unknown', 'identical', [], 'unknown'],
  ['unknown', 'unknown', 'identical', [], 'fail'],
  ['unknown', 'no', 'identical', [], 'pass'],
  ['partly,unknown', 'unknown', 'identical', [], 'fail'],
  ['layers-identical', 'yes', 'identical', [], 'pass'],
  ['layers-identical', 'yes', 'layers-identical', [], 'fail'],
  ['explained', 'yes', 'equivalent', [], 'pass'],
  ['explained', 'yes', 'suspicious', [], 'fail'],
  ['suspicious', 'yes', 'different', [], 'pass'],
  ['suspicious', 'yes', 'not-comparable', [], 'unknown'],
  ['not-comparable', 'yes', 'not-comparable', [], 'fail'],
  ['not-comparable', 'yes', 'suspicious', [], 'pass'],
  ['suspicious,not-comparable', 'yes', 'not-comparable', [], 'fail'],
  ['high', 'yes', 'identical', ['medium', 'info'], 'pass'],
  ['high', 'yes', 'identical', ['medium', 'critical'], 'fail'],
  ['info', 'yes', 'identical', [], 'pass'],
  ['no, high', 'unknown', 'identical', ['high'], 'fail'],
  ['never', 'no', 'suspicious', ['critical'], 'pass'],
];

describe('a threshold', () => {
  for (const [text, auditable, result, severities, outcome] of CASES)
    it(`${text}: ${auditable}, ${result}, ${severities.join('+') || 'no finding'} → ${outcome}`, () => {
      const threshold = parseThreshold(text);
      assert.ok(threshold);
      const findings = severities.map((severity) => ({ code: 'x', severity, paths: [], message: '', evidence: {}, advice: '' }));
      assert.equal(applyThreshold(threshold, { auditable, result, findings }), outcome);
    });

  for (const text of ['', 'yes', 'identical', 'never,no', 'no,', 'NO', 'partly critical', 'toString'])
    it(`is none: ${JSON.stringify(text)}`, () => assert.equal(parseThreshold(text), undefined));
});
