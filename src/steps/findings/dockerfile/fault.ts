import type { Dockerfile } from '../../../model/dockerfile.ts';
import type { FindingCode } from '../../../model/finding-codes.ts';
import type { Download } from './fetched.ts';
import type { Step } from '../../dockerfile-steps.ts';

/** What a Dockerfile does that makes its image harder to audit. */
export type Fault = { code: FindingCode; line: number; message: string; evidence?: Record<string, string> };

/** What a step fetches and nothing checks. */
export type Unchecked = { downloads: Download[]; adds: { url: string; output: string }[] };

/** All that the rules look at. */
export type DockerfileScene = {
  dockerfile: Dockerfile;
  /** Values of the arguments before the first FROM. */
  values: ReadonlyMap<string, string>;
  steps: readonly Step[];
  /** For each step, what it fetches and nothing checks. */
  unchecked: readonly Unchecked[];
  /** Indexes of the stages that the image needs. */
  stages: ReadonlySet<number>;
  /** Whether the published image, or a lower layer of it, holds files below a folder. */
  holds: (folder: string) => boolean;
  /** The Debian package or source package of this name, as far as the evidence names it. */
  packaged: (name: string) => string | undefined;
};

export type FaultRule = (scene: DockerfileScene) => Iterable<Fault>;

/** An address as a finding shows it: without a password, of bounded length. */
export function shownUrl(url: string): string {
  const cut = url.length > 300 ? `${url.slice(0, 300)}…` : url;
  return cut.replace(/^([a-z]+:\/\/)[^/@\s]*@/i, '$1');
}
