import type { FastifyBaseLogger } from 'fastify';
import type { Identify } from '../src/model/identity.ts';
import type { Blobs, EnvelopeSigner, Git, Queue, Records, Registry, Signer, Watch } from '../src/ports.ts';

/** Everything the HTTP interface needs, as a plain record that `main.ts` (or a test) composes. */
export type Deps = {
  /** Without a trailing slash; what links, badges and pages begin with. */
  publicUrl: string;
  /** What POST and PUT ask for; undefined leaves them open (the demo, on loopback). */
  token: string | undefined;
  /** Whose identity tokens are taken in its place, to ask for verdicts. */
  identify?: Identify | undefined;
  /** Version of the rules: a request judged by other rules is another request. */
  rules: string;
  /** Bytes of an uploaded build context, as sent. */
  contextBytesMax: number;
  /** Of one address; a tenth of that for what sets work going. 0 for no bound. */
  requestsPerMinute: number;
  /** Networks (CIDR) whose word counts for whom a request comes from (`X-Forwarded-For`). */
  trustedProxies: readonly string[];
  registry: Pick<Registry, 'resolve'>;
  git: Pick<Git, 'pin'>;
  blobs: Blobs;
  records: Records;
  queue: Queue;
  watch: Watch;
  /** The public halves. */
  signer: Pick<Signer, 'publicKey' | 'fingerprint'>;
  envelopeSigner: Pick<EnvelopeSigner, 'publicKey' | 'keyId'>;
  logger: FastifyBaseLogger;
  newId: () => string;
  now: () => Date;
  /** Milliseconds after which Redis, database or blob store counts as away; requests are answered with 503 then. */
  patience: number;
};
