import type { Rebuilder } from '../../model/rebuilders.ts';
import type { AskRebuilders, Blobs, Clock } from '../../ports.ts';
import { makeAsking, PATIENCE_MS } from './asking.ts';
import type { Fetch } from './http.ts';
import { makeRebuilder } from './rebuilder.ts';

export type RebuildersPorts = {
  fetch: Fetch;
  blobs: Blobs;
  rebuilders: readonly Rebuilder[];
  /** How many have to agree; recorded beside the answers. */
  atLeast: number;
  now?: Clock;
  /** Milliseconds that answers are waited for once everything was asked. */
  patience?: number;
};

/** Independent rebuilders of Debian's packages: instances of rebuilderd, each asked beside the others. */
export function makeAskRebuilders(ports: RebuildersPorts): AskRebuilders {
  const { fetch, blobs, rebuilders, atLeast, now = () => new Date(), patience = PATIENCE_MS } = ports;
  const all = rebuilders.map((rebuilder) => makeRebuilder(rebuilder, { fetch, blobs, now }));
  return () =>
    makeAsking(
      (one, deb, signal) => Promise.all(all.map((ask) => ask(one, deb, signal))),
      (answered) => ({ rebuilders: [...rebuilders], atLeast, debs: answered.map(({ deb, answer }) => ({ deb, answers: answer })) }),
      patience,
    );
}
