import type { Digest } from '../../model/digest.ts';
import { byText } from '../../model/path.ts';
import type { Asking } from '../../ports.ts';
import type { Ask } from './courteous.ts';

/** Two short requests a package over four connections: 400 packages take some ten seconds from another continent. Milliseconds. */
export const PATIENCE_MS = 2 * 60 * 1000;

/** Asks about the packages of one image as they come; `conclude` makes the evidence of all answers, in the order of the digests. */
export function makeAsking<A, T>(ask: Ask<A>, conclude: (answered: { deb: Digest; answer: A }[]) => T, patience: number): Asking<T> {
  const stopped = new AbortController();
  const debs = new Map<Digest, Promise<A>>();
  return {
    about(one) {
      const deb = one.chain?.deb;
      if (deb === undefined || debs.has(deb)) return;
      const answer = ask(one, deb, stopped.signal);
      answer.catch(() => {}); // told by `answers`, which may come later
      debs.set(deb, answer);
    },
    async answers() {
      const timer = setTimeout(() => stopped.abort(), patience);
      try {
        const answered: { deb: Digest; answer: A }[] = [];
        for (const [deb, answer] of debs) answered.push({ deb, answer: await answer });
        return conclude(answered.sort((a, b) => byText(a.deb, b.deb)));
      } finally {
        clearTimeout(timer);
        stopped.abort();
      }
    },
    stop: () => stopped.abort(),
  };
}
