import type { Explanation, Explanations } from '../model/explanation.ts';
import type { Blobs, ScanArchive } from '../ports.ts';
import type { Explain, Scratch } from '../ports-explain.ts';
import type { Pair } from '../steps/explain/choose.ts';
import { differingMembers } from '../steps/explain/members.ts';
import { explainBytes, isTold } from '../steps/explain/own.ts';
import type { Collected } from './collect-pairs.ts';
import { putDocument } from './documents.ts';

/** Files that are explained: more than that nobody reads, and each takes a second of a program. */
const EXPLAINED_MAX = 24;
/** Seconds of diffoscope for one image. */
const TOOL_SECONDS = 60;

type LookPorts = {
  blobs: Blobs;
  scanArchive: ScanArchive;
  tool?: Explain;
  scratch: Scratch;
  onLog: (line: string) => void;
  signal?: AbortSignal;
};

/** Explains the first of these pairs of which both sides were taken, each in a document of its own. */
export async function lookInto(
  pairs: readonly Pair[],
  { files, left }: Collected,
  { blobs, scanArchive, tool, scratch, onLog, signal }: LookPorts,
): Promise<Omit<Explanations, 'packages'>> {
  const there = pairs.flatMap((pair) => {
    const [rebuilt, published] = [files.get(pair.rebuilt.digest), files.get(pair.published.digest)];
    return rebuilt === undefined || published === undefined ? [] : [{ pair, rebuilt, published }];
  });
  const chosen = there.slice(0, EXPLAINED_MAX);
  onLog(`conforme: looking into ${chosen.length} of ${pairs.length} files that differ`);
  const explanations: Explanation[] = [];
  for (const { pair, rebuilt, published } of chosen) {
    const own = explainBytes(pair, await scratch.read(rebuilt), await scratch.read(published));
    const members = isTold(own) || own.sections !== undefined ? undefined : await membersOf(scanArchive, rebuilt, published);
    explanations.push({ ...own, ...(members === undefined ? {} : { members: members.parts }), notes: members?.notes ?? [] });
  }
  if (tool !== undefined) {
    // Text needs no tool, and starting one takes a second.
    const untold = explanations.flatMap((one, index) => (isTold(one) ? [] : [{ one, ...chosen[index]! }]));
    const { told, fault } = await tool.explain(untold, { seconds: TOOL_SECONDS, ...(signal && { signal }) }).catch((thrown: unknown) => {
      if (signal?.aborted === true) throw thrown;
      return { told: [], fault: thrown instanceof Error ? thrown.message : String(thrown) };
    });
    if (fault !== undefined) onLog(`conforme: ${tool.tool} did not get through all of them: ${fault}`);
    for (const [index, { one }] of untold.entries()) {
      const said = told[index];
      if (said !== undefined) one.diffoscope = [...said];
      else one.notes.push(`${tool.tool} says nothing of it${fault === undefined ? '' : `: ${fault}`}`);
    }
  }
  const documents: Explanations['files'] = [];
  for (const one of explanations) documents.push({ path: one.path, document: await putDocument(blobs, one) });
  const reasons = new Map(left);
  if (there.length > chosen.length)
    reasons.set('graver ones come first', (reasons.get('graver ones come first') ?? 0) + there.length - chosen.length);
  return {
    ...(tool === undefined ? {} : { tool: tool.tool }),
    files: documents,
    left: [...reasons].map(([reason, count]) => ({ reason, files: count })),
  };
}

async function membersOf(scanArchive: ScanArchive, rebuilt: string, published: string): Promise<ReturnType<typeof differingMembers>> {
  const archive = async (file: string) => ({ ...(await scanArchive(file)), fileName: file.slice(file.lastIndexOf('/') + 1) });
  return differingMembers(await archive(rebuilt), await archive(published));
}
