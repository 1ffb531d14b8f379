import type { Rebuild } from '../model/rebuild.ts';
import type { Auditable, Finding, Verdict } from '../model/verdict.ts';
import type { Decision } from './decide.ts';
import { printable } from './findings/rebuild.ts';

const AUDITABLE: Record<Auditable, string> = {
  yes: 'every file is accounted for',
  partly: 'some files are not fully accounted for',
  no: 'the contents cannot be audited',
  unknown: 'too little could be read to say what the image holds',
};

/** One sentence for people; with a failed build it ends with the last line of its log. */
export function summarise(
  decision: Decision,
  auditable: Auditable,
  findings: readonly Finding[],
  coverage: Verdict['coverage'],
  rebuild: Rebuild,
): string {
  const worst =
    findings.find(({ severity }) => severity === 'critical') ??
    (auditable === 'no' || decision.result === 'suspicious' ? findings.find(({ severity }) => severity === 'high') : undefined);
  const parts = [`${capital(compared(decision, rebuild))}; ${AUDITABLE[auditable]}`];
  if (auditable === 'partly') parts.push(` (${percent(coverage.accounted)} are)`);
  if (worst !== undefined) parts.push(`: ${worst.message}`);
  const { outcome } = rebuild;
  const lastLine =
    outcome.status === 'not-comparable' && outcome.reason !== 'no-source'
      ? outcome.lastLog.findLast((line) => line.trim() !== '')
      : undefined;
  if (lastLine !== undefined) parts.push(`. Last line of the build: ${printable(lastLine.trim())}`);
  return lastLine === undefined ? `${parts.join('')}.` : parts.join('');
}

function compared({ result, reason }: Decision, { outcome }: Rebuild): string {
  switch (result) {
    case 'identical':
      return 'the rebuild has the same digest as the published image';
    case 'layers-identical':
      return 'the rebuild has the same layers and configuration as the published image';
    case 'equivalent':
      return 'the rebuild holds the same as the published image, but for what differs in every build';
    case 'explained':
      return 'the rebuild differs from the published image only by packages that moved on, or by what another rebuild makes as published';
    case 'different':
      return 'the published image is not what its source builds';
    case 'suspicious':
      return 'the published image holds what neither the archive nor its source makes';
    case 'not-comparable':
      if (reason === 'no-source') return 'no source is known, so nothing was rebuilt';
      return `the image could not be rebuilt (${reason ?? 'unsupported'}${outcome.status === 'not-comparable' && outcome.detail !== '' ? `: ${printable(outcome.detail)}` : ''})`;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function percent(share: number): string {
  return `${Math.floor(share * 1000 + 1e-9) / 10} %`;
}
