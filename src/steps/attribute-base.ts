import type { Digest } from '../model/digest.ts';
import { liesBeneath } from '../model/chain-id.ts';
import type { Entry, Inventory } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';
import type { AccountLine, Attribution } from '../model/verdict.ts';
import type { Account } from './attribute-debian.ts';
import type { Case } from './case.ts';
import { sameFacts } from './compare-facts.ts';

/** What the verdict on the base says of one file that came unchanged out of its layers. */
export type BaseLine = Pick<AccountLine, 'attribution' | 'code' | 'evidence'>;

/** Accounts that say where bytes come from. What the base's own verdict could not tell is no better for lying below another image. */
const TELLING: readonly Attribution[] = ['debian-official', 'debian-generated', 'source', 'download', 'base'];

/**
 * Files of the published image that come unchanged out of the layers of the base, by path. None where the base's layers are not the lowest ones:
 * then the verdict is about something else.
 */
export function baseLines({ base, published }: Pick<Case, 'base' | 'published'>): ReadonlyMap<Path, BaseLine> {
  const found = new Map<Path, BaseLine>();
  if (base === undefined) return found;
  const diffIds = (inventory: Inventory): Digest[] => inventory.layers.map(({ diffId }) => diffId);
  const layers = diffIds(base.inventory);
  if (!liesBeneath(layers, diffIds(published.inventory))) return found;
  const accounts = new Map(base.account.map((line) => [line.path, line]));
  for (const was of base.inventory.entries) {
    const entry = published.entries.get(was.path);
    const line = accounts.get(was.path);
    if (entry !== undefined && line !== undefined && entry.layer < layers.length && sameFacts(entry, was)) found.set(was.path, line);
  }
  return found;
}

/**
 * The account that the verdict on the base gives a file. Only of a base that can be audited, as a whole or for the most part, and where our rebuild,
 * if there is one, keeps the file as well: what a step takes away is not the base's to give.
 */
export function baseAccounts(file: Case, madeByRebuild: (entry: Entry) => boolean): (entry: Entry) => Account | undefined {
  const { base, rebuilt } = file;
  if (base === undefined || (base.verdict.auditable !== 'yes' && base.verdict.auditable !== 'partly')) return () => undefined;
  const lines = baseLines(file);
  return (entry) => {
    const line = lines.get(entry.path);
    if (line === undefined || !TELLING.includes(line.attribution) || (rebuilt !== undefined && !madeByRebuild(entry))) return undefined;
    const { note: _, ...evidence } = line.evidence;
    return { attribution: 'base', evidence: { ...evidence, verdict: base.digest } };
  };
}
