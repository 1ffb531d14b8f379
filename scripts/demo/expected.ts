import type { VerificationView } from '../../api/schemas.ts';
import type { FindingCode } from '../../src/model/finding-codes.ts';
import type { Auditable, Result } from '../../src/model/verdict.ts';
import type { DemoName } from './images.ts';

type Expected = {
  results: Result[];
  reason?: string;
  auditable?: Auditable;
  /** Findings that must be there, each with the paths it must name. */
  findings: Partial<Record<FindingCode, string[]>>;
};

const GOOD: Result[] = ['identical', 'layers-identical', 'equivalent'];

/** What conforme has to say of each image of the demonstration. */
export const EXPECTED: Record<DemoName, Expected> = {
  honest: { results: GOOD, auditable: 'yes', findings: {} },
  backdoored: { results: ['suspicious'], auditable: 'no', findings: { 'packaged-file-replaced': ['/usr/sbin/nginx'] } },
  stuffed: {
    results: ['suspicious'],
    auditable: 'no',
    findings: {
      'setuid-unexpected': ['/usr/lib/helper'],
      'preload-configured': ['/etc/ld.so.preload'],
      'secret-in-layer': ['/root/.aws/credentials'],
    },
  },
  'without-source': { results: ['not-comparable'], reason: 'no-source', findings: {} },
  drifted: {
    results: ['different'],
    findings: { 'source-drift': ['/usr/local/bin/uptime.py', '/var/www/html/index.html'] },
  },
};

/** What of a finished verification is not as expected; empty where all is. */
export function unexpectedIn(name: DemoName, { status, problem, verdict }: VerificationView): string[] {
  if (status !== 'done' || verdict === undefined) return [`no verdict: ${problem?.code ?? status} ${problem?.detail ?? ''}`];
  const { results, reason, auditable, findings } = EXPECTED[name];
  const wrong: string[] = [];
  if (!results.includes(verdict.result)) wrong.push(`result ${verdict.result} instead of ${results.join(' or ')}`);
  if (reason !== undefined && verdict.reason !== reason) wrong.push(`reason ${String(verdict.reason)} instead of ${reason}`);
  if (auditable !== undefined && verdict.auditable !== auditable) wrong.push(`auditable ${verdict.auditable} instead of ${auditable}`);
  for (const [code, paths] of Object.entries(findings)) {
    const found = new Set(verdict.findings.filter((finding) => finding.code === code).flatMap((finding) => finding.paths));
    for (const path of paths) if (!found.has(path)) wrong.push(`no finding ${code} for ${path}`);
  }
  if (name === 'honest') {
    const grave = verdict.findings.filter(({ severity }) => severity === 'critical' || severity === 'high');
    for (const { code, paths } of grave) wrong.push(`finding ${code} for ${paths.slice(0, 3).join(', ')}`);
  }
  return wrong;
}
