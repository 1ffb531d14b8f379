import type { Digest } from '../../src/model/digest.ts';
import type { VerdictRecord, VerificationJob } from '../../src/model/verification.ts';

export const digestOfNumber = (number: number): Digest => `sha256:${number.toString(16).padStart(64, '0')}`;

/** A verification as accepted, of an image that does not exist. */
export function someJob(id: string, webhook?: string): VerificationJob {
  const image = { reference: `example.test/${id}:1`, digest: digestOfNumber(1), manifestDigest: digestOfNumber(2) };
  return {
    id,
    request: { image: image.reference, ...(webhook === undefined ? {} : { webhook: { url: webhook } }) },
    image: { ...image, platform: { os: 'linux', architecture: 'amd64' } },
  };
}

/** A verdict with next to nothing in it. */
export function someRecord(job: VerificationJob): VerdictRecord {
  return {
    digest: digestOfNumber(3),
    verification: job.id,
    image: job.image,
    verdict: {
      result: 'identical',
      summary: 'The same.',
      auditable: 'yes',
      coverage: { files: {}, bytes: {}, executables: {}, accounted: 1 },
      findings: [],
      freshness: { judgedAt: '2025-01-01T00:00:00Z', rules: '1', policy: 'default@1' },
    } as unknown as VerdictRecord['verdict'],
    statement: Buffer.from('{}'),
    signature: 'armored',
    account: digestOfNumber(4),
    differences: digestOfNumber(5),
    packages: [{ name: 'libc6', version: '2.36-9', architecture: 'amd64', source: 'glibc', sourceVersion: '2.36-9', layer: 0 }],
  };
}

/** Waits until `test` gives something; fails after `milliseconds`. */
export async function eventually<T>(test: () => Promise<T | undefined | false> | T | undefined | false, milliseconds = 15_000): Promise<T> {
  for (const deadline = Date.now() + milliseconds; ;) {
    const found = await test();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${test.toString()}`);
    await new Promise((wake) => setTimeout(wake, 25));
  }
}
