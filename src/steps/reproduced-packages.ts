import type { DebianEvidence, PackageEvidence } from '../model/debian.ts';
import type { Digest } from '../model/digest.ts';
import { isReproduced, type Policy, reproducersOf } from '../model/policy.ts';
import type { RebuilderAnswer } from '../model/rebuilders.ts';
import type { StatedReproduction } from '../model/statement.ts';

/** What rebuilders say of one verified, installed package. */
export type Reproduction = { package: PackageEvidence; answers: readonly RebuilderAnswer[]; /** By the policy. */ holds: boolean };

/** The reproduction of each package of Debian's that was asked about, by the digest of its .deb. Empty where no rebuilder was asked. */
export function reproductions({ packages, rebuilders }: DebianEvidence, policy: Policy): ReadonlyMap<Digest, Reproduction> {
  const answered = new Map(rebuilders?.debs.map(({ deb, answers }) => [deb, answers]));
  const found = new Map<Digest, Reproduction>();
  for (const one of packages) {
    // A repository that an image names may have the very .deb, under any name.
    if (one.status !== 'verified') continue;
    const answers = one.chain === undefined ? undefined : answered.get(one.chain.deb);
    if (one.chain !== undefined && answers !== undefined)
      found.set(one.chain.deb, { package: one, answers, holds: isReproduced(policy, answers) });
  }
  return found;
}

/** The digests of those that count as reproduced. */
export function reproducedDebs(all: ReadonlyMap<Digest, Reproduction>): ReadonlySet<string> {
  return new Set([...all].filter(([, { holds }]) => holds).map(([deb]) => deb));
}

/** As it stands in the statement. */
export function statedReproduction({ answers }: Reproduction): StatedReproduction {
  return { ...reproducersOf(answers), rebuilders: answers };
}
