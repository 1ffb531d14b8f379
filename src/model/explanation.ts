import Type, { type Static } from 'typebox';
import { Digest } from './digest.ts';
import { Path } from './path.ts';

/** One side of something that differs: a section of a program, a member of an archive. No digest where its bytes were not read. */
export const ExplainedSide = Type.Object({ size: Type.Integer(), digest: Type.Optional(Digest) });
export type ExplainedSide = Static<typeof ExplainedSide>;

/** A named part that differs, or that one side alone has. */
export const DifferingPart = Type.Object({
  name: Type.String(),
  rebuilt: Type.Optional(ExplainedSide),
  published: Type.Optional(ExplainedSide),
});
export type DifferingPart = Static<typeof DifferingPart>;

/** Parts of one kind; `more` of them are not listed. */
export const DifferingParts = Type.Object({
  listed: Type.Array(DifferingPart),
  more: Type.Integer(),
  /** Parts that are the same on both sides. */
  same: Type.Integer(),
});
export type DifferingParts = Static<typeof DifferingParts>;

/** What diffoscope says of one thing, a file or a command's view of it; all of it printable, and bounded. */
export type DiffNode = {
  rebuilt: string;
  published: string;
  comments?: string[];
  /** Hunks of a unified diff from the rebuilt to the published side. */
  diff?: string;
  inside?: DiffNode[];
};
/** The name of a node's schema in the OpenAPI document: it holds itself. */
export const DIFF_NODE = 'DiffNode';
const inside = Type.Array(Type.Unsafe<DiffNode>({ $ref: `${DIFF_NODE}#` }));
export const DiffNode = Type.Object({
  rebuilt: Type.String(),
  published: Type.String(),
  comments: Type.Optional(Type.Array(Type.String())),
  diff: Type.Optional(Type.String({ description: 'hunks of a unified diff' })),
  inside: Type.Optional(inside),
});

/**
 * What differs inside of one file, from the rebuilt to the published side. It is for readers and decides nothing: every part of it is made from
 * hostile bytes, some by programs that were written for friendly ones.
 */
export const Explanation = Type.Object({
  path: Path,
  rebuilt: Type.Object({ digest: Digest, size: Type.Integer() }),
  published: Type.Object({ digest: Digest, size: Type.Integer() }),
  text: Type.Optional(Type.String({ description: 'hunks of a unified diff, where both sides are text' })),
  bytes: Type.Optional(
    Type.Object(
      {
        offset: Type.Integer({ description: 'of the first byte that differs' }),
        from: Type.Integer({ description: 'offset of the first byte that is shown' }),
        rebuilt: Type.String({ description: 'hex digits' }),
        published: Type.String({ description: 'hex digits' }),
      },
      { description: 'where the bytes begin to differ, where a side is no text' },
    ),
  ),
  sections: Type.Optional(DifferingParts),
  members: Type.Optional(DifferingParts),
  diffoscope: Type.Optional(inside),
  notes: Type.Array(Type.String({ description: 'what could not be told, or is not shown' })),
});
export type Explanation = Omit<Static<typeof Explanation>, 'rebuilt' | 'published' | 'diffoscope' | 'sections' | 'members'> & {
  rebuilt: { digest: Digest; size: number };
  published: { digest: Digest; size: number };
  sections?: DifferingParts;
  members?: DifferingParts;
  diffoscope?: DiffNode[];
};

/** A package that the two databases of dpkg name in other versions, or that one of them names alone. */
export const DifferingPackage = Type.Object({
  name: Type.String(),
  architecture: Type.String(),
  rebuilt: Type.Optional(Type.String({ description: 'version' })),
  published: Type.Optional(Type.String({ description: 'version' })),
});
export type DifferingPackage = Static<typeof DifferingPackage>;

/** The differing files that were looked into, and why others were not. */
export const Explanations = Type.Object({
  tool: Type.Optional(
    Type.String({ description: 'the program that looked as well; absent where none is installed', examples: ['diffoscope 240'] }),
  ),
  files: Type.Array(Type.Object({ path: Path, document: Digest }), { description: 'gravest file first' }),
  left: Type.Array(Type.Object({ reason: Type.String(), files: Type.Integer() }), {
    description: 'differing files without an explanation',
  }),
  packages: Type.Object(
    { listed: Type.Array(DifferingPackage), more: Type.Integer() },
    { description: "packages that differ by the images' own databases, in the order of their names" },
  ),
});
/** Each `document` is a blob: canonical JSON of an {@link Explanation}. */
export type Explanations = {
  tool?: string;
  files: { path: Path; document: Digest }[];
  left: { reason: string; files: number }[];
  packages: { listed: DifferingPackage[]; more: number };
};
