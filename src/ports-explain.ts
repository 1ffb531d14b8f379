/** The side effects of looking into files that differ; see ports.ts. */
import type { Readable } from 'node:stream';
import type { Digest } from './model/digest.ts';
import type { DiffNode } from './model/explanation.ts';
import type { Descriptor } from './model/oci.ts';

/** A private folder for files whose names say nothing. */
export type Scratch = {
  /** Writes a file and tells where it lies. */
  put(bytes: Uint8Array): Promise<string>;
  read(file: string): Promise<Buffer>;
  /** The folder is gone afterwards; where the process dies before, the next one removes it. */
  done(): Promise<void>;
};
export type OpenScratch = () => Promise<Scratch>;

/** What steps of builds of late made, kept on this machine as far as there is room, for when a build is not made again. */
export type BuiltLayers = {
  keep(layer: Descriptor, openLayer: () => Promise<Readable>): Promise<void>;
  /** Undefined where it is not kept, or not any more. */
  open(digest: Digest): Promise<Readable | undefined>;
};

/**
 * Runs a program of the machine in the clean environment, over files that it may read and nothing else: without network, with bounded time,
 * memory, disk and processes. It writes its answer to /job/out/answer; /job/tmp is its own. Throws `environment-missing`.
 */
export type RunConfined = (order: {
  command: readonly string[];
  files: readonly { from: string; to: string }[];
  seconds: number;
  /** Longer answers are none. */
  answerBytesMax: number;
  signal?: AbortSignal;
}) => Promise<{ ended: 'limit' | 'exit'; code?: number; answer?: Buffer; lastLog: readonly string[] }>;

/** Looks into pairs of files with a program that is not ours. What it cannot tell is an answer, whatever the files are. */
export type Explain = {
  /** Name and version. */
  tool: string;
  /** What it says of each pair, in their order; undefined where it says nothing. `fault`: why it did not get through all of them. */
  explain(
    pairs: readonly { rebuilt: string; published: string }[],
    options: { seconds: number; signal?: AbortSignal },
  ): Promise<{ told: (readonly DiffNode[] | undefined)[]; fault?: string }>;
};
