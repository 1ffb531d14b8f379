import { ATTRIBUTIONS, AUDITABLE, RESULTS, SEVERITIES, type Verdict } from '../src/model/verdict.ts';
import { STATUSES, STEPS } from '../src/model/verification.ts';
import type { VerificationView } from './schemas.ts';

const WORD = /^[a-z][a-z-]{0,63}$/;
/** In Markdown an address ends at a bracket. */
const ADDRESS = /^https?:\/\/[^\s\p{Cc}\p{Cf}()<>"]+$/u;

/**
 * Whether an answer has the words, numbers and addresses where they belong: those are shown as they are, while all other text is escaped. By
 * hand, because a validator takes longer to load than most commands run.
 */
export function isView({ status, step, links, verdict, problem }: VerificationView): boolean {
  return (
    STATUSES.includes(status) &&
    STEPS.includes(step) &&
    Object.values(links).every((address) => typeof address === 'string' && ADDRESS.test(address)) &&
    (verdict === undefined || isVerdict(verdict)) &&
    (problem === undefined || typeof problem.code === 'string')
  );
}

function isVerdict({ auditable, result, reason, coverage, findings }: Verdict): boolean {
  const { accounted, files, reproduced } = coverage;
  return (
    AUDITABLE.includes(auditable) &&
    RESULTS.includes(result) &&
    (reason === undefined || WORD.test(reason)) &&
    // A service of another version may know other attributions.
    ATTRIBUTIONS.every((name) => files[name] === undefined || Number.isInteger(files[name])) &&
    typeof accounted === 'number' &&
    (reproduced === undefined || [reproduced.files, reproduced.packages].every(Number.isInteger)) &&
    findings.every(
      ({ severity, line, href }) =>
        SEVERITIES.includes(severity) && (line === undefined || Number.isInteger(line)) && (href === undefined || ADDRESS.test(href)),
    )
  );
}
