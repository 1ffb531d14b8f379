import { CONTROL_BYTES, freshControl, hasNothingToReplay } from '../postgres-start.ts';
import { isPlain, type Rule, type RuleContext, type Side } from './rule.ts';

/** The few files of a fresh cluster that hold its random identifier, a time or a counter; every other one comes out the same. */
const DRAWN = /^(\/var\/lib\/postgresql\/\d+\/main\/)(global\/pg_control|pg_wal\/([0-9A-F]{24})|pg_stat\/pgstat\.stat)$/;
const CONTROL = 'global/pg_control';
/** Bytes. PGSTAT_FILE_FORMAT_ID, src/include/pgstat.h: a server throws away statistics of another format. */
const FORMAT_BYTES = 4;

type Asked = Pick<RuleContext, 'neighbour' | 'sameUser'>;

/** A file of the same size, of the same owner (by name), where the packages make one, which says that nothing is replayed when the server starts. */
function isFresh(published: Side, other: Side | undefined, { neighbour, sameUser }: Asked): boolean {
  const [, cluster, name, segment] = DRAWN.exec(published.facts.path) ?? [];
  const alike =
    other?.facts.kind === 'file' &&
    published.facts.size === other.facts.size &&
    published.facts.mode === other.facts.mode &&
    sameUser(published.facts.uid, other.facts.uid);
  if (!alike || cluster === undefined) return false;
  if (name !== CONTROL && segment === undefined) return isOfFormat(published, other);
  const [given, made] = [neighbour('published', `${cluster}${CONTROL}`), neighbour('other', `${cluster}${CONTROL}`)];
  if (given?.bytes === undefined || made?.bytes === undefined) return false;
  const control = freshControl(given.bytes, made.bytes);
  return control !== undefined && (segment === undefined || hasNothingToReplay(segment, published.facts, control));
}

/** What statistics say decides when autovacuum comes round, and nothing that a client reads of tables, settings or roles. */
function isOfFormat({ bytes: given }: Side, { bytes: made }: Side): boolean {
  if (given === undefined || made === undefined || made.length < FORMAT_BYTES) return false;
  return Buffer.from(made.subarray(0, FORMAT_BYTES)).equals(given.subarray(0, FORMAT_BYTES));
}

const isControl = ({ facts }: Side): boolean => facts.path.endsWith(CONTROL) && facts.size === CONTROL_BYTES;

export const postgresCluster: Rule = {
  name: 'postgres-cluster',
  version: 2,
  reason:
    "initdb draws an identifier for each cluster and notes it with times in three of its files. Of the control file every other byte is compared, and the log has to end with the record of that clean shutdown, so that nothing is replayed at the start; what lies before it is never read. Of the statistics only size and format are compared, of the cluster's other files every byte",
  applies: (path) => DRAWN.test(path),
  admits: (facts) => isPlain(facts) && facts.mode === 0o600,
  equal: isFresh,
  regenerates: (published, reinstalled, context) => isControl(published) && isFresh(published, reinstalled, context),
  form: (side, context) => isFresh(side, context.neighbour('other', side.facts.path), context),
  formOnly: (side) => !isControl(side),
};
