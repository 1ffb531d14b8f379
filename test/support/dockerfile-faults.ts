import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindingCode } from '../../src/model/finding-codes.ts';
import type { StepOptions } from '../../src/steps/dockerfile-steps.ts';
import { faultsOf } from '../../src/steps/findings/dockerfile/index.ts';

export const PINNED = `FROM debian:12@sha256:${'1'.repeat(64)}`;

export type FaultOptions = Omit<StepOptions, 'platform'> & {
  /** Folders in which the image has files; every one by default. */
  holds?: readonly string[];
  packaged?: readonly string[];
};

/** `code line` of each fault, in the order of the lines. */
export function faults(text: string, options: FaultOptions = {}): string[] {
  const { holds, packaged = [], ...rest } = options;
  const platform = { os: 'linux', architecture: 'amd64' };
  return faultsOf(
    text,
    { platform, ...rest },
    { holds: (folder) => holds?.includes(folder) ?? true, packaged: (name) => packaged.find((one) => one === name) },
  ).map(({ code, line }) => `${code} ${line}`);
}

/** One test for each row: what the steps on a pinned image, from line 2 on, are told of. */
export function table(
  code: FindingCode,
  rows: readonly [what: string, steps: string, lines: readonly number[], options?: FaultOptions][],
): void {
  for (const [what, steps, lines, options] of rows) {
    test(`${code}: ${what}`, () => {
      const told = faults(`${PINNED}\n${steps}\n`, options).filter((one) => one.startsWith(`${code} `));
      assert.deepEqual(
        told,
        lines.map((line) => `${code} ${line}`),
        steps,
      );
    });
  }
}
