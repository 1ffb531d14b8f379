import { type Auditable, type Result, RESULTS, SEVERITIES, type Severity, type Verdict } from '../model/verdict.ts';

/** Results that say how near the rebuild came, best first. `not-comparable` is none of them. */
const COMPARED: readonly Exclude<Result, 'not-comparable'>[] = RESULTS.filter((result) => result !== 'not-comparable');
const WORSE_THAN_BEST = COMPARED.filter((result) => result !== 'identical');

/** What a pipeline may fail on; several are told with commas between. */
export const THRESHOLD_WORDS = ['never', 'partly', 'no', 'unknown', ...WORSE_THAN_BEST, 'not-comparable', ...SEVERITIES] as const;
type Word = (typeof THRESHOLD_WORDS)[number];
/** None of its words is there twice; `never` stands alone. */
export type Threshold = readonly Word[];

export const DEFAULT_THRESHOLD: Threshold = ['partly'];
/** Of a threshold as text: all of its words together. */
export const THRESHOLD_LENGTH_MAX = 200;

/** `unknown`: the verdict does not tell what the threshold asks, which is neither good nor bad. */
export type Outcome = 'pass' | 'fail' | 'unknown';

/** `partly,critical`; undefined where a word is none of {@link THRESHOLD_WORDS}. */
export function parseThreshold(text: string): Threshold | undefined {
  const words = [...new Set(text.split(',').map((word) => word.trim()))];
  const known = words.filter((word): word is Word => (THRESHOLD_WORDS as readonly string[]).includes(word));
  if (known.length !== words.length || (known.includes('never') && known.length > 1)) return undefined;
  return known;
}

/** Whether a verdict passes. What fails counts before what cannot be told. */
export function applyThreshold(threshold: Threshold, verdict: Pick<Verdict, 'auditable' | 'result' | 'findings'>): Outcome {
  const outcomes = threshold.map((word) => outcomeOf(word, verdict));
  return (['fail', 'unknown'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'pass';
}

function outcomeOf(word: Word, { auditable, result, findings }: Pick<Verdict, 'auditable' | 'result' | 'findings'>): Outcome {
  switch (word) {
    case 'never':
      return 'pass';
    case 'partly':
      return byAuditable(auditable, ['partly', 'no']);
    case 'no':
      return byAuditable(auditable, ['no']);
    case 'unknown':
      return auditable === 'unknown' ? 'fail' : 'pass';
    case 'not-comparable':
      return result === 'not-comparable' ? 'fail' : 'pass';
    case 'critical':
    case 'high':
    case 'medium':
    case 'low':
    case 'info':
      return findings.some(({ severity }) => isAsSevere(severity, word)) ? 'fail' : 'pass';
    case 'layers-identical':
    case 'equivalent':
    case 'explained':
    case 'different':
    case 'suspicious':
      return byResult(result, word);
  }
}

function byAuditable(auditable: Auditable, bad: readonly Auditable[]): Outcome {
  if (auditable === 'unknown') return 'unknown';
  return bad.includes(auditable) ? 'fail' : 'pass';
}

function byResult(result: Result, worst: (typeof COMPARED)[number]): Outcome {
  if (result === 'not-comparable') return 'unknown';
  return COMPARED.indexOf(result) >= COMPARED.indexOf(worst) ? 'fail' : 'pass';
}

const isAsSevere = (severity: Severity, least: Severity): boolean => SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least);
