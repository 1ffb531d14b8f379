import { parseDebianVersion } from '../model/debian-version.ts';
import { formatReference, parseReference, ReferenceSyntaxError } from '../model/reference.ts';
import { type Condition, EVENTS_BY_DEFAULT, WATCH_EVENTS, type WatchEvent, type WatchRequest } from '../model/watch.ts';
import { Problem } from '../problem.ts';
import { webAddress } from './parse-request.ts';

/** A watch whose form was validated. Throws `invalid-request` or `invalid-reference`; the detail begins with a JSON pointer. */
export function parseWatch(body: WatchRequest): { condition: Condition; url: string } {
  const url = webAddress(body.webhook.url, '/webhook/url', 'invalid-request').href;
  const { package: name, olderThan, cve, image, events } = body;
  if ([name, cve, image].filter((value) => value !== undefined).length !== 1)
    throw new Problem('invalid-request', '/: one of package (with olderThan), cve and image is needed, and no more');
  if (events !== undefined && image === undefined) throw new Problem('invalid-request', '/events: goes with image');
  if ((name === undefined) !== (olderThan === undefined))
    throw new Problem('invalid-request', '/olderThan: goes with package, and package with it');
  if (olderThan !== undefined && parseDebianVersion(olderThan) === undefined)
    throw new Problem('invalid-request', '/olderThan: is no Debian version');
  if (name !== undefined && olderThan !== undefined) return { condition: { package: name, olderThan }, url };
  if (cve !== undefined) return { condition: { cve }, url };
  return { condition: { image: referenceOf(image ?? ''), ...chosen(events) }, url };
}

/** The same choice has one form, so that the same watch is found again. */
function chosen(events: readonly WatchEvent[] | undefined): { events?: WatchEvent[] } {
  if (events === undefined) return {};
  const ordered = WATCH_EVENTS.filter((event) => events.includes(event));
  return ordered.join() === EVENTS_BY_DEFAULT.join() ? {} : { events: ordered };
}

/** A tag may move to another image; a digest never does, so there is nothing to watch. */
function referenceOf(text: string): string {
  try {
    const reference = parseReference(text.trim());
    if (reference.digest !== undefined) throw new Problem('invalid-reference', '/image: what a digest names never changes; watch a tag');
    return formatReference(reference);
  } catch (thrown) {
    if (thrown instanceof ReferenceSyntaxError) throw new Problem('invalid-reference', `/image: ${thrown.message}`, { cause: thrown });
    throw thrown;
  }
}
