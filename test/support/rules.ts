/** Asks one rule about one path, the way the comparison and the attribution ask it. */
import assert from 'node:assert/strict';
import type { VerifiedList } from '../../src/model/apt-lists.ts';
import { verifiedLists } from '../../src/steps/apt-lists.ts';
import { imageSide, ruleContext, sideOf } from '../../src/steps/case.ts';
import { compare } from '../../src/steps/compare.ts';
import { FILE_RULES } from '../../src/steps/rules/index.ts';
import { isPlain } from '../../src/steps/rules/rule.ts';
import { type FileSpec, imageOf } from './packaged-image.ts';

export type Files = Record<string, FileSpec>;

function side(files: Files) {
  const { inventory, contents } = imageOf(files);
  return imageSide(inventory, contents);
}

/** `dpkg-log@1` where a rule excuses the difference at the path, `unknown` where none does, `equal` where there is none. */
export function excuse(
  path: string,
  published: FileSpec | undefined,
  rebuilt: FileSpec | undefined,
  beside: { published?: Files; rebuilt?: Files; drifted?: string[]; lists?: VerifiedList[] } = {},
): string {
  const files = side({ ...beside.published, ...(published === undefined ? {} : { [path]: published }) });
  const a = beside.lists === undefined ? files : { ...files, lists: verifiedLists(beside.lists) };
  const b = side({ ...beside.rebuilt, ...(rebuilt === undefined ? {} : { [path]: rebuilt }) });
  const found = compare(a, b, new Set(beside.drifted)).find((difference) => difference.path === path);
  return found === undefined ? 'equal' : (found.rule ?? found.cause);
}

/** The rule that takes the file for what the packages make, `none` where no rule does. */
export function regenerated(path: string, published: Files, reinstalled: Files): string {
  const a = side(published);
  const b = side(reinstalled);
  const context = ruleContext(a, b, { verified: new Set(['libffi8', 'nginx']) });
  const [x, y] = [a.entries.get(path), b.entries.get(path)];
  assert.ok(x !== undefined && y !== undefined);
  const rule = FILE_RULES.find(
    (one) => one.applies(path) && (one.admits ?? isPlain)(x) && one.regenerates?.(sideOf(a, x), sideOf(b, y), context) === true,
  );
  return rule?.name ?? 'none';
}

/** The rule that knows the form, for images with nothing to compare with but perhaps a re-installation. */
export function form(path: string, spec: FileSpec, beside: Files = {}, reinstalled?: Files): string {
  return ruleOf('form', path, spec, beside, reinstalled);
}

/** The rule that recomputes the file, or knows it as a whole. */
export function known(path: string, spec: FileSpec): string {
  return ruleOf('known', path, spec, {}, {});
}

function ruleOf(question: 'form' | 'known', path: string, spec: FileSpec, beside: Files, reinstalled?: Files): string {
  const a = side({ ...beside, [path]: spec });
  const entry = a.entries.get(path)!;
  const context = ruleContext(a, reinstalled === undefined ? undefined : side(reinstalled), { verified: new Set(['libffi8', 'nginx']) });
  const rule = FILE_RULES.find(
    (one) => one.applies(path) && (one.admits ?? isPlain)(entry) && one[question]?.(sideOf(a, entry), context) === true,
  );
  return rule?.name ?? 'none';
}

export type Row = [name: string, path: string, published: FileSpec | undefined, rebuilt: FileSpec | undefined, expected: string];

export const check = (rows: Row[]): void => {
  for (const [name, path, published, rebuilt, expected] of rows) assert.equal(excuse(path, published, rebuilt), expected, name);
};
