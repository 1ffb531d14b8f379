/** What several commands have in common: the service that is asked, the threshold, and how text and JSON are written. */
import { formatReference, parseReference, ReferenceSyntaxError } from '../../src/model/reference.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { applyThreshold, DEFAULT_THRESHOLD, parseThreshold, type Threshold, THRESHOLD_WORDS } from '../../src/steps/apply-threshold.ts';
import type { Client } from '../client.ts';
import { makeClient } from '../client.ts';
import type { VerificationView } from '../schemas.ts';
import { serviceOf } from '../service-address.ts';
import { printableLine } from '../text.ts';
import { EXIT, type ExitCode, type Option, UsageError } from './command.ts';

export const SERVICE = {
  server: {
    type: 'string',
    value: 'URL',
    means: 'the service; else CONFORME_SERVER, else http://127.0.0.1:8080',
  },
} as const satisfies Record<string, Option>;

export const TOKEN = {
  token: {
    type: 'string',
    value: 'TOKEN',
    means:
      'its API token; better in CONFORME_TOKEN, because others see the options of a\nprocess. That of a service on this machine is found by itself',
  },
} as const satisfies Record<string, Option>;

export const JSON_OPTION = { json: { type: 'boolean', means: 'JSON on standard output, and nothing else' } } as const satisfies Record<
  string,
  Option
>;

export const THRESHOLD = {
  'fail-on': {
    type: 'string',
    value: 'WHAT',
    means: `what ends with 1, with commas between: ${THRESHOLD_WORDS.slice(0, 4).join(', ')};\na result or a severity, which stand for all that are worse as well`,
    words: THRESHOLD_WORDS,
  },
  'allow-unknown': { type: 'boolean', means: 'ends with 0 where the verdict does not tell, in place of 2' },
} as const satisfies Record<string, Option>;

export const EXIT_CODES = `Exit code: 0 the verdict passes, 1 it fails, 2 it could not tell, 3 an error. By default what passes are contents that can be audited
(--fail-on partly).`;

/** Throws {@link UsageError}. */
export function thresholdOf(text: string | undefined, fallback: Threshold = DEFAULT_THRESHOLD): Threshold {
  const threshold = text === undefined ? fallback : parseThreshold(text);
  if (threshold === undefined) throw new UsageError(`--fail-on ${text}: is none of ${THRESHOLD_WORDS.join(', ')}`);
  return threshold;
}

/** 3 where there is no verdict. */
export function exitCodeOf(
  { verdict }: { verdict?: Pick<Verdict, 'auditable' | 'result' | 'findings'> },
  threshold: Threshold = DEFAULT_THRESHOLD,
  allowUnknown = false,
): ExitCode {
  if (verdict === undefined) return EXIT.error;
  const outcome = applyThreshold(threshold, verdict);
  return outcome === 'unknown' && allowUnknown ? EXIT.pass : EXIT[outcome];
}

export function clientOf(values: { server?: string; token?: string }): Client {
  const { server, token } = serviceOf(values, process.env);
  return makeClient(server, token);
}

/** A verification by its id, or the newest of an image. Throws {@link UsageError} where there is none. */
export async function findVerification(client: Client, text: string): Promise<VerificationView> {
  const byId = /^[A-Za-z0-9_-]{1,64}$/.test(text) ? await client.verification(text) : undefined;
  const found = byId ?? (await client.latest(nameOf(text)));
  if (found === undefined) throw new UsageError(`nobody has asked about ${text}`);
  return found;
}

function nameOf(text: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text;
  try {
    return formatReference(parseReference(text));
  } catch (thrown) {
    if (thrown instanceof ReferenceSyntaxError) throw new UsageError(thrown.message, { cause: thrown });
    throw thrown;
  }
}

export function say(text: string): void {
  process.stderr.write(`conforme: ${printableLine(text)}\n`);
}

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** What a terminal would obey or a reader not see is escaped as JSON does it. White space of JSON's own stays. */
export function escapeJson(text: string): string {
  return text.replace(UNSEEN, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_unit, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}

export function printJson(value: unknown): void {
  process.stdout.write(`${escapeJson(JSON.stringify(value))}\n`);
}
