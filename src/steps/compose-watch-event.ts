import { digestOf, hexOf } from '../model/digest.ts';
import { canonicalJson } from '../model/json.ts';
import type { WatchMatch } from '../model/watch.ts';

/** Of a long list this many stand in the body: Standard Webhooks asks for less than 20 kB. */
const HITS_MAX = 50;

/**
 * What the webhook of a watch is told. The id is a function of watch, image digest and cause: a receiver that hears it twice, because
 * its first answer was lost, can tell. `at` is ISO 8601, UTC.
 */
export function composeWatchEvent(publicUrl: string, match: WatchMatch, at: string): { id: string; body: string } {
  const { watch, image, verification, verdict, type, cause } = match;
  const links = {
    watch: `${publicUrl}/v1/watches/${watch.id}`,
    verification: `${publicUrl}/v1/verifications/${verification}`,
    page: `${publicUrl}/verifications/${verification}`,
    verdict: `${publicUrl}/v1/verdicts/${verdict}`,
  };
  const { reference, digest, manifestDigest, platform } = image;
  const data = {
    watch: { id: watch.id, ...watch.condition },
    image: { reference, digest, manifestDigest, platform },
    verification,
    cause,
    ...outcomeOf(match),
    links,
  };
  const id = `msg_w${hexOf(digestOf([watch.id, manifestDigest, cause].join(' '))).slice(0, 40)}`;
  return { id, body: canonicalJson({ type, timestamp: at, data }) };
}

function outcomeOf(match: WatchMatch): object {
  switch (match.type) {
    case 'image.affected':
      return { hits: match.hits.slice(0, HITS_MAX), total: match.hits.length };
    case 'verdict.changed':
      return { before: match.before, after: match.after };
    case 'verdict.created':
      return { result: match.after.result, auditable: match.after.auditable };
  }
}
