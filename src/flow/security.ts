import { StringDecoder } from 'node:string_decoder';
import type { DebianEvidence } from '../model/debian.ts';
import type { Digest } from '../model/digest.ts';
import type { SourceIssues, TrackerFetch } from '../model/security.ts';
import type { Blobs } from '../ports.ts';
import { Problem } from '../problem.ts';
import { securityFixes } from '../steps/security-fixes.ts';

/** The evidence with what the tracker's data says of its packages, where there is data. */
export async function withSecurity(blobs: Blobs, evidence: DebianEvidence, document: Digest | undefined): Promise<DebianEvidence> {
  const { release, packages } = evidence;
  if (document === undefined || release === undefined) return evidence;
  const sources = new Set(packages.map(({ source }) => source));
  const { tracker, issues } = await readTrackerData(blobs, document, (source) => sources.has(source));
  const known: SourceIssues[] = [];
  for await (const one of issues) known.push(one);
  return { ...evidence, security: { tracker: { ...tracker, document }, fixes: securityFixes(release, packages, known) } };
}

/** The stored data: where it came from, then the issues of the sources that are wanted, as they are read. */
export async function readTrackerData(
  blobs: Blobs,
  document: Digest,
  wants: (source: string) => boolean = () => true,
): Promise<{ tracker: TrackerFetch; issues: AsyncGenerator<SourceIssues> }> {
  const lines = linesOf(blobs, document);
  const first = await lines.next();
  if (first.done === true) throw new Problem('blob-missing', `${document} holds no data of the security tracker`);
  async function* issues(): AsyncGenerator<SourceIssues> {
    for await (const line of lines) {
      // Canonical JSON: `source` is the last member. Most lines are of packages that no one asks for, and are not parsed.
      const source = line.slice(line.lastIndexOf('"', line.length - 3) + 1, -2);
      if (wants(source)) yield JSON.parse(line) as SourceIssues;
    }
  }
  return { tracker: JSON.parse(first.value) as TrackerFetch, issues: issues() };
}

async function* linesOf(blobs: Blobs, document: Digest): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of await blobs.open(document)) {
    const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
