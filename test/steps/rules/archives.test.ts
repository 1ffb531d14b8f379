import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, hexOf } from '../../../src/model/digest.ts';
import { wantsContent } from '../../../src/steps/wants-content.ts';
import type { FileSpec } from '../../support/packaged-image.ts';
import { check, excuse, type Row } from '../../support/rules.ts';

test('archives: equal without their times, by the digest that the scan made', () => {
  const zip = (text: string, undated?: string, facts: object = {}): FileSpec => ({
    text,
    magic: 'archive',
    ...(undated === undefined ? {} : { undated }),
    ...facts,
  });
  const gz = (text: string, undated?: string): FileSpec => ({ text, ...(undated === undefined ? {} : { undated }) });
  const rows: Row[] = [
    ['a JAR', '/opt/app.jar', zip('1', 'zip x'), zip('2', 'zip x'), 'zip-members@1'],
    ['one with other members', '/opt/app.jar', zip('1', 'zip x'), zip('2', 'zip y'), 'unknown'],
    ['one that could not be read', '/opt/app.jar', zip('1'), zip('2'), 'unknown'],
    ['one side that could not be read', '/opt/app.jar', zip('1'), zip('2', 'zip x'), 'unknown'],
    ['another format by that name', '/opt/app.jar', zip('1', 'gzip x'), zip('2', 'gzip x'), 'unknown'],
    ['an x bit', '/opt/app.jar', zip('1', 'zip x', { mode: 0o755 }), zip('2', 'zip x', { mode: 0o755 }), 'unknown'],
    ['a capability', '/opt/app.jar', zip('1', 'zip x', { xattrs: { 'security.capability': 'AQ==' } }), zip('2', 'zip x', { xattrs: { 'security.capability': 'AQ==' } }), 'unknown'], // prettier-ignore
    ['another mode', '/opt/app.jar', zip('1', 'zip x', { mode: 0o600 }), zip('2', 'zip x'), 'unknown'],
    ['a program', '/opt/app.jar', zip('1', 'zip x', { magic: 'elf' }), zip('2', 'zip x', { magic: 'elf' }), 'unknown'],
    ['another name', '/opt/app', zip('1', 'zip x'), zip('2', 'zip x'), 'unknown'],
    ['a static library', '/usr/local/lib/libx.a', zip('1', 'ar x'), zip('2', 'ar x'), 'ar-times@1'],
    ['one with other members', '/usr/local/lib/libx.a', zip('1', 'ar x'), zip('2', 'ar y'), 'unknown'],
    ['a manual page', '/usr/local/share/man/man1/x.1.gz', gz('1', 'gzip x'), gz('2', 'gzip x'), 'gzip-time@1'],
    ['one with other words', '/usr/local/share/man/man1/x.1.gz', gz('1', 'gzip x'), gz('2', 'gzip y'), 'unknown'],
    ['one without a time', '/usr/local/share/man/man1/x.1.gz', gz('1'), gz('2'), 'unknown'],
  ];
  check(rows);
});

test('programs are never equal, however little of them differs: a build id, a path of the builder', () => {
  const elf = (text: string): FileSpec => ({ text: `\x7fELF code ${text}`, magic: 'elf', mode: 0o755 });
  check([
    ['a build id', '/usr/local/bin/x', elf('build id 1'), elf('build id 2'), 'unknown'],
    ['a path', '/usr/local/lib/libx.so', elf('/build/a'), elf('/build/b'), 'unknown'],
  ]);
});

test('RECORD of a wheel: true of the files beside it, and these are compared by themselves', () => {
  const folder = '/opt/venv/lib/python3.11/site-packages';
  const path = `${folder}/demo-1.0.dist-info/RECORD`;
  const line = (name: string, text: string, size = text.length): string =>
    `${name},sha256=${Buffer.from(hexOf(digestOf(text)), 'hex').toString('base64url')},${size}`;
  const files = (tool: string) => ({ [`${folder}/demo.py`]: 'demo', '/opt/venv/bin/demo': tool });
  const record = (tool: string, ...more: string[]): string =>
    `${[line('demo.py', 'demo'), line('../../../bin/demo', tool), 'demo-1.0.dist-info/RECORD,,', ...more].join('\n')}\n`;
  const compared = (published: string, rebuilt: string, tools: [string, string] = ['one', 'two']): string =>
    excuse(path, published, rebuilt, { published: files(tools[0]), rebuilt: files(tools[1]) });
  assert.equal(compared(record('one'), record('two')), 'wheel-record@1');
  assert.equal(
    compared(record('one').split('\n').reverse().filter(Boolean).join('\n'), record('two')),
    'wheel-record@1',
    'in another order',
  );
  const attacks: [string, string][] = [
    ['what the file is not', record('evil')],
    ['another size', record('one').replace(/,3\n/, ',4\n')],
    ['a file more', record('one', line('evil.py', 'evil'))],
    ['a file more without a hash', record('one', 'evil.py,,')],
    ['a file less', `${line('demo.py', 'demo')}\ndemo-1.0.dist-info/RECORD,,\n`],
    ['a name alone', record('one').replace(line('../../../bin/demo', 'one'), '../../../bin/demo,')],
  ];
  for (const [what, text] of attacks) assert.equal(compared(text, record('two')), 'unknown', what);
  const link = { [`${folder}/demo.py`]: { link: '/tmp/x' }, '/opt/venv/bin/demo': 'one' };
  assert.equal(excuse(path, record('one'), record('two'), { published: link, rebuilt: files('two') }), 'unknown', 'a link in the place');
  assert.ok(wantsContent(path, 100_000) && !wantsContent(path, 2_000_000) && !wantsContent('/opt/RECORD', 100));
});
