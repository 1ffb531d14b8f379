import { Webhook } from 'standardwebhooks';
import { type Forge, isOfForge } from '../src/model/forge.ts';
import { textFromBytes } from '../src/model/path.ts';
import { splitReference } from '../src/model/purl.ts';
import type { Attach, Clock, Consume, Delivery, Records } from '../src/ports.ts';
import { Problem } from '../src/problem.ts';
import { attachmentsOf } from '../src/steps/attachments.ts';
import type { Running } from './running.ts';

export type DeliverPorts = {
  records: Records;
  /** Refuses private addresses, also after DNS. */
  fetch: typeof globalThis.fetch;
  /** `whsec_…`; more than one while it is replaced. */
  secrets: readonly string[];
  forges: readonly Forge[];
  /** What stands in a file, without the end of its line. Throws `environment-missing`. */
  readSecret: (path: string) => Promise<string>;
  attach: Attach;
  /** Of this instance, without a trailing slash. */
  publicUrl: string;
  now: Clock;
};

// Standard Webhooks 1.0.0, "Request timeout": 15 to 30 s.
const TIMEOUT_MILLISECONDS = 15_000;
const ATTEMPTS_MAX = 8;
const OK = 200;
const CREATED = 201;
const GONE = 410; // the receiver wants no more of it
const RETRY_AFTER_SECONDS_MAX = 3600;
/** Of what a receiver says; enough for a message, too little to keep a page. */
const ANSWER_BYTES_MAX = 1_000;
/** Some of these wait for slow receivers while others go on. */
const AT_ONCE = 8;

type Attempt = Delivery['attempts'][number];
type Answer = { status: number; answer?: string; retryAfter?: number };

/** Tells webhooks, signed as Standard Webhooks says, forges and registries, and records every attempt. */
export function runDeliver(ports: DeliverPorts, consume: Consume): Running {
  return consume(
    'deliver',
    async (task) => {
      const delivery = await ports.records.delivery(task.id);
      if (delivery === undefined || delivery.status !== 'pending') return {};
      const problem = await attempt(ports, delivery, (thrown) => delivery.attempts.length + 1 < ATTEMPTS_MAX && task.retries(thrown));
      if (problem !== undefined) throw problem;
      return {};
    },
    { concurrency: AT_ONCE },
  );
}

async function attempt(ports: DeliverPorts, delivery: Delivery, retries: (problem: Problem) => boolean): Promise<Problem | undefined> {
  const at = ports.now().toISOString();
  let tried: Attempt;
  let problem: Problem | undefined;
  try {
    const { retryAfter, ...answered } = await (delivery.event === 'verdict.attached'
      ? attachVerdict(ports, delivery)
      : send(ports, delivery));
    tried = { at, ...answered };
    const { status } = answered;
    if (status < 200 || status > 299) problem = refusal(status, retryAfter);
  } catch (thrown) {
    problem = thrown instanceof Problem ? thrown : new Problem('webhook-unavailable', reasonOf(thrown), { cause: thrown });
    tried = { at, error: problem.message };
  }
  if (problem === undefined) {
    await ports.records.recordAttempt(delivery.id, tried, 'delivered');
    return undefined;
  }
  const again = tried.status !== GONE && retries(problem);
  await ports.records.recordAttempt(delivery.id, tried, again ? 'pending' : 'failed');
  // A delivery that is over is done as a job: what became of it is in the records.
  return again ? problem : undefined;
}

async function send(ports: DeliverPorts, delivery: Delivery): Promise<Answer> {
  const { fetch, now } = ports;
  const { url, body } = delivery;
  const sentAt = now();
  const response = await fetch(url, {
    method: 'POST',
    body,
    // A receiver that sends us elsewhere has not received; following would let it choose whom we talk to.
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'conforme',
      ...(delivery.event === 'commit.status' ? await authorization(ports, delivery) : signature(ports, delivery, sentAt)),
    },
  });
  const answer = await beginningOf(response);
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return {
    status: response.status,
    ...(answer === '' ? {} : { answer }),
    ...(retryAfter > 0 ? { retryAfter: Math.min(retryAfter, RETRY_AFTER_SECONDS_MAX) } : {}),
  };
}

/** No key is needed: what is attached was signed when the verdict was stored. */
async function attachVerdict({ records, attach, publicUrl }: DeliverPorts, { verification }: Delivery): Promise<Answer> {
  const record = await records.verdictOf(verification);
  if (record === undefined) throw new Problem('internal', 'a verdict to be attached is not there');
  const { repository } = splitReference(record.image.reference);
  // Tried again late, an old verdict must not come after a newer one.
  const [newest] = await records.sealsOn(repository, record.image.manifestDigest, 1);
  if (newest?.digest !== record.digest) return { status: OK, answer: 'a newer verdict on the image is there' };
  for (const { subject, attachments } of attachmentsOf(record, publicUrl)) await attach(repository, subject, attachments);
  return { status: CREATED };
}

/** Standard Webhooks 1.0.0, "Signature scheme": any of the signatures is enough, so that receivers can change their secret one by one. */
function signature({ secrets }: DeliverPorts, { id, body }: Delivery, sentAt: Date): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, sentAt, body)).join(' '),
  };
}

async function authorization({ forges, readSecret }: DeliverPorts, { url }: Delivery): Promise<Record<string, string>> {
  const forge = forges.find((each) => isOfForge(each, url));
  if (forge === undefined) throw new Problem('invalid-configuration', 'no forge with this address is configured any more');
  const token = await readSecret(forge.tokenFile);
  return forge.kind === 'github'
    ? { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }
    : { 'private-token': token };
}

/** What a person needs to see why. The status decides, so that what breaks off here is what there was. */
async function beginningOf({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of body ?? []) {
      pieces.push(piece.subarray(0, ANSWER_BYTES_MAX - length));
      length += piece.length;
      if (length >= ANSWER_BYTES_MAX) break; // which closes the connection
    }
  } catch {
    // Told by what is missing.
  }
  return textFromBytes(Buffer.concat(pieces));
}

function refusal(status: number, retryAfter: number | undefined): Problem {
  const told = status >= 300 && status < 400 ? `it redirects (${status}), which is not followed` : `it answered ${status}`;
  return new Problem('webhook-unavailable', told, retryAfter === undefined ? {} : { retryAfter });
}

/** What can be said without the address, which may hold a secret. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error && thrown.name === 'TimeoutError') return `no answer within ${TIMEOUT_MILLISECONDS / 1000} s`;
  const { cause } = thrown as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? `no connection (${cause.code})` : 'no connection';
}
