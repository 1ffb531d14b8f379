import type { Digest } from '../../model/digest.ts';
import { REBUILD_OUTCOMES, type Rebuilder, type RebuilderAnswer } from '../../model/rebuilders.ts';
import type { Blobs, Clock } from '../../ports.ts';
import { rebuilderApi, type RebuildRecord } from './api.ts';
import { pinnedKey, readAttestation } from './attestation.ts';
import { type Ask, courteously } from './courteous.ts';
import type { Fetch } from './http.ts';

/** One rebuilder. A verified attestation is kept for ever, as a blob under the key and the .deb, and verified again when it is used. */
export function makeRebuilder({ url, keys }: Rebuilder, ports: { fetch: Fetch; blobs: Blobs; now: Clock }): Ask<RebuilderAnswer> {
  const { fetch, blobs, now } = ports;
  const api = rebuilderApi(fetch, url);
  const pinned = keys.map(pinnedKey);
  const nameOf = (keyId: string, deb: Digest): string => `rebuild-attestation/v1/${keyId}/${deb}`;

  async function recall(deb: Digest): Promise<RebuilderAnswer | undefined> {
    for (const { keyId } of pinned) {
      const attestation = await blobs.resolve(nameOf(keyId, deb));
      if (attestation !== undefined && readAttestation(await blobs.read(attestation), pinned)?.debs.includes(deb) === true)
        return { rebuilder: url, outcome: 'reproduced', attestation };
    }
    return undefined;
  }

  async function judge({ status, attestation }: RebuildRecord, deb: Digest, signal: AbortSignal): Promise<RebuilderAnswer> {
    if (status !== 'GOOD') return { rebuilder: url, outcome: status === 'BAD' ? 'not-reproduced' : 'unbuilt' };
    const bytes = attestation === undefined ? undefined : await api.attestation(attestation, signal);
    if (bytes === undefined) return { rebuilder: url, outcome: 'unattested' };
    const attested = readAttestation(bytes, pinned);
    if (attested === undefined) return { rebuilder: url, outcome: 'attestation-unverified' };
    if (!attested.debs.includes(deb)) return { rebuilder: url, outcome: 'attestation-of-another' };
    const { digest } = await blobs.put([bytes]);
    await blobs.link(nameOf(attested.signer.keyId, deb), digest);
    return { rebuilder: url, outcome: 'reproduced', attestation: digest };
  }

  return courteously<RebuilderAnswer>({
    now,
    unavailable: { rebuilder: url, outcome: 'unavailable' },
    recall,
    async ask(one, deb, signal) {
      let best: RebuilderAnswer = { rebuilder: url, outcome: 'unlisted' };
      for (const record of await api.records(one, signal)) {
        const answer = await judge(record, deb, signal);
        if (rank(answer) < rank(best)) best = answer;
        if (best.outcome === 'reproduced') break;
      }
      return best;
    },
  });
}

function rank({ outcome }: RebuilderAnswer): number {
  return REBUILD_OUTCOMES.indexOf(outcome);
}
