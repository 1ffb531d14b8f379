import Type, { type Static } from 'typebox';
import { Digest } from './digest.ts';
import { FileFacts } from './inventory.ts';
import { Path } from './path.ts';
import { NotComparable } from './rebuild.ts';

/** The account of a file: the first of these that holds, in this order. */
export const ATTRIBUTIONS = [
  'debian-official',
  'debian-generated',
  'third-party',
  'source',
  'download',
  'base',
  'rebuilt',
  'volatile',
  'unexplained',
] as const;
export const Attribution = Type.Enum([...ATTRIBUTIONS]);
export type Attribution = (typeof ATTRIBUTIONS)[number];

/** Why an attribution holds; which members are there depends on the attribution. */
export const AttributionEvidence = Type.Object({
  /** purl of the package, and the SHA-256 of its .deb. */
  package: Type.Optional(Type.String()),
  deb: Type.Optional(Digest),
  /** Name and version of the rule: `reinstall@1`, `dpkg-log@1`. */
  rule: Type.Optional(Type.String()),
  /** For `source`: path and commit or context. */
  sourcePath: Type.Optional(Type.String()),
  revision: Type.Optional(Type.String()),
  /** Of a download; for `third-party` the address of the repository. */
  url: Type.Optional(Type.String()),
  /** Of a download that is an archive: the member with these bytes. */
  member: Type.Optional(Type.String()),
  /** Of a download: the file of the source with the digest; `line` is a line of it. */
  pinnedIn: Type.Optional(Type.String()),
  /** The other side's digest where a normalisation made two files equal. */
  rebuilt: Type.Optional(Digest),
  /** For `base`: the verdict on the base, which has the evidence beside it. */
  verdict: Type.Optional(Digest),
  /** Line of the Dockerfile, where known. */
  line: Type.Optional(Type.Integer()),
  /** For `unexplained`: what was expected, in a sentence. */
  note: Type.Optional(Type.String()),
});
export type AttributionEvidence = Static<typeof AttributionEvidence>;

/** One line of the account: every path of the published image has exactly one. */
export const AccountLine = Type.Object({
  path: Path,
  kind: Type.String(),
  size: Type.Integer(),
  digest: Type.Optional(Digest),
  layer: Type.Integer(),
  /** Counted among the executables (see `isCode`). */
  code: Type.Boolean(),
  attribution: Attribution,
  evidence: AttributionEvidence,
});
export type AccountLine = Static<typeof AccountLine>;

/** What of a path differs. `configuration` is the image configuration, not a file. */
export const DIFFERENCE_ASPECTS = [
  'presence',
  'kind',
  'content',
  'mode',
  'owner',
  'target',
  'links',
  'device',
  'xattrs',
  'mtime',
  'configuration',
] as const;

/** Why a difference is there, best knowledge first. Only `unknown` is grave. */
export const CAUSES = ['normalised', 'source-drift', 'package-drift', 'second-rebuild', 'unknown'] as const;

/**
 * Where a difference comes from, by what our own builds show; the last alone is grave. `noise`: a named rule knows it · `builder`: the
 * builder leaves it · `base`: both sides have it from their base images, which are not the same · `drift`: source or package moved on ·
 * `varies`: our own two rebuilds differ there as well · `unrepeated`: no second rebuild tells · `same`: in both rebuilds, and not in the
 * published image. A class vouches for nothing: whoever writes the Dockerfile decides what varies.
 */
export const DIFFERENCE_CLASSES = ['noise', 'builder', 'base', 'drift', 'varies', 'unrepeated', 'same'] as const;
export type DifferenceClass = (typeof DIFFERENCE_CLASSES)[number];

export const Difference = Type.Object({
  /** The path, or for the configuration `config:Env` and so on. */
  path: Type.String(),
  aspects: Type.Array(Type.Enum([...DIFFERENCE_ASPECTS])),
  published: Type.Optional(Type.Partial(FileFacts)),
  rebuilt: Type.Optional(Type.Partial(FileFacts)),
  cause: Type.Enum([...CAUSES]),
  /** Absent in verdicts from before differences were classed. */
  class: Type.Optional(Type.Enum([...DIFFERENCE_CLASSES])),
  /** Name and version of the rule that found the cause. */
  rule: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  line: Type.Optional(Type.Integer({ description: 'line of the Dockerfile whose step made the file, where known' })),
  explanation: Type.Optional(
    Type.Unsafe<Digest>({ ...Digest, description: 'of a document that tells what differs inside; it decides nothing' }),
  ),
});
export type Difference = Static<typeof Difference>;

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
export const Severity = Type.Enum([...SEVERITIES]);
export type Severity = (typeof SEVERITIES)[number];

export const Finding = Type.Object({
  code: Type.String({ description: 'stable; listed in the documentation', examples: ['packaged-file-replaced'] }),
  severity: Severity,
  paths: Type.Array(Type.String()),
  message: Type.String(),
  layer: Type.Optional(Type.Integer()),
  /** Line of the Dockerfile. */
  line: Type.Optional(Type.Integer()),
  /** Where that line is to be read: in the repository at its commit. */
  href: Type.Optional(Type.String({ description: 'of the line, where the forge of the repository is known' })),
  /** Facts by name: package, expected and found digests … */
  evidence: Type.Record(Type.String(), Type.String()),
  advice: Type.String(),
});
export type Finding = Static<typeof Finding>;

/** How the image comes to run a program; see {@link RunProgram}. */
export const RUN_BY = ['entry-point', 'interpreter', 'script', 'shell', 'argument'] as const;

/**
 * One program that a container of the image runs when nothing else is asked for, read off the configuration, the file system and
 * start scripts without running anything: which file it is, and whose.
 */
export const RunProgram = Type.Object({
  by: Type.Enum([...RUN_BY], {
    description:
      'entry-point: first word of Entrypoint and Cmd; interpreter: of a script; script: named by a start script; shell: named in `sh -c`; argument: handed to the program before',
  }),
  command: Type.String({ description: 'the word as it is written', examples: ['nginx'] }),
  /** The file that the word comes to, with PATH searched and links followed. */
  path: Type.Optional(Path),
  /** Symbolic links on the way. */
  via: Type.Optional(Type.Array(Path)),
  digest: Type.Optional(Digest),
  /** Of the verified package that has a file at this path. */
  package: Type.Optional(Type.String({ description: 'purl' })),
  version: Type.Optional(Type.String()),
  attribution: Type.Optional(Attribution),
  statement: Type.String({ examples: ['nginx 1.22.1-9+deb12u11, the bytes that Debian signed'] }),
});
export type RunProgram = Static<typeof RunProgram>;

export const RESULTS = ['identical', 'layers-identical', 'equivalent', 'explained', 'different', 'suspicious', 'not-comparable'] as const;
export const Result = Type.Enum([...RESULTS]);
export type Result = (typeof RESULTS)[number];

export const AUDITABLE = ['yes', 'partly', 'no', 'unknown'] as const;
export const Auditable = Type.Enum([...AUDITABLE]);
export type Auditable = (typeof AUDITABLE)[number];

const Counts = Type.Object(
  Object.fromEntries(ATTRIBUTIONS.map((name) => [name, Type.Integer()])) as Record<Attribution, ReturnType<typeof Type.Integer>>,
);

/** The four answers, and the policy's answer to "can the contents be audited?". Design, "The verdict". */
export const Verdict = Type.Object({
  result: Result,
  /** With `not-comparable` only. */
  reason: Type.Optional(NotComparable),
  /** One sentence for people; with a failed build it ends with the last line of its log. */
  summary: Type.String(),
  auditable: Auditable,
  coverage: Type.Object({
    files: Counts,
    bytes: Counts,
    executables: Counts,
    /** Share of all files (0 to 1, rounded down to 4 digits) that is neither `unexplained` nor resting on `rebuilt` or `third-party` alone. */
    accounted: Type.Number(),
    reproduced: Type.Optional(
      Type.Object(
        {
          packages: Type.Integer({ description: 'verified packages that count as reproduced' }),
          of: Type.Integer({ description: 'verified packages that rebuilders were asked about' }),
          files: Type.Integer({ description: 'files with the account `debian-official` that are of these packages' }),
          bytes: Type.Integer({ description: 'their bytes' }),
        },
        { description: 'What rests on packages that independent rebuilders built again with the same bytes; only where some were asked' },
      ),
    ),
  }),
  findings: Type.Array(Finding),
  /** What a container of the image runs, first word first. Absent in verdicts from before this was told. */
  runs: Type.Optional(Type.Array(RunProgram)),
  freshness: Type.Object({
    judgedAt: Type.String({ description: 'ISO 8601, UTC' }),
    rules: Type.String({ description: 'version of the rules' }),
    policy: Type.String({ description: 'name and version of the policy' }),
  }),
});
export type Verdict = Static<typeof Verdict>;
