/** The service with one of each page that people look at, out of hostile sample data. */
import type { Verification } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { sampleJob } from './sample.ts';
import { HOSTILE_NAME } from './sample-verdict.ts';
import { startService, type TestService } from './service.ts';

export type SamplePages = {
  service: TestService;
  /** The verification that ended with the worst verdict. */
  bad: Verification;
  /** Paths by a short name. */
  pages: Record<string, string>;
};

/** A repository of the longest name that a registry takes. */
const LONG_REFERENCE = `registry.example.org/${'long-'.repeat(40)}name:1`;

export async function startSamplePages(): Promise<SamplePages> {
  const service = await startService();
  const bad = await service.judged('backdoored', '127.0.0.1:5000/demo/backdoored:1');
  const { records } = service.deps;
  const running = (await records.accept(sampleJob('running', 'registry.example.org/running:1'), 'k1')).verification;
  await records.setStatus(running.id, 'running', 'rebuild');
  const failed = (await records.accept(sampleJob('failed', LONG_REFERENCE), 'k2')).verification;
  await records.fail(failed.id, new Problem('registry-unavailable', 'it answered <b>503</b>').toDocument());
  await service.judged('partly', '127.0.0.1:5000/demo/backdoored:2');
  const honest = await service.judged('honest');
  const contents = `/verdicts/${bad.verdictDigest}/contents`;
  const pages = {
    overview: '/',
    honest: `/verifications/${honest.id}`,
    partly: `/verifications/${(await service.judged('partly')).id}`,
    backdoored: `/verifications/${bad.id}`,
    unsourced: `/verifications/${(await service.judged('unsourced')).id}`,
    running: '/verifications/running',
    failed: '/verifications/failed',
    // In the language with the longer words.
    verdict: `/verdicts/${bad.verdictDigest}?lang=fr`,
    contents,
    folder: `${contents}?path=/usr`,
    layer: `${contents}?layer=1`,
    file: `${contents}?path=${encodeURIComponent(HOSTILE_NAME)}`,
    packages: `/verdicts/${honest.verdictDigest}/packages`,
    downloads: `/verdicts/${bad.verdictDigest}/downloads`,
    rules: `/verdicts/${bad.verdictDigest}/rules`,
    search: '/search?q=demo',
    unfound: `/search?q=${encodeURIComponent('<script>alert(1)</script>')}`,
    images: '/images',
    fleet: '/images?package=nginx&olderThan=9',
    unasked: '/images?package=%00',
    history: '/history/127.0.0.1:5000/demo/backdoored',
    problems: '/docs/problems',
  };
  return { service, bad, pages };
}
