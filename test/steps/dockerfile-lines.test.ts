import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineOfLayers } from '../../src/steps/dockerfile-lines.ts';

const steps = (...texts: string[]) =>
  texts.map((text, index) => ({ line: index + 1, instruction: text.split(' ')[0] ?? '', text, stage: 0 }));
const lines = (history: string[], ...texts: string[]): (number | undefined)[] => {
  const lineOf = lineOfLayers(history.map((createdBy) => ({ createdBy })), steps(...texts)); // prettier-ignore
  return history.map((_one, layer) => lineOf(layer));
};

describe('the line of the Dockerfile that made a layer', () => {
  const cases: [what: string, history: string[], dockerfile: string[], lines: (number | undefined)[]][] = [
    [
      'by the words of BuildKit',
      ['RUN /bin/sh -c make all # buildkit', 'COPY a /srv # buildkit'],
      ['FROM x', 'RUN make all', 'COPY a /srv'],
      [2, 3],
    ],
    ['quoted and spaced otherwise', ['RUN sh -c make'], ['FROM x', 'RUN ["sh", "-c", "make"]'], [2]],
    [
      'by where a copy went',
      ['/bin/sh -c #(nop) COPY dir:4c1e in /srv ', '/bin/sh -c #(nop) COPY file:99 in /etc/app'],
      ['FROM x', 'COPY --chmod=755 rootfs/ /srv/', 'COPY app /etc/app'],
      [2, 3],
    ],
    ['not by a copy to elsewhere', ['/bin/sh -c #(nop) ADD file:4c1e in /srv '], ['FROM x', 'COPY a /srv'], [undefined]],
    ['in their order, where there are as many', ['RUN true', 'RUN other', 'RUN true'], ['RUN true', 'RUN other', 'RUN true'], [1, 2, 3]],
    ['not where one of two stages made it', ['RUN true'], ['RUN true', 'FROM x', 'RUN true'], [undefined]],
    ['not of a base, which says something else', ['debuerreotype 0.15', ''], ['FROM x', 'RUN make'], [undefined, undefined]],
  ];
  for (const [what, history, dockerfile, expected] of cases)
    it(`is found ${what}`, () => assert.deepEqual(lines(history, ...dockerfile), expected));
});
