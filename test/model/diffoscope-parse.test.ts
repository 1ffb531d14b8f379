import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDiffoscope } from '../../src/model/diffoscope-parse.ts';

type Node = { source1: string; source2: string; unified_diff?: string | null; comments?: string[]; details?: unknown[] };
const report = (...details: unknown[]): string =>
  JSON.stringify({ 'diffoscope-json-version': 1, source1: '/job/rebuilt', source2: '/job/published', unified_diff: null, details });
const node = (name: string, more: Partial<Node> = {}): Node => ({ source1: name, source2: name, unified_diff: null, ...more });
const file = (more: Partial<Node>): Node => ({ ...node(''), source1: '/job/rebuilt/0', source2: '/job/published/0', ...more });
const LIMITS = { nodes: 5, depth: 2, lines: 3, characters: 200 };

describe('a report of diffoscope', () => {
  it('is what it says of each file, by number', () => {
    const found = parseDiffoscope(
      report(
        node('file list', { unified_diff: '-x' }),
        file({ details: [node('readelf {}', { unified_diff: '@@ -1 +1 @@\n-a\n+b\n' })] }),
        { ...file({ unified_diff: '-c\n+d\n', comments: ['ends early'] }), source1: '/job/rebuilt/7' },
      ),
    );
    assert.deepEqual(found?.get('0'), [{ rebuilt: 'readelf {}', published: 'readelf {}', diff: '@@ -1 +1 @@\n-a\n+b' }]);
    assert.deepEqual(found?.get('7'), [{ rebuilt: '', published: '', diff: '-c\n+d', comments: ['ends early'] }]);
    assert.equal(found?.size, 2);
  });

  for (const [what, text] of [
    ['no JSON', '{"diffoscope-json-version": 1, "source1"'],
    ['another version', JSON.stringify({ 'diffoscope-json-version': 2, source1: 'a', source2: 'b' })],
    ['a list', '[]'],
    ['details of another form', JSON.stringify({ 'diffoscope-json-version': 1, source1: 'a', source2: 'b', details: {} })],
  ] as const)
    it(`is none: ${what}`, () => assert.equal(parseDiffoscope(text), undefined));

  it('leaves out nodes of another form', () => {
    const found = parseDiffoscope(
      report(null, 5, file({ details: [7, { source1: 1 }, node('fine'), node('not', { comments: 'no' as never })] })),
    );
    assert.deepEqual(found?.get('0')?.map(({ rebuilt }) => rebuilt), ['fine']); // prettier-ignore
  });

  it('is printable, whatever members are called', () => {
    const [found] =
      parseDiffoscope(report(file({ details: [node('a\x1b[2J\n\u202e<b>', { unified_diff: '+\x07\ttab\n+\u200b' })] })))?.get('0') ?? [];
    assert.equal(found?.rebuilt, 'a\\x1b[2J \\xe2\\x80\\xae<b>');
    assert.equal(found?.diff, '+\\x07\ttab\n+\\xe2\\x80\\x8b');
  });

  it('is bounded in nodes, depth, lines and characters, and says where it was cut', () => {
    const wide = parseDiffoscope(report(file({ details: Array.from({ length: 100 }, (_one, index) => node(`${index}`)) })), LIMITS);
    assert.equal(wide?.get('0')?.length, 6);
    assert.match(JSON.stringify(wide?.get('0')), /95 more below this are not shown/);
    let deep = node('end');
    for (let level = 0; level < 500; level += 1) deep = node(`${level}`, { details: [deep] });
    assert.match(JSON.stringify(parseDiffoscope(report(file({ details: [deep] })), LIMITS)?.get('0')), /1 more below this/);
    const long = parseDiffoscope(report(file({ unified_diff: `${'+x\n'.repeat(50)}` })), LIMITS);
    assert.equal(long?.get('0')?.[0]?.diff, '+x\n+x\n+x\n… more is not shown');
    const broad = JSON.stringify(
      parseDiffoscope(report(file({ unified_diff: `${`+${'y'.repeat(10_000)}\n`.repeat(3)}` })), LIMITS)?.get('0'),
    );
    assert.ok(broad.length < 800 && broad.includes('more is not shown'), broad);
  });
});
