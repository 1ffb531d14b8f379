import { byText } from '../../model/path.ts';
import { SEVERITIES } from '../../model/verdict.ts';
import { lineAddress } from '../line-address.ts';
import { accounts } from './accounts.ts';
import { baseVerdict } from './base-verdict.ts';
import { bases } from './bases.ts';
import { bundled } from './bundled.ts';
import { configuration } from './configuration.ts';
import { unverifiedDownloads } from './downloads.ts';
import { dockerfileFaults } from './dockerfile/index.ts';
import { drifts } from './drift.ts';
import type { FindingMaker, Found, Scene } from './finding.ts';
import { foundPackages } from './found-packages.ts';
import { generatedFiles } from './generated-files.ts';
import { layers } from './layers.ts';
import { outdated } from './outdated.ts';
import { packageDatabase } from './package-database.ts';
import { packagedFiles } from './packaged-files.ts';
import { places } from './places.ts';
import { privileges } from './privileges.ts';
import { provenanceNotes } from './provenance.ts';
import { rebuildNotes } from './rebuild.ts';
import { reproduction } from './reproduction.ts';
import { secrets } from './secrets.ts';
import { system } from './system.ts';
import { thirdParties } from './third-party.ts';
import { unexplained } from './unexplained.ts';
import { varying } from './varying.ts';
import { vulnerable } from './vulnerable.ts';
import { volatiles } from './volatile.ts';

const MAKERS: readonly FindingMaker[] = [
  packagedFiles,
  generatedFiles,
  privileges,
  places,
  accounts,
  configuration,
  packageDatabase,
  foundPackages,
  thirdParties,
  outdated,
  vulnerable,
  system,
  unexplained,
  secrets,
  layers,
  bundled,
  unverifiedDownloads,
  drifts,
  volatiles,
  provenanceNotes,
  bases,
  baseVerdict,
  rebuildNotes,
  varying,
  reproduction,
  dockerfileFaults,
];

/** A hostile image may earn a finding for each of its files: the gravest this many of one code stand in the verdict. */
const EACH_CODE_MAX = 200;

/** Everything worth telling, gravest first, then by code and path. What goes beyond the limit is counted in the last of its code. */
export function findings(scene: Scene): Found[] {
  const all = MAKERS.flatMap((make) => [...make(scene)]);
  all.sort(
    ({ finding: a }, { finding: b }) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      byText(a.code, b.code) ||
      byText(a.paths[0] ?? '', b.paths[0] ?? '') ||
      byText(a.message, b.message),
  );
  const { source, dockerfile } = scene.file.rebuild;
  const addressOf = (line: number): string | undefined =>
    source === undefined || dockerfile === undefined ? undefined : lineAddress(source, dockerfile.path, line);
  const counts = new Map<string, number>();
  const last = new Map<string, Found>();
  const kept: Found[] = [];
  for (const one of all) {
    const { code } = one.finding;
    const number = (counts.get(code) ?? 0) + 1;
    counts.set(code, number);
    if (number > EACH_CODE_MAX) continue;
    const href = one.finding.line === undefined ? undefined : addressOf(one.finding.line);
    if (href !== undefined) one.finding.href = href;
    kept.push(one);
    last.set(code, one);
  }
  for (const [code, number] of counts) {
    const end = last.get(code);
    if (number > EACH_CODE_MAX && end !== undefined) end.finding.evidence['more'] = String(number - EACH_CODE_MAX);
  }
  return kept;
}
