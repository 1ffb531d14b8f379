import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandVariables, parseDockerfile, type Dockerfile } from '../../src/model/dockerfile.ts';

function parsed(text: string): Dockerfile {
  const result = parseDockerfile(text);
  assert.ok(result.ok, JSON.stringify(result));
  return result.dockerfile;
}

describe('parseDockerfile', () => {
  it('gives stages, flags and lines', () => {
    const file = parsed(
      [
        '# syntax=docker/dockerfile:1',
        'ARG BASE="debian:12" X',
        'FROM --platform=$BUILDPLATFORM ${BASE} AS Build',
        'RUN --mount=type=cache,target=/c --network=none make \\',
        '  # a comment within',
        '  all',
        'copy --from=0 ["a b", "/c"]',
        'FROM build',
        'ONBUILD RUN id',
      ].join('\n'),
    );
    assert.equal(file.syntax, 'docker/dockerfile:1');
    assert.deepEqual(file.args, [{ name: 'BASE', value: 'debian:12' }, { name: 'X' }]);
    assert.deepEqual(
      file.stages.map(({ line, image, platform, name }) => ({ line, image, platform, name })),
      [
        { line: 3, image: '${BASE}', platform: '$BUILDPLATFORM', name: 'build' },
        { line: 8, image: 'build', platform: undefined, name: undefined },
      ],
    );
    const [run, copy] = file.stages[0]?.instructions ?? [];
    assert.deepEqual(run?.flags, [
      ['mount', 'type=cache,target=/c'],
      ['network', 'none'],
    ]);
    assert.deepEqual(run?.words, ['make', 'all']);
    assert.deepEqual(copy?.flags, [['from', '0']]);
    assert.deepEqual(
      file.steps.map(({ line, instruction, stage }) => [line, instruction, stage]),
      [
        [3, 'FROM', 0],
        [4, 'RUN', 0],
        [7, 'COPY', 0],
        [8, 'FROM', 1],
        [9, 'ONBUILD', 1],
      ],
    );
  });

  it('joins lines with the escape character that the file chooses', () => {
    const file = parsed('# escape=`\nFROM a\nRUN x `\n  y\\\n');
    assert.deepEqual(file.stages[0]?.instructions[0]?.words, ['x', 'y\\']);
  });

  it('sees here-documents, and no others', () => {
    const heredocs = (line: string): boolean | undefined => parsed(`FROM a\n${line}\n`).stages[0]?.instructions[0]?.heredoc;
    for (const line of [
      'RUN <<EOF\nid\nEOF',
      'RUN cat <<"EOF" > /x\nFROM b\nEOF',
      'RUN python3 - <<-PY\nx\nPY',
      'COPY <<EOF /x\ny\nEOF',
      'ADD <<EOF /x\ny\nEOF',
    ])
      assert.equal(heredocs(line), true, line);
    for (const line of ['RUN echo $((1<<2))', 'RUN echo "<<EOF"', 'RUN cat < x', 'RUN grep "<<" x', "RUN cat <<< 'x'"])
      assert.equal(heredocs(line), false, line);
  });

  it('says what is wrong, and in which line', () => {
    const cases: [text: string, message: RegExp, line: number][] = [
      ['', /no FROM/, 1],
      ['# only a comment\n', /no FROM/, 1],
      ['FROM a\n\nBOGUS x\n', /unknown instruction BOGUS/, 3],
      ['RUN id\nFROM a\n', /before the first FROM/, 1],
      ['FROM\n', /FROM needs an argument/, 1],
      ['FROM a b\n', /AS a name/, 1],
      ['FROM a AS -x\n', /name of a stage/, 1],
      ['FROM a\nCOPY x\n', /destination/, 2],
      ['FROM a\nRUN\n', /needs an argument/, 2],
      ['FROM a\nRUN x\0\n', /NUL/, 2],
      [`FROM a\nRUN ${'x'.repeat(256 * 1024)}`, /larger/, 1],
      [`FROM a\n${'RUN x\n'.repeat(20_000)}`, /more than/, 1],
      ['\x7fELF\x02\x01\xff\xfe', /unknown instruction/, 1],
    ];
    for (const [text, message, line] of cases) {
      const result = parseDockerfile(text);
      assert.ok(!result.ok, text.slice(0, 40));
      assert.match(result.message, message);
      assert.equal(result.line, line, text.slice(0, 40));
    }
  });

  it('takes bounded time whatever the file is made of', () => {
    for (const piece of ['RUN a b\n', 'a ', 'x \\\n', '$a', '"', 'RUN <<E\n', '--a=b ', '#\n', '\\\n', '<<A ', '${', "'\\"]) {
      const text = `FROM a\nRUN ${piece.repeat(Math.floor(260_000 / piece.length))}`;
      const started = process.cpuUsage(); // what others do on the machine meanwhile says nothing
      parseDockerfile(text);
      assert.ok(process.cpuUsage(started).user < 5_000_000, JSON.stringify(piece));
    }
  });
});

describe('expandVariables', () => {
  it('replaces as the reference says', () => {
    const values = new Map([
      ['A', '1'],
      ['EMPTY', ''],
    ]);
    const cases: [string, string, string?][] = [
      ['x$A', 'x1'],
      ['${A}y', '1y'],
      ['${B:-else}', 'else'],
      ['${EMPTY:-else}', 'else'],
      ['${A:+then}', 'then'],
      ['${B:+then}', ''],
      ['$B', '', 'B'],
      ['$__proto__', '', '__proto__'],
    ];
    for (const [text, expected, missing] of cases)
      assert.deepEqual(expandVariables(text, values), missing === undefined ? { text: expected } : { text: expected, missing }, text);
  });
});
