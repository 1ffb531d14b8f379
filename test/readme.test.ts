import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONFIG_TABLE } from '../src/config.ts';

const ROOT = join(import.meta.dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

test('the README lists every setting as the program has it, and no other', () => {
  const rows = readme.split('\n').filter((line) => /^\| `(?:CONFORME_|REDIS_URL|DATABASE_URL|DOCKER_CONFIG)/.test(line));
  assert.deepEqual(
    rows,
    CONFIG_TABLE.map(({ variable, means, default: value }) => `| \`${variable}\` | ${means} | ${value} |`),
  );
});

test('pages of the project name files and scripts that are there', () => {
  for (const page of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md']) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = '']) => path);
    const names = [...text.matchAll(/(?<![\w./-])(?:scripts|src|test|api|workers)\/[\w./-]*\w/g)]
      .map(([path]) => path)
      .filter((path) => !/\/v1\/?$/.test(path));
    for (const path of [...links, ...names]) assert.ok(existsSync(join(ROOT, path)), `${page} names ${path}`);
  }
});
