import { hexOf } from '../../model/digest.ts';
import { type Rule, type RuleContext, type Side, textOf } from './rule.ts';

const FOLDER = '/var/lib/apt/lists/';
/** sources.list(5): the address with `_` for `/`, then the suite's or the index file's name; apt keeps some of them as lz4. */
const NAME =
  /^[A-Za-z0-9.,:+~%@=-]+(?:_[A-Za-z0-9.,:+~%@=-]*)+_(?:InRelease|Release|Release\.gpg|Packages|Sources|Translation-[A-Za-z_@.-]+|Contents-[a-z0-9-]+|Components-[a-z0-9-]+\.yml|i18n_Index)(?:\.lz4)?$/;
const RELEASE = /_(?:InRelease|Release|Release\.gpg)$/;

/** An index counts only beside the Release file that names its digest; where apt packed it anew only the form can be seen. */
function isBound(side: Side, context: RuleContext, which: 'published' | 'other'): boolean {
  const name = side.facts.path.slice(FOLDER.length);
  if (!NAME.test(name)) return false;
  if (RELEASE.test(name)) return name.endsWith('.gpg') || textOf(side)?.includes('\nSuite: ') === true;
  const release = releaseOf(name, (path) => context.neighbour(which, path));
  const text = release === undefined ? undefined : textOf(release);
  if (text === undefined || side.facts.digest === undefined) return false;
  return name.endsWith('.lz4') || text.includes(hexOf(side.facts.digest));
}

/** `…_dists_bookworm_main_binary-amd64_Packages` belongs to `…_dists_bookworm_InRelease`. */
function releaseOf(name: string, find: (path: string) => Side | undefined): Side | undefined {
  for (let cut = name.lastIndexOf('_'); cut > 0; cut = name.lastIndexOf('_', cut - 1)) {
    const stem = `${FOLDER}${name.slice(0, cut)}`;
    const release = find(`${stem}_InRelease`) ?? find(`${stem}_Release`);
    if (release !== undefined) return release;
  }
  return undefined;
}

export const aptLists: Rule = {
  name: 'apt-lists',
  version: 1,
  reason:
    "lists of the archive as of the day of the build; an index must be the one its Release file names, and apt checks that file's signature",
  applies: (path) => path.startsWith(FOLDER) && !path.slice(FOLDER.length).includes('/'),
  equal: (a, b, context) => isBound(a, context, 'published') && isBound(b, context, 'other'),
  form: (side, context) => isBound(side, context, 'published'),
  mayBeAbsent: true,
  formOnly: ({ facts }) => facts.path.endsWith('.lz4'),
};
