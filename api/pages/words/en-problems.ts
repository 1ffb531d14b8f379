import type { ProblemCode } from '../../../src/problem.ts';

/** What to do about each problem. The type asks for an entry for every code of src/problem.ts and for nothing else. */
export const PROBLEM_ADVICE: Record<ProblemCode, string> = {
  'invalid-request':
    'Look at "errors" in the answer: each has a JSON pointer to the part that is meant. Unknown names are refused, so that a typing error is not taken for silence.',
  'invalid-reference': 'Write the image as Docker does: nginx, ghcr.io/a/b:1 or host:5000/a/b@sha256:….',
  'invalid-source': 'Name a repository with an http or https address without user and password, and a ref and a folder that are in it.',
  'invalid-context': 'Upload a tar, optionally compressed with gzip, whose members stay within it: tar -C folder -cz . does that.',
  'digest-mismatch': 'Compute the SHA-256 of exactly the bytes that are sent, and put it into the path.',
  unauthorized:
    'Send "Authorization: Bearer …" with the token that the service printed at its first start, or with an identity token that CONFORME_OIDC lets in.',
  'address-refused':
    'Private, loopback and link-local addresses are refused, also behind a name or a redirect. Whoever runs the service can allow a network with CONFORME_ALLOW_ADDRESSES.',
  'not-found':
    'Check the address. A verification that still runs has no files and differences yet; questions about a CVE need the data of the security tracker.',
  'context-missing': 'PUT the build context to /v1/contexts/{digest} first.',
  'image-not-found': 'Check name and tag, and whether the image is public.',
  'platform-not-found': 'Name one of the platforms that the image is published for.',
  'too-large': 'Send less: a build context without what .dockerignore leaves out, for instance.',
  'unsupported-media-type': 'Send JSON as application/json.',
  'idempotency-key-reused': 'Take a new Idempotency-Key for a new request.',
  'image-unsupported': 'Publish the image with OCI or Docker schema 2 media types.',
  'image-malformed': 'Push the image anew. If it stays so, the registry or whoever is between gives out other bytes than its digests say.',
  'limit-exceeded': 'The image has more layers, files or bytes than this service reads. Whoever runs it can raise the limit.',
  'too-many-requests': 'Wait for the seconds in Retry-After.',
  'registry-denied': 'Make the image public, or give the service credentials for the registry.',
  'registry-unavailable': 'Try again later. The registry answers with an error or not at all.',
  'source-unavailable': 'Try again later. The source repository answers with an error or not at all.',
  'archive-unavailable': 'Try again later. The package archive answers with an error or not at all.',
  'archive-untrusted':
    'The package archive answered with something that its keys did not sign. Try again later; if it stays so, somebody is between.',
  'security-data-unavailable':
    'Nothing to do: what was fetched before stays in use for a day, and verdicts name the data they rest on. See CONFORME_SECURITY_TRACKER_URL.',
  'webhook-unavailable': 'Look at what the receiver answered; it is told again for more than a day.',
  'identity-unavailable':
    'Try again after Retry-After. The issuer of the token (see CONFORME_OIDC) does not answer, or with something that is no key.',
  'queue-unavailable': 'Try again after Retry-After; nothing that was accepted is lost.',
  'database-unavailable': 'Try again after Retry-After; nothing that was accepted is lost.',
  'blobs-unavailable': 'Try again after Retry-After; nothing that was accepted is lost.',
  'blob-missing': 'A document that the service had stored is gone. Whoever runs it has to look at the blob store.',
  'environment-missing': 'Whoever runs the service has to install what the log names; scripts/setup does.',
  'invalid-configuration': 'Whoever runs the service has to correct the variable that the log names.',
  'disk-full': 'Whoever runs the service has to make room.',
  internal: 'A fault of conforme itself. The log says more under the "instance" of the answer; please report it.',
};
