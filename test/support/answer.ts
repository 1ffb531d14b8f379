import { judge } from '../../src/steps/judge.ts';
import { judgeInputs, type Setting } from './judge-inputs.ts';

/** What a person would want to know first. */
export function answer(setting: Setting): { result: string; auditable: string; codes: string[] } {
  const { verdict } = judge(judgeInputs(setting));
  const codes = verdict.findings.filter(({ severity }) => severity !== 'info').map(({ code, severity }) => `${severity} ${code}`);
  return { result: verdict.result, auditable: verdict.auditable, codes: [...new Set(codes)].sort() };
}
