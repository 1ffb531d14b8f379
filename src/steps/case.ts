import type { DebContents, DebianEvidence, PackageEvidence } from '../model/debian.ts';
import type { Digest } from '../model/digest.ts';
import type { Download } from '../model/download.ts';
import type { Contents, Entry, Inventory } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';
import type { AccountLine, Verdict } from '../model/verdict.ts';
import type { PinnedBase, Rebuild, SourceTree } from '../model/rebuild.ts';
import type { VerificationJob } from '../model/verification.ts';
import type { DebianExpectation, VerifiedPackage } from '../model/packaged.ts';
import type { OtherBytes } from '../model/hash-search.ts';
import { DEFAULT_POLICY, type Policy } from '../model/policy.ts';
import { expectDebian } from './expect-debian.ts';
import { type FoundFile, foundFiles } from './found-packages.ts';
import { aliasesOf, makeResolve } from './merged-directories.ts';
import { type Reproduction, reproductions } from './reproduced-packages.ts';
import { type AccountNames, accountNames } from './account-names.ts';
import { verifiedLists } from './apt-lists.ts';
import { isDynamicId } from './rules/accounts.ts';
import type { RuleContext, Side } from './rules/rule.ts';

/** The stored documents that a verdict is a pure function of. */
export type JudgeInputs = {
  image: VerificationJob['image'];
  published: Inventory;
  publishedContents: Contents;
  rebuild: Rebuild;
  rebuilt?: Inventory;
  rebuiltContents?: Contents;
  /** The same plan built a second time, under other conditions. */
  rebuiltAgain?: Inventory;
  rebuiltAgainContents?: Contents;
  sourceTree?: SourceTree;
  /** What the rebuild fetched. */
  downloads?: readonly Download[];
  evidence: DebianEvidence;
  /** By the digest of the .deb. */
  debContents: ReadonlyMap<Digest, DebContents>;
  /** The verified packages installed anew, and nothing else. */
  reinstalled?: Inventory;
  reinstalledContents?: Contents;
  /** Why they could not be. */
  reinstallFailure?: string;
  base?: BaseVerdict;
};

/** One image with what is looked up in it. */
export type ImageSide = {
  inventory: Inventory;
  entries: ReadonlyMap<Path, Entry>;
  contents: Contents;
  names: AccountNames;
  /** Which bytes are verified of apt's lists, by path; absent where nobody looked. */
  lists?: ReadonlyMap<Path, ReadonlySet<Digest>>;
};

/** The image beneath with the verdict on it, as stored. */
export type BaseVerdict = { digest: Digest; image: PinnedBase; verdict: Verdict; inventory: Inventory; account: AccountLine[] };

/** All that is known, indexed once: what every step after the comparison asks. */
export type Case = Pick<JudgeInputs, 'image' | 'rebuild' | 'sourceTree' | 'evidence' | 'reinstallFailure' | 'base'> & {
  downloads: readonly Download[];
  published: ImageSide;
  rebuilt?: ImageSide;
  rebuiltAgain?: ImageSide;
  reinstalled?: ImageSide;
  expectation: DebianExpectation;
  /** Files of packages that no database names, found by their hashes. */
  found: ReadonlyMap<Path, FoundFile>;
  /** Files for which the archive has a package, and in no version that was looked into these bytes. */
  others: ReadonlyMap<Path, OtherBytes>;
  /** What the .debs' own control files say, by purl. */
  controls: ReadonlyMap<string, Pick<DebContents, 'control' | 'controlFiles'>>;
  /** What packages of third parties alone say; asked for what no verified package holds. */
  thirdParty: DebianExpectation['files'];
  /** Packages whose chain holds, by purl. */
  verified: ReadonlyMap<string, PackageEvidence>;
  /** The default policy with what the operator set when the evidence was gathered. */
  policy: Policy;
  /** What rebuilders say of the verified packages, by .deb. */
  reproductions: ReadonlyMap<Digest, Reproduction>;
};

export function openCase(inputs: JudgeInputs): Case {
  const { image, rebuild, evidence, debContents, published, publishedContents, rebuilt, rebuiltAgain, reinstalled } = inputs;
  const withStatus = (status: PackageEvidence['status']): VerifiedPackage[] =>
    evidence.packages.flatMap((one) => {
      const contents = one.chain === undefined ? undefined : debContents.get(one.chain.deb);
      return one.status !== status || contents === undefined ? [] : [{ evidence: one, contents }];
    });
  const packages = withStatus('verified');
  const foreign = withStatus('third-party');
  const anew = reinstalled === undefined ? undefined : { inventory: reinstalled, contents: inputs.reinstalledContents ?? new Map() };
  const expectation = expectDebian({
    inventory: published,
    contents: publishedContents,
    packages: packages.filter((one) => !isFound(one)),
    ...(anew === undefined ? {} : { reinstalled: anew }),
  });
  const side = { ...imageSide(published, publishedContents), lists: verifiedLists(evidence.lists ?? []) };
  const resolve = makeResolve(new Map(aliasesOf(side.entries).map(({ path, target }) => [path, target])));
  const policy: Policy = {
    ...DEFAULT_POLICY,
    ...(evidence.rebuilders === undefined ? {} : { reproducedBy: { atLeast: evidence.rebuilders.atLeast } }),
  };
  return {
    image,
    rebuild,
    evidence,
    policy,
    downloads: inputs.downloads ?? [],
    reproductions: reproductions(evidence, policy),
    expectation,
    found: foundFiles(packages.filter(isFound), side.entries, resolve, expectation.files),
    others: new Map((evidence.search?.others ?? []).map((one) => [one.path, one])),
    controls: new Map(packages.map((one) => [one.evidence.purl, one.contents])),
    thirdParty:
      foreign.length === 0 ? new Map() : expectDebian({ inventory: published, contents: publishedContents, packages: foreign }).files,
    verified: new Map(packages.map((one) => [one.evidence.purl, one.evidence])),
    published: side,
    ...(rebuilt === undefined ? {} : { rebuilt: imageSide(rebuilt, inputs.rebuiltContents ?? new Map()) }),
    ...(rebuiltAgain === undefined ? {} : { rebuiltAgain: imageSide(rebuiltAgain, inputs.rebuiltAgainContents ?? new Map()) }),
    ...(anew === undefined ? {} : { reinstalled: imageSide(anew.inventory, anew.contents) }),
    ...(inputs.reinstallFailure === undefined ? {} : { reinstallFailure: inputs.reinstallFailure }),
    ...(inputs.sourceTree === undefined ? {} : { sourceTree: inputs.sourceTree }),
    ...(inputs.base === undefined ? {} : { base: inputs.base }),
  };
}

function isFound({ evidence: { state } }: { evidence: PackageEvidence }): boolean {
  return state === 'found';
}

export function imageSide(inventory: Inventory, contents: Contents): ImageSide {
  const entries = new Map<Path, Entry>();
  for (const entry of inventory.entries) entries.set(entry.path, entry);
  return { inventory, entries, contents, names: accountNames(entries, contents) };
}

export function sideOf(image: Pick<ImageSide, 'contents'>, entry: Entry): Side {
  return { facts: entry, bytes: entry.digest === undefined ? undefined : image.contents.get(entry.digest) };
}

/** What rules may ask about the published image and the one it is held against. */
export function ruleContext(published: ImageSide, other: ImageSide | undefined, more?: Partial<RuleContext>): RuleContext {
  return {
    drifted: new Set(),
    verified: new Set(),
    neighbour(side, path) {
      const image = side === 'published' ? published : other;
      const entry = image?.entries.get(path);
      return image === undefined || entry === undefined ? undefined : sideOf(image, entry);
    },
    lists: (side) => (side === 'published' ? published : other)?.lists,
    userOf: (uid) => published.names.users.get(uid),
    isSystemUser: (uid) => isSystemAccount(uid, published.names.users, other?.names.users),
    isSystemGroup: (gid) => isSystemAccount(gid, published.names.groups, other?.names.groups),
    sameUser: (a, b) => sameAccount(a, b, published.names.users, other?.names.users),
    sameGroup: (a, b) => sameAccount(a, b, published.names.groups, other?.names.groups),
    ...more,
  };
}

/** What `form` may ask where there is no rebuild: the packages installed anew stand on the other side. */
export function formContext({ published, reinstalled, verified }: Pick<Case, 'published' | 'reinstalled' | 'verified'>): RuleContext {
  const installed = [...verified.values()].filter(({ state }) => state !== 'found');
  return ruleContext(published, reinstalled, { verified: new Set(installed.map(({ name }) => name)) });
}

function isSystemAccount(id: number, names: ReadonlyMap<number, string>, otherNames: ReadonlyMap<number, string> = new Map()): boolean {
  const name = names.get(id);
  return id === 0 || (isDynamicId(id) && name !== undefined && [...otherNames.values()].includes(name)) || (id < 100 && otherNames.has(id));
}

/** Ids that are given out in the order of installation mean an account by its name; all others mean themselves. */
function sameAccount(
  a: number,
  b: number,
  names: ReadonlyMap<number, string>,
  otherNames: ReadonlyMap<number, string> | undefined,
): boolean {
  if (!isDynamicId(a) || !isDynamicId(b)) return a === b;
  const name = names.get(a);
  const otherName = otherNames?.get(b);
  return name === undefined || otherName === undefined ? a === b : name === otherName;
}
