import { APT_LISTS } from '../../model/apt-lists.ts';
import type { Rule, RuleContext, Side } from './rule.ts';

/** What apt packs anew, it packs as lz4: the index is what it unpacks to. */
const PACKED = /\.lz4$/;

/** sources.list(5): the address with `_` for `/`, then the suite's or the index's name. */
const NAME = /^[A-Za-z0-9.,:+~%@=_-]+_(?:InRelease|Release|Release\.gpg|(?:Packages|Sources|Translation-|Contents-|Components-)[^/]*)$/;

/** The archive's own bytes for this name. Of a rebuild nobody looks: it has the lists of its own day, fetched and checked by apt. */
function isVerified({ facts: { path, digest, unpacked } }: Side, { lists }: RuleContext): boolean {
  const verified = lists('published');
  if (verified === undefined) return NAME.test(path.slice(APT_LISTS.length));
  const is = (name: string, one: typeof digest): boolean => one !== undefined && verified.get(name)?.has(one) === true;
  return is(path, digest) || (PACKED.test(path) && is(path.replace(PACKED, ''), unpacked));
}

export const aptLists: Rule = {
  name: 'apt-lists',
  version: 2,
  reason:
    'lists of the archive as of the day of the build. A Release file counts where a key signed it that was pinned for its suite on its date, or that the image names for its repository; an index where the verified Release file beside it names its digest for this very name, unpacked where apt packed it as lz4',
  applies: (path) => path.startsWith(APT_LISTS) && !path.includes('/', APT_LISTS.length),
  equal: (published, _, context) => isVerified(published, context),
  form: isVerified,
  mayBeAbsent: true,
  signed: true,
};
