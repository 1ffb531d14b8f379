import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../src/model/digest.ts';
import { judge } from '../../../src/steps/judge.ts';
import { answer } from '../../support/answer.ts';
import { change, honest, judgeInputs } from '../../support/judge-inputs.ts';
import type { FileSpec } from '../../support/packaged-image.ts';

test('the source may replace a page of a package; a program never', () => {
  const page = { '/usr/share/nginx/html/index.html': '<h1>Mine</h1>' };
  const { verdict, account } = judge(judgeInputs({ published: change(honest(), page), rebuilt: change(honest('2'), page) }));
  assert.equal(account.find(({ path }) => path === '/usr/share/nginx/html/index.html')?.attribution, 'source');
  assert.equal(verdict.auditable, 'yes');
  assert.deepEqual(
    verdict.findings.map(({ code, severity }) => `${severity} ${code}`),
    ['medium packaged-file-replaced'],
  );
  const wrapper: Record<string, FileSpec> = { '/usr/sbin/nginx': { text: '#!/bin/sh\nexec nginx\n', mode: 0o755, magic: 'script' } };
  assert.equal(answer({ published: change(honest(), wrapper), rebuilt: change(honest('2'), wrapper) }).auditable, 'no');
});

test('downloads: pinned by the Dockerfile they are accounted for, unpinned they are a finding', () => {
  const tool: Record<string, FileSpec> = { '/usr/local/bin/tool': { text: 'tool', mode: 0o755, magic: 'elf' } };
  const both = { published: change(honest(), tool), rebuilt: change(honest('2'), tool) };
  const resolvedDependencies = [{ uri: 'https://example.org/tool', digest: { sha256: digestOf('tool').slice(7) } }];
  assert.deepEqual(answer({ ...both, rebuild: { resolvedDependencies } }), {
    result: 'equivalent',
    auditable: 'partly',
    codes: ['high unverified-download', 'low rebuilt-code'],
  });
  const steps = [
    { line: 3, instruction: 'ADD', text: `ADD --checksum=${digestOf('tool')} https://example.org/tool /usr/local/bin/`, stage: 0 },
  ];
  const dockerfile = { path: 'Dockerfile', digest: digestOf('Dockerfile'), steps };
  const pinned = judge(judgeInputs({ ...both, rebuild: { resolvedDependencies, dockerfile } }));
  assert.deepEqual(pinned.account.find(({ path }) => path === '/usr/local/bin/tool')?.evidence, {
    url: 'https://example.org/tool',
    line: 3,
  });
  assert.equal(pinned.verdict.auditable, 'yes');
});
