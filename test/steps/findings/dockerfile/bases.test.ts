import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults, type FaultOptions } from '../../../support/dockerfile-faults.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const ROWS: [what: string, text: string, expected: string[], options?: FaultOptions][] = [
  ['a tag', 'FROM debian:bookworm', ['base-unpinned 1']],
  ['a tag and a digest', `FROM debian:bookworm@${DIGEST}`, []],
  ['a digest alone, with the tag latest before it', `FROM debian:latest@${DIGEST}`, []],
  ['no tag', 'FROM registry.example:5000/team/app', ['base-latest 1']],
  ['latest', 'FROM debian:latest', ['base-latest 1']],
  ['a digest that is none', 'FROM debian:12@sha256:abc', ['base-unpinned 1']],
  ['scratch', 'FROM scratch', []],
  ['an argument with a digest', `ARG BASE=debian@${DIGEST}\nFROM $BASE`, []],
  ['an argument with a tag', 'ARG TAG=12\nFROM debian:${TAG}-slim', ['base-unpinned 2']],
  ['an argument that the build was given with a digest', 'ARG BASE=debian\nFROM ${BASE}', [], { buildArgs: { BASE: `debian@${DIGEST}` } }],
  ['an argument without a value', 'ARG BASE\nFROM ${BASE}', ['base-unpinned 2']],
  ['a stage of the file', `FROM a@${DIGEST} AS one\nFROM one`, []],
  ['a later stage of the same name is none yet', `FROM b AS x\nFROM a@${DIGEST} AS b\nCOPY --from=x /a /a`, ['base-latest 1']],
  ['COPY --from an image', `FROM a@${DIGEST}\nCOPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/`, ['base-unpinned 2']],
  ['COPY --from a stage, by name and number', `FROM a@${DIGEST} AS x\nFROM a@${DIGEST}\nCOPY --from=X /a /a\nCOPY --from=0 /b /b`, []],
  ['a mount of an image', `FROM a@${DIGEST}\nRUN --mount=type=bind,from=tools:latest,target=/t true`, ['base-latest 2']],
  ['a stage that the image does not need', `FROM unused:1 AS test\nFROM a@${DIGEST}`, []],
  ['a target before the last stage', `FROM a:1 AS one\nFROM b:1`, ['base-unpinned 1'], { target: 'one' }],
  ['the same image twice, told once', `FROM a:1 AS x\nFROM a:1\nCOPY --from=x /a /a`, ['base-unpinned 1']],
  [
    'stages that need one another',
    `FROM a:1 AS x\nFROM b:1 AS y\nCOPY --from=x /a /a\nFROM scratch\nCOPY --from=y /a /a`,
    ['base-unpinned 1', 'base-unpinned 2'],
  ],
];

for (const [what, text, expected, options] of ROWS) test(what, () => assert.deepEqual(faults(`${text}\n`, options), expected));
