import type { ResolvedImage } from '../model/oci.ts';
import { textFromBytes } from '../model/path.ts';
import { type Provenance, PROVENANCE_TYPES } from '../model/provenance.ts';
import { parseProvenance } from '../model/provenance-parse.ts';
import type { Registry } from '../ports.ts';

const NOTES_MAX = 20;

export type FoundProvenance = {
  found: Provenance[];
  /** What was attached and not taken, and why. */
  passedOver: string[];
};

/**
 * The provenance attached to an image. It is enough when one says how to build and from which repository; until then all places are
 * looked into, since a forge's own attestation names the repository where BuildKit saw a local folder.
 */
export async function readProvenance(registry: Registry, reference: string, published: ResolvedImage): Promise<FoundProvenance> {
  const found: Provenance[] = [];
  const passedOver: string[] = [];
  const note = (why: string): void => {
    if (passedOver.length < NOTES_MAX) passedOver.push(textFromBytes(Buffer.from(why.slice(0, 500))));
  };
  for await (const statement of registry.attestations(reference, published, isProvenance, note)) {
    found.push(parseProvenance(statement));
    if (found.some(({ recipe }) => recipe !== undefined) && found.some(({ repository }) => repository !== undefined)) break;
  }
  return { found, passedOver };
}

function isProvenance(predicateType: string): boolean {
  return (PROVENANCE_TYPES as readonly string[]).includes(predicateType);
}
