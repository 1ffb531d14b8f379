import type { ProblemDocument, VerdictRecord, VerificationJob } from '../src/model/verification.ts';
import { isBelow } from '../src/model/attachment.ts';
import type { Forge } from '../src/model/forge.ts';
import { splitReference } from '../src/model/purl.ts';
import { wants } from '../src/model/watch.ts';
import type { Clock, ComposeDelivery, Delivery, Queue, Records, TellEnd } from '../src/ports.ts';
import type { ProblemCode } from '../src/problem.ts';
import { composeEvent, type Ending } from '../src/steps/compose-event.ts';
import { composeStatus } from '../src/steps/compose-status.ts';
import { composeWatchEvent } from '../src/steps/compose-watch-event.ts';
import { isWorse } from '../src/steps/worse-verdict.ts';

export type EndPorts = {
  records: Records;
  queue: Pick<Queue, 'deliver'>;
  tellEnd: TellEnd;
  /** Without a trailing slash. */
  publicUrl: string;
  /** Whose commits get a status. */
  forges: readonly Forge[];
  /** Repositories whose images get their verdicts attached. */
  attachTo: readonly string[];
  now: Clock;
};

/** What the webhook of a verification, its commit and the image's registry are to be told; the ids say which verification, so that it is told once. */
function deliveriesOf({ publicUrl, forges, attachTo, now }: EndPorts, job: VerificationJob, ending: Ending): Delivery[] {
  const { webhook } = job.request;
  const fresh = { verification: job.id, status: 'pending' } as const;
  const told: Delivery[] = [];
  if (webhook !== undefined) {
    const { type, body } = composeEvent(publicUrl, job, ending, now().toISOString());
    told.push({ ...fresh, id: `msg_${job.id}`, url: webhook.url, event: type, body, attempts: [] });
  }
  const status = composeStatus(publicUrl, forges, job, ending);
  if (status !== undefined) told.push({ ...fresh, id: `status_${job.id}`, event: 'commit.status', ...status, attempts: [] });
  const { repository } = splitReference(job.image.reference);
  if ('digest' in ending && isBelow(repository, attachTo)) {
    const url = `oci://${repository}@${job.image.manifestDigest}`;
    told.push({ ...fresh, id: `attach_${job.id}`, event: 'verdict.attached', url, body: '', attempts: [] });
  }
  return told;
}

/** What watches are told, as far as they asked for it; a changed verdict of the same reference that is no worse than the one before is not worth telling. */
export function composeForWatches({ publicUrl, now }: Pick<EndPorts, 'publicUrl' | 'now'>): ComposeDelivery {
  return (match) => {
    if (!wants(match.watch.condition, match.type)) return undefined;
    if (match.type === 'verdict.changed' && !isWorse(match.before, match.after)) return undefined;
    const { id, body } = composeWatchEvent(publicUrl, match, now().toISOString());
    return { id, verification: match.verification, url: match.watch.url, event: match.type, body, status: 'pending', attempts: [] };
  };
}

/** The records, with the deliveries stored in the same transaction as the verdict. */
export function recordsWithDelivery(ports: EndPorts, job: VerificationJob): Records {
  const conclude = (record: VerdictRecord): Promise<boolean> =>
    ports.records.conclude(record, deliveriesOf(ports, job, record), composeForWatches(ports));
  return { ...ports.records, conclude };
}

export async function recordFailure(ports: EndPorts, job: VerificationJob, problem: ProblemDocument): Promise<void> {
  await ports.records.fail(job.id, problem, deliveriesOf(ports, job, { problem }));
}

/** Tells whoever waits. What is interrupted here is done by the upkeep. */
export async function announceEnd({ records, queue, tellEnd }: EndPorts, job: VerificationJob): Promise<void> {
  const status = (await records.get(job.id))?.status;
  if (status === 'done' || status === 'failed') await tellEnd(job.id, status);
  for (const delivery of await records.deliveriesOf(job.id)) if (delivery.status === 'pending') await queue.deliver(delivery);
}

/** What goes away by waiting: a verification never ends because of one of these. */
const AWAY: readonly string[] = ['queue-unavailable', 'database-unavailable', 'blobs-unavailable', 'disk-full'] satisfies ProblemCode[];

export function isAway(code: string): boolean {
  return AWAY.includes(code);
}
