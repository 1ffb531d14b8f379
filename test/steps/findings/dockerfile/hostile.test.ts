import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults, PINNED } from '../../../support/dockerfile-faults.ts';

const BYTES = 240_000; // just below what is parsed at all

test('hostile Dockerfiles take a time that grows with their length alone', () => {
  const units = [
    'RUN curl a.b/c\n',
    'RUN sha256sum -c x\n',
    'RUN curl -o x a.b/c && echo x | sha256sum -c\n',
    'ADD http://a/b /c\n',
    'ENV A=$A$A\n',
    'ARG A=$A$A\n',

    'FROM a:1 AS x\nCOPY --from=x /a /a\n',
    'RUN apt-get update\n',
    'RUN --mount=type=cache,target=/a a\n',
    'RUN D=$(mktemp)\n',
    'SHELL ["sh"]\n',
    'RUN make all\n',

    `RUN ${'curl -o a b.c/d;'.repeat(1_500)}\n`,
    `RUN ${'curl a.b/c|'.repeat(1_900)}sh\n`,
    `RUN ${'a '.repeat(20_000)}\n`,
    `RUN x${' \\\n'.repeat(20_000)}y\n`,

    `RUN ${'curl -o x b.c/d;echo x|sha256sum -c;'.repeat(600)}\n`,
    `RUN ${'$('.repeat(300)}\n`,
    `RUN cat <<E\n${'deb http://a/b c d\n'.repeat(3_000)}E\n`,

    `RUN echo ${'deb http://a/b c d\\n'.repeat(3_000)} > /etc/apt/sources.list\n`,
    `COPY <<E /etc/apt/sources.list.d/x.sources\n${'Types: deb\n\n'.repeat(5_000)}E\n`,

    `RUN curl ${'-oa '.repeat(10_000)} a.b/c\n`,
    `RUN gpg --verify ${'a.asc '.repeat(9_000)}\n`,
    `RUN rm -rf ${'/a/*'.repeat(12_000)}\n`,
  ];
  for (const unit of units) {
    const text = `${PINNED}\n${unit.repeat(Math.floor(BYTES / unit.length))}`;
    const started = performance.now();
    faults(text);
    const took = performance.now() - started;
    assert.ok(took < 10_000, `${unit.slice(0, 40)} took ${took} ms`);
  }
});

test('what could not be read is told, and hides no other step', () => {
  const long = `RUN ${'true; '.repeat(3_000)}\n`;
  assert.deepEqual(faults(`${PINNED}\n${long}RUN curl https://a.example | sh\n`), ['step-unread 2', 'download-executed 3']);
});

test('no fault of a file that does not parse', () => {
  assert.deepEqual(faults('RUN curl https://a.example | sh\n'), []);
  assert.deepEqual(faults('FROM a:1\0'), []);
});
