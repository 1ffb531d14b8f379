import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { makeBuilder } from '../../../src/adapters/environment/builder.ts';
import { makeGuard } from '../../../src/adapters/network/guard.ts';
import { makeProxy } from '../../../src/adapters/network/proxy.ts';
import type { BuildConditions, BuildPlan } from '../../../src/model/rebuild.ts';
import type { Builder, BuildProgram, BuiltImage } from '../../../src/ports.ts';
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
