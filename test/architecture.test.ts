import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Files, importsOf, reachable, readFiles } from './support/imports.ts';

const PURE_BUILTINS = /^node:(crypto|util|buffer)$/; // neither the disk nor the network nor the clock

/** What a file may import, told by where it is. The first row that fits counts. */
const MAY_IMPORT: [where: RegExp, what: RegExp][] = [
  [/^(api|workers)\/main\.ts$/, /./],
  [/^src\/model\//, /^src\/model\//],
  [/^src\/steps\//, /^src\/(model\/|steps\/|problem\.ts)/],
  [/^src\/problem\.ts$/, /^$/],
  [/^src\/(ports(-build|-explain)?|config)\.ts$/, /^src\/(model\/|problem\.ts)/],
  [/^src\/(pipeline\.ts|flow\/)/, /^src\/(model|steps|flow)\/|^src\/(pipeline|ports(-build|-explain)?|problem)\.ts/],
  [/^src\/adapters\//, /^src\/(model\/|(ports(-build|-explain)?|problem)\.ts)/], // and its own folder, see below
  [/^api\//, /^api\/(?!main\.ts)|^src\/(?!adapters\/)/],
  [/^workers\//, /^workers\/(?!main\.ts)|^src\/(?!adapters\/)/],
];

function violations(files: Files): string[] {
  const found: string[] = [];
  for (const [path, text] of files) {
    const allowed = MAY_IMPORT.find(([where]) => where.test(path))?.[1];
    const own = /^src\/adapters\/[^/]+\//.exec(path)?.[0];
    for (const { target } of importsOf(path, text)) {
      const local = files.has(target) || /^(src|api|workers|test|scripts)\//.test(target);
      const pure = /^src\/(model|steps)\//.test(path);
      const fine = local
        ? allowed?.test(target) === true || (own !== undefined && target.startsWith(own))
        : target !== '?' && !(pure && target.startsWith('node:') && !PURE_BUILTINS.test(target));
      if (!fine) found.push(`${path} → ${target}`);
    }
  }
  for (const path of ['workers/rebuild.ts', 'src/pipeline.ts'])
    for (const target of reachable(files, path, true)) if (HOLDERS.test(target)) found.push(`${path} ⇒ ${target}`);
  // The program of the rebuild worker loads key and database only in the roles that have them.
  for (const target of reachable(files, 'workers/main.ts', false)) if (HOLDERS.test(target)) found.push(`workers/main.ts ⇒ ${target}`);
  return found;
}

const HOLDERS = /^src\/adapters\/(openpgp|database)\//;

describe('the import rules', () => {
  it('hold', async () => {
    const files = await readFiles(join(import.meta.dirname, '..'), ['src', 'api', 'workers']);
    assert.ok(files.size > 50 && files.has('src/pipeline.ts') && files.has('workers/rebuild.ts'), 'there is something to check');
    assert.deepEqual(violations(files), []);
  });

  const broken: [path: string, text: string, violation: string][] = [
    ['src/model/a.ts', "import type { B } from '../ports.ts';", 'src/model/a.ts → src/ports.ts'],
    ['src/model/a.ts', "import { readFile } from 'node:fs/promises';", 'src/model/a.ts → node:fs/promises'],
    ['src/model/a.ts', "import { Problem } from '../problem.ts';", 'src/model/a.ts → src/problem.ts'],
    ['src/steps/a.ts', "import { b } from '../adapters/git/b.ts';", 'src/steps/a.ts → src/adapters/git/b.ts'],
    ['src/steps/rules/a.ts', "import {\n  type B,\n  c,\n} from '../../ports.ts';", 'src/steps/rules/a.ts → src/ports.ts'],
    ['src/ports.ts', "export * from './adapters/git/b.ts';", 'src/ports.ts → src/adapters/git/b.ts'],
    ['src/pipeline.ts', "import './config.ts';", 'src/pipeline.ts → src/config.ts'],
    ['src/adapters/git/a.ts', "import type { B } from '../network/b.ts';", 'src/adapters/git/a.ts → src/adapters/network/b.ts'],
    ['src/adapters/git/a.ts', "import { config } from '../../config.ts';", 'src/adapters/git/a.ts → src/config.ts'],
    ['src/adapters/gitlab/a.ts', "import { b } from '../git/b.ts';", 'src/adapters/gitlab/a.ts → src/adapters/git/b.ts'],
    ['api/a.ts', "import { b } from '../workers/b.ts';", 'api/a.ts → workers/b.ts'],
    ['api/routes/a.ts', "const b = await import('../../src/adapters/database/b.ts');", 'api/routes/a.ts → src/adapters/database/b.ts'],
    ['workers/a.ts', "import { b } from '../api/b.ts';", 'workers/a.ts → api/b.ts'],
    ['workers/a.ts', "import { openDatabase } from './main.ts';", 'workers/a.ts → workers/main.ts'],
    ['workers/a.ts', 'const name = "x"; await import(name);', 'workers/a.ts → ?'],
    ['scripts/a.ts', '', ''],
  ];
  for (const [path, text, violation] of broken)
    it(`are broken by ${path}: ${text}`, () => assert.deepEqual(violations(new Map([[path, text]])), violation === '' ? [] : [violation]));

  it('see through several files, and that a type is not loaded', () => {
    const far = new Map([
      ['workers/rebuild.ts', "import { a } from './a.ts';"],
      ['workers/a.ts', "import { b } from '../src/b.ts';"],
      ['src/b.ts', "export { c } from './adapters/openpgp/c.ts';"],
    ]);
    assert.ok(violations(far).includes('workers/rebuild.ts ⇒ src/adapters/openpgp/c.ts'));
    const main = (text: string): string[] => violations(new Map([['workers/main.ts', text]]));
    assert.deepEqual(main("import { c } from '../src/adapters/database/c.ts';"), ['workers/main.ts ⇒ src/adapters/database/c.ts']);
    assert.deepEqual(main("import type { C } from '../src/adapters/database/c.ts';\nawait import('../src/adapters/database/c.ts');"), []);
  });
});
