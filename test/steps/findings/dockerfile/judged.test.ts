import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../../src/model/digest.ts';
import type { Rebuild } from '../../../../src/model/rebuild.ts';
import { judge } from '../../../../src/steps/judge.ts';
import { change, honest, judgeInputs, type Setting } from '../../../support/judge-inputs.ts';

const COMMIT = 'c'.repeat(40);
const FAULTY = [
  'FROM debian:latest',
  'RUN apt-get update && curl -o /x https://dl.example/x \\',
  ' && curl https://get.example | sh && date > /y',
  'RUN curl https://apt.example/k | apt-key add -',
  'RUN curl https://d.example/nginx-1.27.0.tar.gz | tar xz && ./configure && make install',
  '',
].join('\n');

function rebuildOf(text: string): Partial<Rebuild> {
  return {
    dockerfile: { path: 'Dockerfile', digest: digestOf(text), steps: [], text },
    source: { location: { kind: 'git', url: 'https://github.com/a/web.git', commit: COMMIT }, evidence: 'request' },
  };
}

const SETTINGS: Record<string, Setting> = {
  honest: {},
  'not rebuilt': { rebuilt: false },
  tampered: { published: change(honest(), { '/usr/sbin/nginx': { text: 'other', mode: 0o755, magic: 'elf' } }) },
  unexplained: { published: change(honest(), { '/srv/more': 'more' }) },
};

for (const [name, setting] of Object.entries(SETTINGS)) {
  test(`advice changes no answer: ${name}`, () => {
    const { rebuild } = judgeInputs(setting);
    const plain = judge(judgeInputs(setting)).verdict;
    const advised = judge(judgeInputs({ ...setting, rebuild: { ...rebuildOf(FAULTY), outcome: rebuild.outcome } })).verdict;
    const added = advised.findings.filter(({ href }) => href !== undefined);
    assert.ok(added.length > 0 && added.every(({ severity }) => severity === 'low' || severity === 'info'));
    assert.deepEqual({ ...advised, findings: advised.findings.filter((one) => !added.includes(one)) }, plain);
  });
}

test('each fault with its line, its address and what the image and its packages say', () => {
  const lists = change(honest(), { '/var/lib/apt/lists/x_Packages': 'Package: x\n' });
  const { verdict } = judge(judgeInputs({ published: lists, rebuilt: lists, rebuild: rebuildOf(FAULTY) }));
  const told = verdict.findings.flatMap(({ code, line, href }) => (href === undefined ? [] : [`${code} ${line}`]));
  assert.deepEqual(told.sort(), [
    'base-latest 1',
    'cache-left 2',
    'compiled-package 5',
    'download-executed 3',
    'download-unchecked 2',
    'download-unchecked 5',
    'repository-key-unpinned 4',
    'varying-step 3',
  ]);
  const base = verdict.findings.find(({ code }) => code === 'base-latest');
  assert.equal(base?.href, `https://github.com/a/web/blob/${COMMIT}/Dockerfile#L1`);
  assert.equal(base?.message, 'line 1: debian:latest is whatever is latest on the day of the build');
});

test('words of a Dockerfile come out printable and short', () => {
  const text = `FROM scratch\nRUN curl https://user:secret@dl.example/\u202e${'x'.repeat(10_000)}\u001b[31m\n`;
  const { verdict } = judge(judgeInputs({ rebuild: rebuildOf(text) }));
  const [finding] = verdict.findings.filter(({ code }) => code === 'download-unchecked');
  assert.ok(finding !== undefined);
  assert.doesNotMatch(JSON.stringify(finding), /secret|\u202e|\u001b/);
  assert.ok(finding.message.length < 1_000);
});
