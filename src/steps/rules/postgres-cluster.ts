import { isPlain, type Rule, type Side } from './rule.ts';

/** The few files of a fresh cluster that hold its random identifier, a time or a counter; every other one comes out the same. */
const DRAWN = /^\/var\/lib\/postgresql\/\d+\/main\/(?:global\/pg_control|pg_wal\/[0-9A-F]{24}|pg_stat\/pgstat\.stat)$/;

/** A file of the same size, of the same owner (by name), where the packages make one: nothing in it can be compared. */
function isDrawn(published: Side, other: Side | undefined, sameUser: (a: number, b: number) => boolean): boolean {
  return (
    other !== undefined &&
    other.facts.kind === 'file' &&
    published.facts.size === other.facts.size &&
    published.facts.mode === other.facts.mode &&
    sameUser(published.facts.uid, other.facts.uid)
  );
}

export const postgresCluster: Rule = {
  name: 'postgres-cluster',
  version: 1,
  reason:
    "initdb draws an identifier for each cluster and notes it with times in three of its files; of those only place, size, mode and owner are compared, of the cluster's other files every byte",
  applies: (path) => DRAWN.test(path),
  admits: (facts) => isPlain(facts) && facts.mode === 0o600,
  equal: (a, b, { sameUser }) => isDrawn(a, b, sameUser),
  form: (side, { neighbour, sameUser }) => isDrawn(side, neighbour('other', side.facts.path), sameUser),
  formOnly: () => true,
};
