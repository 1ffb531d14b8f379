/** Which answers are good ones: what a page colours, and draws as a mark. */
import type { Auditable, Result, Severity } from '../../src/model/verdict.ts';

export type Tone = 'good' | 'fair' | 'bad' | 'none';

export const AUDITABLE_TONES: Record<Auditable, Tone> = { yes: 'good', partly: 'fair', no: 'bad', unknown: 'none' };

export const RESULT_TONES: Record<Result, Tone> = {
  identical: 'good',
  'layers-identical': 'good',
  equivalent: 'good',
  explained: 'good',
  different: 'fair',
  suspicious: 'bad',
  'not-comparable': 'none',
};

export const SEVERITY_TONES: Record<Severity, Tone> = { critical: 'bad', high: 'bad', medium: 'fair', low: 'none', info: 'none' };
