import { digestOf } from '../model/digest.ts';
import type { Provenance } from '../model/provenance.ts';
import type { OtherDockerfile } from '../model/rebuild.ts';
import { textDiff } from './text-diff.ts';

/** The Dockerfile that the provenance says was built, where it is another than the source's, which is what is built here. */
export function compareDockerfiles(path: string, source: Uint8Array, provenance: readonly Provenance[]): OtherDockerfile | undefined {
  const [attested] = provenance.flatMap(({ recipe }) => recipe?.text ?? []);
  if (attested === undefined || Buffer.compare(attested, source) === 0) return undefined;
  const diff = textDiff(source, attested);
  return { path, source: digestOf(source), attested: digestOf(attested), ...(diff === undefined ? {} : { diff }) };
}
