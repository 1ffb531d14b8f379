/**
 * Everything that can go wrong, closed: a code, the HTTP status it is told with, whether trying again can help, and what a
 * badge says of it. `documentation` is what /docs shows; a test holds the two together.
 */
export const PROBLEMS = {
  'invalid-request': { status: 400, retryable: false, title: 'The request does not have the form that is documented' },
  'invalid-reference': { status: 400, retryable: false, title: 'The image reference does not parse' },
  'invalid-source': { status: 400, retryable: false, title: 'The source cannot be used as named' },
  'invalid-context': { status: 400, retryable: false, title: 'The uploaded build context is no tar that can be used' },
  'digest-mismatch': { status: 400, retryable: false, title: 'The bytes do not have the digest they were sent under' },
  unauthorized: { status: 401, retryable: false, title: 'A valid API token is needed' },
  'address-refused': { status: 403, retryable: false, title: 'The address is private, local or otherwise not to be reached' },
  'not-found': { status: 404, retryable: false, title: 'There is no such thing here' },
  'context-missing': { status: 404, retryable: false, title: 'No build context with that digest was uploaded' },
  'image-not-found': { status: 404, retryable: false, title: 'The registry has no such image' },
  'platform-not-found': { status: 404, retryable: false, title: 'The image is not published for that platform' },
  'too-large': { status: 413, retryable: false, title: 'More bytes than are accepted' },
  'unsupported-media-type': { status: 415, retryable: false, title: 'A body of that media type is not read here' },
  'idempotency-key-reused': { status: 422, retryable: false, title: 'That Idempotency-Key came with another request before' },
  'image-unsupported': { status: 422, retryable: false, title: 'The image has a form that conforme does not read' },
  'image-malformed': { status: 422, retryable: false, title: 'The image breaks its specification or its own digests' },
  'limit-exceeded': { status: 422, retryable: false, title: 'The image is beyond a limit that protects this service' },
  'too-many-requests': { status: 429, retryable: true, title: 'Too many requests' },
  'registry-denied': { status: 502, retryable: false, title: 'The registry refuses access' },
  'registry-unavailable': { status: 502, retryable: true, title: 'The registry does not answer as it should' },
  'source-unavailable': { status: 502, retryable: true, title: 'The source repository does not answer as it should' },
  'archive-unavailable': { status: 502, retryable: true, title: 'The package archive does not answer as it should' },
  'archive-untrusted': { status: 502, retryable: true, title: 'The package archive answered with something its keys did not sign' },
  'security-data-unavailable': { status: 502, retryable: true, title: 'The security tracker does not answer as it should' },
  'webhook-unavailable': { status: 502, retryable: true, title: 'The webhook does not answer as it should' },
  'identity-unavailable': { status: 503, retryable: true, title: 'The issuer of an identity token cannot be asked for its keys' },
  'queue-unavailable': { status: 503, retryable: true, title: 'The queue is away for the moment' },
  'database-unavailable': { status: 503, retryable: true, title: 'The database is away for the moment' },
  'blobs-unavailable': { status: 503, retryable: true, title: 'The blob store is away for the moment' },
  'blob-missing': { status: 500, retryable: true, title: 'A stored document is missing' },
  'environment-missing': { status: 500, retryable: false, title: 'This machine lacks something that conforme needs' },
  'invalid-configuration': { status: 500, retryable: false, title: 'The configuration does not parse' },
  'disk-full': { status: 507, retryable: true, title: 'The disk is full' },
  internal: { status: 500, retryable: true, title: 'An error of our own' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The one error class. The text is for people; programs look at `code`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  /** Seconds after which trying again makes sense; sent as Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(code: ProblemCode, detail: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  get retryable(): boolean {
    return PROBLEMS[this.code].retryable;
  }

  /** RFC 9457, section 3. An error of our own tells its code and nothing of its inside. */
  toDocument(instance?: string): { type: string; title: string; status: number; detail: string; code: ProblemCode; instance?: string } {
    const { status, title } = PROBLEMS[this.code];
    const document = { type: `/docs/problems#${this.code}`, title, status, detail: this.message, code: this.code };
    return instance === undefined ? document : { ...document, instance };
  }

  /** Anything thrown, as a Problem; what is not one already is our own fault. */
  static from(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    if (thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === 'ENOSPC')
      return new Problem('disk-full', 'no space left on the device', { cause: thrown });
    return new Problem('internal', 'an unexpected error', { cause: thrown });
  }
}
