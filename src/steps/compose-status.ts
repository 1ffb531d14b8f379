import type { Forge } from '../model/forge.ts';
import { canonicalJson } from '../model/json.ts';
import type { VerificationJob } from '../model/verification.ts';
import { applyThreshold, type Outcome, type Threshold } from './apply-threshold.ts';
import type { Ending } from './compose-event.ts';

type State = 'success' | 'failure' | 'error';

/** GitHub refuses more; GitLab takes 255 characters. */
const DESCRIPTION_LENGTH_MAX = 140;
/** Nothing in them needs an escape but the slash; neither forge allows a name of dots alone. */
const PATHS = { github: /^[\w-][\w.-]*\/[\w-][\w.-]*$/, gitlab: /^[\w-][\w.+-]*(?:\/[\w-][\w.+-]*)+$/ };
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * The status that the commit gets which was asked to be compared with the image; undefined where its repository is at none of these forges. A
 * repository that only the image's provenance names gets none: whoever publishes an image could then write to others' commits.
 * GitHub REST 2022-11-28, "Create a commit status"; GitLab REST v4, "Set the pipeline status of a commit".
 */
export function composeStatus(
  publicUrl: string,
  forges: readonly Forge[],
  { id, image, request: { source }, commit: pinned }: VerificationJob,
  ending: Ending,
): { url: string; body: string } | undefined {
  if (source === undefined || !('git' in source)) return undefined;
  const commit = pinned ?? source.ref ?? '';
  const url = URL.parse(source.git);
  const forge = forges.find(({ host }) => host === url?.host);
  if (url === null || forge === undefined || !COMMIT.test(commit)) return undefined;
  const path = url.pathname.replace(/^\/+|(?:\.git)?\/*$/g, '');
  if (!PATHS[forge.kind].test(path)) return undefined;
  const { state, says } = said(ending);
  const about = {
    target_url: `${publicUrl}/verifications/${id}`,
    description: says.length > DESCRIPTION_LENGTH_MAX ? `${says.slice(0, DESCRIPTION_LENGTH_MAX - 1)}…` : says,
  };
  const context = `conforme ${image.reference}`;
  if (forge.kind === 'github') {
    return { url: `${forge.api}/repos/${path}/statuses/${commit}`, body: canonicalJson({ state, context, ...about }) };
  }
  const project = encodeURIComponent(path);
  // GitLab knows no error beside the failure.
  return {
    url: `${forge.api}/projects/${project}/statuses/${commit}`,
    body: canonicalJson({ state: state === 'success' ? 'success' : 'failed', name: context, ...about }),
  };
}

/** A status is read as "this commit makes that image": one that can be audited and was made of other sources is no success for it. */
const THRESHOLD: Threshold = ['partly', 'different'];
const STATES: Record<Outcome, State> = { pass: 'success', fail: 'failure', unknown: 'error' };

function said(ending: Ending): { state: State; says: string } {
  if ('problem' in ending) return { state: 'error', says: ending.problem.title };
  return { state: STATES[applyThreshold(THRESHOLD, ending.verdict)], says: ending.verdict.summary };
}
