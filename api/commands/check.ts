import { open } from 'node:fs/promises';
import { digestOf } from '../../src/model/digest.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { paintFor } from '../paint.ts';
import { reportOf } from '../report.ts';
import { defineCommand, UsageError } from './command.ts';
import { EXIT_CODES, exitCodeOf, JSON_OPTION, printJson, THRESHOLD, thresholdOf } from './shared.ts';

const STATEMENT_BYTES_MAX = 64 * 1024 * 1024;
const SMALL_BYTES_MAX = 1024 * 1024; // a signature or a few keys

export const check = defineCommand({
  name: 'check',
  summary: 'Checks the signature of a verdict and says what it states, without any network',
  operands: ['STATEMENT SIGNATURE --key FILE [options]'],
  options: {
    key: {
      type: 'string',
      value: 'FILE',
      files: true,
      means: 'the OpenPGP public key that has to have signed, armored; see conforme keys',
    },
    subject: { type: 'string', value: 'DIGEST', means: 'what the statement has to be about: the digest of an image or its manifest' },
    ...THRESHOLD,
    ...JSON_OPTION,
  },
  about: `${EXIT_CODES} A signature that does not hold is an error.
A statement is about the digests in it and no others: name yours with --subject.`,
  async run(values, [statementFile, signatureFile, ...rest]) {
    if (statementFile === undefined || signatureFile === undefined || rest.length > 0)
      throw new UsageError('the command is: conforme check STATEMENT SIGNATURE --key FILE');
    if (values.key === undefined) throw new UsageError('--key FILE: whose signature it has to be');
    const threshold = thresholdOf(values['fail-on']);
    const bytes = await readBounded(statementFile, STATEMENT_BYTES_MAX);
    const signature = (await readBounded(signatureFile, SMALL_BYTES_MAX)).toString('utf8');
    const armored = (await readBounded(values.key, SMALL_BYTES_MAX)).toString('utf8');
    // Loaded here: the other commands start in half the time without.
    const { checkStatement } = await import('../check-statement.ts');
    const { signed, fingerprint, signedAt } = await checkStatement(bytes, signature, armored);
    const { image, verdict } = signed.predicate;
    const digests = [image.digest, image.manifestDigest, ...signed.subject.map(({ digest }) => `sha256:${digest.sha256}`)];
    if (values.subject !== undefined && !digests.includes(values.subject))
      throw new Error(`the statement is not about ${values.subject} but about ${[...new Set(digests)].join(', ')}`);
    // Counts of attributions that the statement's version did not know yet are left out, and shown as none.
    const told = verdict as unknown as Verdict;
    if (values.json === true) printJson({ statement: digestOf(bytes), fingerprint, signedAt, subject: signed.subject, image, verdict });
    else
      process.stdout.write(
        reportOf({ image, verdict: told }, paintFor(process.stdout, process.env), [
          ['signed', `by ${fingerprint}, ${signedAt}`],
          ['statement', digestOf(bytes)],
        ]),
      );
    return exitCodeOf({ verdict: told }, threshold, values['allow-unknown']);
  },
});

async function readBounded(path: string, most: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > most) throw new Error(`${path} is larger than ${most} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
