import { type Digest, hexOf } from '../../model/digest.ts';
import type { VerifiedPackage } from '../../model/debian.ts';
import type { Clock } from '../../ports.ts';
import { Unanswered } from './http.ts';

/** Asks one server about one .deb. Throws only what our own store throws. */
export type Ask<A> = (one: VerifiedPackage, deb: Digest, signal: AbortSignal) => Promise<A>;

/** Such servers are small machines, run by volunteers. */
const CONNECTIONS = 4;
/** Milliseconds. A result changes when a package is built again, which rebuilderd does after a day at the earliest. */
const FRESH_MS = 24 * 60 * 60 * 1000;
/** Milliseconds for which a server that is away is left alone. */
const AWAY_MS = 5 * 60 * 1000;
/** Answers of one server kept in memory, some 300 bytes each. Beyond, all are forgotten and asked for again. */
const KEPT_MAX = 50_000;

/**
 * Asks a server no more than it has to be: four questions at once, an answer kept for a day in memory and what `recall` finds for
 * ever, and nothing at all for a while where it is away. `ask` throws `Unanswered` for an answer that is none: that is
 * `unavailable`, and not kept.
 */
export function courteously<A>(ports: {
  now: Clock;
  unavailable: A;
  recall: (deb: Digest) => Promise<A | undefined>;
  ask: Ask<A>;
}): Ask<A> {
  const { now, unavailable, recall, ask } = ports;
  const kept = new Map<Digest, { answer: A; until: number }>();
  const lanes = Array.from({ length: CONNECTIONS }, () => Promise.resolve() as Promise<unknown>);
  let awayUntil = 0;

  async function answerOf(one: VerifiedPackage, deb: Digest, signal: AbortSignal): Promise<A> {
    const fresh = kept.get(deb);
    if (fresh !== undefined && fresh.until > now().getTime()) return fresh.answer;
    const recalled = await recall(deb);
    if (recalled !== undefined) return recalled;
    if (signal.aborted || awayUntil > now().getTime()) return unavailable;
    try {
      const answer = await ask(one, deb, signal);
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(deb, { answer, until: now().getTime() + FRESH_MS });
      return answer;
    } catch (error) {
      if (!signal.aborted && !(error instanceof Unanswered)) throw error;
      if (error instanceof Unanswered && error.away) awayUntil = now().getTime() + AWAY_MS;
      return unavailable;
    }
  }

  // A .deb has its lane, so that two images that hold it ask once.
  return (one, deb, signal) => {
    const lane = Number.parseInt(hexOf(deb).slice(0, 8), 16) % CONNECTIONS;
    const answer = (lanes[lane] ?? Promise.resolve()).then(() => answerOf(one, deb, signal));
    lanes[lane] = answer.catch(() => {});
    return answer;
  };
}
