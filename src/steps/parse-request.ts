import { digestOf, type Digest } from '../model/digest.ts';
import { canonicalJson } from '../model/json.ts';
import type { RequestedSource, VerificationRequest } from '../model/request.ts';
import type { VerificationJob } from '../model/verification.ts';
import { Problem, type ProblemCode } from '../problem.ts';

/** What a build uses where the request names no Dockerfile. */
export const DEFAULT_DOCKERFILE = 'Dockerfile';

/**
 * A request whose form was validated, in its one normal form: two requests that ask for the same are equal afterwards.
 * Throws `invalid-request` or `invalid-source`; the detail begins with a JSON pointer to what is wrong.
 */
export function parseRequest(body: VerificationRequest): VerificationRequest {
  const image = body.image.trim();
  if (image === '') throw new Problem('invalid-reference', '/image: an image reference is needed');
  const dockerfile = body.dockerfile === undefined ? undefined : relativePath(body.dockerfile, '/dockerfile', 'invalid-request');
  const target = body.target === undefined || body.target === '' ? undefined : plain(body.target, '/target', 'invalid-request');
  return {
    image,
    ...(body.platform === undefined ? {} : { platform: body.platform }),
    ...(body.source === undefined ? {} : { source: parseSource(body.source) }),
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(target === undefined ? {} : { target }),
    ...(body.buildArgs === undefined || Object.keys(body.buildArgs).length === 0 ? {} : { buildArgs: body.buildArgs }),
    ...(body.asOf === undefined ? {} : { asOf: pastTime(body.asOf) }),
    ...(body.webhook === undefined ? {} : { webhook: { url: webAddress(body.webhook.url, '/webhook/url', 'invalid-request').href } }),
  };
}

/**
 * Equal for requests that would be judged alike: the same pinned image, source and build, by the same rules. A branch that moved on
 * is another source. The webhook is no part of it.
 */
export function requestKey({ request, commit, image }: Omit<VerificationJob, 'id'>, rules: string): Digest {
  const { source, dockerfile, target, buildArgs, asOf } = request;
  const { digest, manifestDigest, platform } = image;
  return digestOf(canonicalJson({ digest, manifestDigest, platform, source, commit, dockerfile, target, buildArgs, asOf, rules }));
}

function parseSource(source: RequestedSource): RequestedSource {
  if ('context' in source) return { context: source.context };
  const url = webAddress(source.git, '/source/git', 'invalid-source');
  if (url.hash !== '') throw new Problem('invalid-source', '/source/git: the ref goes into "ref", not behind a "#"');
  const ref = source.ref === undefined || source.ref === '' ? undefined : plain(source.ref, '/source/ref', 'invalid-source');
  // git reads a name that begins with a dash as an option.
  if (ref?.startsWith('-')) throw new Problem('invalid-source', '/source/ref: a ref does not begin with "-"');
  const subdir = source.subdir === undefined ? undefined : relativePath(source.subdir, '/source/subdir', 'invalid-source');
  return {
    git: url.href,
    ...(ref === undefined ? {} : { ref }),
    ...(subdir === undefined ? {} : { subdir }),
  };
}

/** http(s) only, and without user and password: the address stands in the signed statement and on the page. */
export function webAddress(text: string, pointer: string, code: ProblemCode): URL {
  const url = URL.parse(text);
  if (url === null) throw new Problem(code, `${pointer}: no URL`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Problem(code, `${pointer}: only http and https addresses are used`);
  if (url.username !== '' || url.password !== '') throw new Problem(code, `${pointer}: credentials do not belong into an address`);
  return url;
}

/** `./a//b/` → `a/b`; undefined for the folder itself. Refuses what is absolute or leaves it. */
function relativePath(text: string, pointer: string, code: ProblemCode): string | undefined {
  const path = plain(text, pointer, code);
  if (path.startsWith('/')) throw new Problem(code, `${pointer}: a path within the build context is relative`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new Problem(code, `${pointer}: a path within the build context has no ".."`);
  return parts.length === 0 ? undefined : parts.join('/');
}

function pastTime(text: string): string {
  const time = Date.parse(text);
  // The first snapshot of Debian is of March 2005.
  if (Number.isNaN(time) || time < Date.UTC(2005, 2)) throw new Problem('invalid-request', '/asOf: no time that an archive is known of');
  return new Date(time).toISOString().replace(/\.\d+/, '');
}

function plain(text: string, pointer: string, code: ProblemCode): string {
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) throw new Problem(code, `${pointer}: control characters are not accepted`);
  return text;
}
