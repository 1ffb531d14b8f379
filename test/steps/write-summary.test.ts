import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Finding } from '../../src/model/verdict.ts';
import { writeSummary } from '../../src/steps/write-summary.ts';
import { HOSTILE_NAME, sampleVerdict } from '../support/sample-verdict.ts';

const image = { reference: 'docker.io/library/shop:1', digest: `sha256:${'0'.repeat(64)}` };
const links = { page: 'https://conforme.example/verifications/1' };
const withFindings = (findings: Finding[]) => writeSummary({ image, links, verdict: { ...sampleVerdict('backdoored'), findings } });
const finding = (more: Partial<Finding>): Finding => ({
  code: 'x',
  severity: 'low',
  paths: [],
  message: 'm',
  evidence: {},
  advice: '',
  ...more,
});

describe('the summary of a job', () => {
  it('says the answers, the outcome and the gravest finding first', () => {
    const verdict = sampleVerdict('backdoored');
    const text = writeSummary({ image, links, verdict }, { threshold: ['partly', 'critical'], outcome: 'fail' });
    for (const part of [
      'auditable no, suspicious',
      '| Auditable | **no** |',
      '| Fails on partly, critical | **failed** |',
      'Dockerfile line 4',
      `[Page](${links.page})`,
    ])
      assert.ok(text.includes(part), `${part} in ${text}`);
    assert.ok(text.indexOf('| critical |') < text.indexOf('| high |') && text.indexOf('| high |') < text.indexOf('| medium |'));
  });

  it('says why there is no verdict', () => {
    const problem = { code: 'image-not-found', title: 'none', detail: 'no such <b>image</b>' };
    assert.match(writeSummary({ image, links, problem }), /no verdict on .*\n\n<code>image-not-found<\/code> no such &lt;b&gt;image/);
    assert.match(writeSummary({ image, links }), /No verdict yet/);
  });

  const HOSTILE = [
    HOSTILE_NAME,
    '![x](https://evil.example/pixel.png)',
    '[click](https://evil.example)',
    '<img src=x onerror=alert(1)>',
    'a | b | c',
    'one\n\n# two\n| three |',
    '`code` **bold** ~~gone~~ $x$ @everyone #1',
    'see www.evil.example',
    '\u202egnp.exe \u001b[2J',
  ];
  for (const text of HOSTILE)
    it(`makes nothing of ${JSON.stringify(text)}`, () => {
      const plain = withFindings([finding({ message: 'm', paths: ['p'], code: 'c' })]);
      const hostile = withFindings([finding({ message: text, paths: [text], code: text })]);
      const lines = hostile.split('\n');
      assert.equal(lines.length, plain.split('\n').length);
      const row = lines.find((line) => line.startsWith('| low |')) ?? '';
      // Three cells, as everywhere, and nothing that begins markup but what stands there anyway.
      assert.equal(row.match(/(?<!\\)\|/g)?.length, 4, row);
      assert.doesNotMatch(row.replaceAll(/<\/?code>/g, ''), /[<>\p{Cc}\p{Cf}]|(?<!\\)[[\]`*~$@#!]|(?<!\\):\/\/|www\.e/u);
    });

  it('has an end', () => {
    const text = withFindings(
      Array.from({ length: 5000 }, () => finding({ message: 'x'.repeat(10_000), paths: Array(100).fill('/p') as string[] })),
    );
    assert.ok(text.length < 100_000 && text.includes('and 4950 more'));
  });

  it('links the line of the Dockerfile as an address alone', () => {
    const text = withFindings([finding({ line: 3, href: 'https://git.example/a/(b) c#L3' })]);
    assert.ok(text.includes('[Dockerfile line 3](https://git.example/a/%28b%29%20c#L3)'), text);
  });
});
