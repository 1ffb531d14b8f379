import { Problem } from '../../problem.ts';

/** What a store of blobs throws, as a Problem. What is one already passes, and so does what the bytes' own source threw. */
export function blobsProblem(error: unknown, doing: string): unknown {
  if (error instanceof Problem) return error;
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT') return new Problem('disk-full', 'no space left for blobs', { cause: error });
  const reason = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
  return new Problem('blobs-unavailable', `the blob store fails at ${doing} (${reason})`, { cause: error });
}
