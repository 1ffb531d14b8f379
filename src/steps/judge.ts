import type { DebianEvidence } from '../model/debian.ts';
import type { Path } from '../model/path.ts';
import { auditableBy, RULES_VERSION } from '../model/policy.ts';
import type { Rebuild } from '../model/rebuild.ts';
import type { Byproducts, Statement } from '../model/statement.ts';
import type { AccountLine, Difference, Verdict } from '../model/verdict.ts';
import { attribute, rebuildMakes } from './attribute.ts';
import { bundledCopies } from './bundled-copies.ts';
import { type JudgeInputs, openCase } from './case.ts';
import { classDifferences } from './class-differences.ts';
import { compare } from './compare.ts';
import { countCoverage } from './count-coverage.ts';
import { decide } from './decide.ts';
import { lineOfLayers } from './dockerfile-lines.ts';
import { findings } from './findings/index.ts';
import { makeStatement } from './make-statement.ts';
import { mayHaveMoved, packageDrift } from './package-drift.ts';
import { pointDifferences } from './point-differences.ts';
import { reproducedDebs } from './reproduced-packages.ts';
import { summarise } from './summarise.ts';
import { traceDrift } from './trace-drift.ts';
import { whatItRuns } from './what-it-runs.ts';

export type { JudgeInputs };

export type Judgement = {
  verdict: Verdict;
  /** Every path of the published image, once. */
  account: AccountLine[];
  differences: Difference[];
  /** The statement, once the account and the differences are stored. */
  state(byproducts: Byproducts): Statement;
};

/**
 * The judgement: a pure function of stored documents, without a clock. The same documents and the same rules give the same
 * verdict, byte for byte.
 */
export function judge(inputs: JudgeInputs): Judgement {
  const file = openCase(inputs);
  const { published, rebuilt, rebuild, evidence, policy } = file;
  const drift = packageDrift(file);
  const compared = rebuilt === undefined ? [] : compare(published, rebuilt, new Set(drift.keys()));
  const account = attribute(file, compared);
  const differences = pointDifferences(file, classDifferences(file, traceDrift(file, compared, account, drift)));

  const byPath = new Map<Path, AccountLine>();
  for (const line of account) byPath.set(line.path, line);
  const runs = whatItRuns(file, byPath);
  // What the image is told to run is code, whatever its name and its mode: `sh /data/notes` needs no x bit.
  for (const { path } of runs) {
    const line = path === undefined ? undefined : byPath.get(path);
    if (line !== undefined) line.code = true;
  }
  const copies = bundledCopies(file, byPath);
  const all = findings({
    file,
    copies,
    account: byPath,
    differences,
    classOf: new Map(differences.map((one) => [one.path, one.class])),
    drift,
    madeByRebuild: rebuildMakes(file),
    fromOtherCommit: new Set(differences.filter(({ cause }) => cause === 'source-drift').map(({ path }) => path)),
    mayHaveMoved: mayHaveMoved(file),
    confirmable: file.reinstalled !== undefined || rebuilt !== undefined,
    lineOfLayer: lineOfLayers(published.inventory.layers, rebuild.dockerfile?.steps ?? []),
  });
  const told = all.map(({ finding }) => finding);

  const decision = decide(file, differences, all);
  const auditable = auditableBy(policy, {
    account,
    findings: told,
    weakSettings: all.some(({ weak }) => weak === true),
    evidence: file.reinstalled !== undefined || rebuilt !== undefined,
  });
  const coverage = countCoverage(
    account,
    evidence.rebuilders === undefined ? undefined : { debs: reproducedDebs(file.reproductions), of: file.reproductions.size },
  );
  const verdict: Verdict = {
    ...decision,
    summary: summarise(decision, auditable, told, coverage, rebuild),
    auditable,
    coverage,
    findings: told,
    runs,
    freshness: { judgedAt: judgedAt(rebuild, evidence), rules: RULES_VERSION, policy: `${policy.name}@${policy.version}` },
  };
  return {
    verdict,
    account,
    differences,
    state: (byproducts) => makeStatement(file, verdict, { account, differences, copies }, byproducts),
  };
}

/** When the youngest of the documents was made: there is no clock here, so that a verdict can be made again. */
function judgedAt(rebuild: Rebuild, evidence: DebianEvidence): string {
  return Date.parse(rebuild.finishedAt) > Date.parse(evidence.gatheredAt) ? rebuild.finishedAt : evidence.gatheredAt;
}
