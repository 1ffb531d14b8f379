import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { makeBuilder } from '../../../src/adapters/environment/builder.ts';
import { makeGuard } from '../../../src/adapters/network/guard.ts';
import { makeProxy } from '../../../src/adapters/network/proxy.ts';
import type { BuildConditions, BuildPlan } from '../../../src/model/rebuild.ts';
import type { Builder, BuildProgram, BuiltImage } from '../../../src/ports-build.ts';
import { ids, LIMITS, planOf, tarOf, type Base } from './support.ts';

export type BuildMore = {
  plan?: Partial<BuildPlan>;
  files?: Record<string, string>;
  limits?: Partial<typeof LIMITS>;
  gzip?: boolean;
  signal?: AbortSignal;
  unlike?: BuildConditions;
  seconds?: number;
};

/** Builds a Dockerfile on one base that it may call `small:1`. */
export async function buildWith(order: { program: BuildProgram; folder: string; base: Base; dockerfile: string; more?: BuildMore }) {
  const { program, folder, base, dockerfile, more = {} } = order;
  const lines: string[] = [];
  const builder = makeBuilder({
    folder,
    ids,
    limits: { ...LIMITS, ...more.limits },
    openProxy: () => makeProxy({ guard: makeGuard({ allow: ['127.0.0.1/32'], hosts: [] }) }),
    programs: [program],
  });
  const tar = await tarOf(Object.entries({ Dockerfile: dockerfile, ...more.files }).map(([name, body]) => ({ name, body })));
  const built = await builder.build({
    id: 'test',
    plan: planOf(base, { builder: program.name, bases: [{ ...planOf(base).bases[0]!, reference: 'small:1' }], ...more.plan }),
    context: async () => Readable.from([more.gzip ? gzipSync(tar) : tar]),
    bases: [base],
    onLog: (line) => lines.push(line),
    ...(more.signal === undefined ? {} : { signal: more.signal }),
    ...(more.unlike === undefined ? {} : { unlike: more.unlike }),
    ...(more.seconds === undefined ? {} : { seconds: more.seconds }),
  });
  return { ...built, lines };
}

type Built = Awaited<ReturnType<Builder['build']>>;

export async function failure({ outcome, done }: Built) {
  await done();
  assert.equal(outcome.status, 'not-comparable');
  return outcome;
}

export async function filesOf(image: BuiltImage): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const layer of image.manifest.layers) {
    const tar = (await image.openBlob(layer)).pipe(extract());
    for await (const entry of tar) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      files.set(entry.header.name.replace(/^\.?\//, ''), Buffer.concat(chunks).toString('latin1'));
    }
  }
  return files;
}

export type Failures = [what: string, dockerfile: string, expected: Partial<Awaited<ReturnType<typeof failure>>>][];

/** What every builder has to tell apart, whatever its own words for it. */
export const SAME_FAILURES: Failures = [
  ['a file that the context lacks', 'FROM small:1\nCOPY nothing /\n', { reason: 'build-failed', line: 2 }],
  ['a secret', 'FROM small:1\nRUN --mount=type=secret,id=key,required=true cat /run/secrets/key\n', { reason: 'secret-required', line: 2 }],
  ['an address that is refused', 'FROM small:1\nRUN wget -q http://169.254.169.254/\n', { reason: 'policy-blocked', line: 2 }],
  ['an address that is refused to ADD', 'FROM small:1\nADD http://192.168.7.7/file /\n', { reason: 'policy-blocked', line: 2 }],
  [
    'a network beside the proxy',
    'FROM small:1\nRUN env -u http_proxy wget -q http://example.test/\n',
    { reason: 'policy-blocked', line: 2 },
  ],
];

type FailureOf = (dockerfile: string, more?: BuildMore) => ReturnType<typeof failure>;

export async function assertTold(failureOf: FailureOf, dockerfile: string, expected: Failures[number][2]): Promise<void> {
  const { reason, line, detail, lastLog } = await failureOf(dockerfile);
  assert.deepEqual({ reason, ...(expected.line === undefined ? {} : { line }) }, expected, `${detail}\n${lastLog.join('\n')}`);
  assert.ok(lastLog.length > 0);
}

/** `memoryBytes`: less than a step takes that fills it, and more than the builder itself needs. */
export async function assertLimits(failureOf: FailureOf, memoryBytes: number): Promise<void> {
  const seconds = await failureOf('FROM small:1\nRUN sleep 60\n', { limits: { seconds: 6 } });
  assert.equal(seconds.reason, 'timeout');
  const log = await failureOf('FROM small:1\nRUN yes\n', { limits: { logBytes: 50_000 } });
  assert.deepEqual([log.reason, /log/.test(log.detail)], ['policy-blocked', true]);
  const disk = await failureOf('FROM small:1\nRUN cat /dev/zero > /file\n', { limits: { diskBytes: 48 * 1024 ** 2 } });
  assert.deepEqual([disk.reason, /disk/.test(disk.detail)], ['policy-blocked', true], disk.detail);
  const memory = await failureOf('FROM small:1\nRUN tail /dev/zero\n', { limits: { memoryBytes } });
  assert.deepEqual([memory.reason, /memory/.test(memory.detail)], ['policy-blocked', true], memory.detail);
  const bomb = await failureOf('FROM small:1\nRUN i=0; while [ $((i = i + 1)) -lt 500 ]; do sleep 60 & done; wait\n', {
    limits: { processes: 150 },
  });
  assert.deepEqual([bomb.reason, /processes/.test(bomb.detail)], ['policy-blocked', true], bomb.detail);
}
