/** `conforme verify -f`: every image of Compose files and Kubernetes manifests, one table, one exit code. */
import { appendFile, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { applyThreshold, type Threshold } from '../../src/steps/apply-threshold.ts';
import { countFindings } from '../../src/steps/count-findings.ts';
import {
  imagesOfManifests,
  ManifestError,
  type ManifestFile,
  type ManifestImage,
  type Manifests,
} from '../../src/steps/images-of-manifests.ts';
import { type StackRow, writeStackSummary } from '../../src/steps/write-stack-summary.ts';
import { type Client, ServiceError } from '../client.ts';
import { type Paint, paintFor } from '../paint.ts';
import { colorOf } from '../report.ts';
import type { VerificationView } from '../schemas.ts';
import { serviceOf } from '../service-address.ts';
import { printableLine } from '../text.ts';
import { EXIT, type ExitCode, UsageError } from './command.ts';
import { exitCodeOf, printJson, say } from './shared.ts';

/** A service builds one image after the other: more would only wait there. */
const ASKED_AT_ONCE = 4;
const FILE_BYTES_MAX = 2 * 1024 * 1024;
const ENV_BYTES_MAX = 64 * 1024;

type Asked = ManifestImage & { verification?: VerificationView; problem?: { code: string; detail: string } };
type Given = { server?: string; platform?: string; summary?: string; sarif?: string; json?: boolean; 'allow-unknown'?: boolean };

export async function verifyStack(client: Client, paths: readonly string[], threshold: Threshold, values: Given): Promise<ExitCode> {
  const manifests = await manifestsOf(paths);
  for (const { usedBy, why } of manifests.untold) say(`${usedBy}: ${why}`);
  let ended = 0;
  const asked = await inTurn(manifests.images, async (one): Promise<Asked> => {
    const result = await ask(client, one, values.platform);
    const { verification, problem } = result;
    const became = problem?.code ?? verification?.problem?.code ?? `auditable ${verification?.verdict?.auditable}`;
    say(`${(ended += 1)} of ${manifests.images.length}: ${one.image}: ${became}`);
    return result;
  });

  const rows = asked.map((one) => rowOf(one, threshold));
  if (values.json === true) printJson({ images: asked, untold: manifests.untold });
  else process.stdout.write(tableOf(rows, paintFor(process.stdout, process.env)));
  for (const { image, problem, verification } of asked) {
    const failed = problem ?? verification?.problem;
    if (failed !== undefined) say(`${image}: ${failed.code}: ${failed.detail ?? ''}`);
  }
  say(`badge: ${badgeOf(asked, serviceOf(values, process.env).server)}`);
  if (values.summary !== undefined) await appendFile(values.summary, writeStackSummary(rows, manifests.untold, threshold));
  if (values.sarif !== undefined) await writeFile(values.sarif, await sarifOf(client, asked));
  return worstOf(asked, manifests, threshold, values['allow-unknown']);
}

/** Variables as Compose finds them: the environment, then `.env` beside the first file. */
async function manifestsOf(paths: readonly string[]): Promise<Manifests> {
  const files: ManifestFile[] = [];
  for (const path of paths) files.push({ name: path, text: await readText(path, FILE_BYTES_MAX) });
  const beside = join(dirname(paths[0] ?? '.'), '.env');
  const defaults = await readText(beside, ENV_BYTES_MAX).then(parseEnv, (thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return {};
    throw thrown;
  });
  try {
    return imagesOfManifests(files, { ...defaults, ...process.env });
  } catch (thrown) {
    if (thrown instanceof ManifestError) throw new UsageError(thrown.message, { cause: thrown });
    throw thrown;
  }
}

async function readText(path: string, most: number): Promise<string> {
  const file = await open(path);
  try {
    if ((await file.stat()).size > most) throw new UsageError(`${path} is larger than ${most} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function ask(client: Client, one: ManifestImage, fallback: string | undefined): Promise<Asked> {
  const platform = one.platform ?? fallback;
  try {
    const { id } = await client.verify({ image: one.image, ...(platform === undefined ? {} : { platform }) });
    return { ...one, verification: await client.wait(id, { step: () => undefined, log: () => undefined }) };
  } catch (thrown) {
    // One image that cannot be had says nothing of the others; a service that is not there, or wants another token, ends it all.
    if (!(thrown instanceof ServiceError) || thrown.problem === undefined || thrown.problem.status === 401) throw thrown;
    return { ...one, problem: { code: thrown.problem.code, detail: thrown.message } };
  }
}

/** The results in the order of the items, a few at a time. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
  return results;
}

function rowOf({ image, usedBy, verification, problem }: Asked, threshold: Threshold): StackRow {
  const { verdict } = verification ?? {};
  const failed = problem ?? verification?.problem;
  return {
    image,
    usedBy,
    outcome: verdict === undefined ? 'error' : applyThreshold(threshold, verdict),
    ...(verdict === undefined ? {} : { auditable: verdict.auditable, result: verdict.result, findings: countFindings(verdict.findings) }),
    ...(failed === undefined ? {} : { problem: failed.code }),
    ...(verification === undefined ? {} : { page: verification.links.page }),
  };
}

/** One badge for the stack, by the references as they are normalised. */
function badgeOf(asked: readonly Asked[], server: string): string {
  const query = asked.map(({ image, verification }) => `image=${encodeURIComponent(verification?.image.reference ?? image)}`);
  return `${server.replace(/\/+$/, '')}/badge.svg?${query.join('&')}`;
}

const HEADS = ['IMAGE', 'AUDITABLE', 'RESULT', 'FINDINGS', 'USED BY'];

function tableOf(rows: readonly StackRow[], paint: Paint): string {
  const cells = rows.map(({ image, auditable, result, findings, problem, usedBy }) =>
    [image, auditable ?? 'no verdict', result ?? problem ?? '', findings ?? '', usedBy.join(', ')].map(printableLine),
  );
  const widths = HEADS.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const padded = (row: readonly string[]): string[] => row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  const lines = cells.map((row, index) =>
    padded(row)
      .map((cell, column) => (column === 1 ? paint(colorOf(rows[index]?.auditable ?? 'unknown'), cell) : cell))
      .join('  ')
      .trimEnd(),
  );
  return `${[paint('dim', padded(HEADS).join('  ').trimEnd()), ...lines].join('\n')}\n`;
}

/** One log with a run for each image: each has a category of its own. */
async function sarifOf(client: Client, asked: readonly Asked[]): Promise<string> {
  const logs: { runs: unknown[] }[] = [];
  for (const { verification } of asked)
    if (verification?.verdictDigest !== undefined)
      logs.push(JSON.parse((await client.document(verification.verdictDigest, 'sarif')).toString('utf8')) as { runs: unknown[] });
  const runs = logs.flatMap((log) => log.runs);
  return `${JSON.stringify({ ...(logs[0] ?? { version: '2.1.0' }), runs }, null, 2)}\n`;
}

/** What fails counts before what could not be asked about, and that before what does not tell. */
function worstOf(asked: readonly Asked[], { untold }: Manifests, threshold: Threshold, allowUnknown = false): ExitCode {
  const codes: ExitCode[] = asked.map(({ verification }) => exitCodeOf(verification ?? {}, threshold, allowUnknown));
  if (untold.length > 0 && !allowUnknown && !threshold.includes('never')) codes.push(EXIT.unknown);
  return [EXIT.fail, EXIT.error, EXIT.unknown].find((code) => codes.includes(code)) ?? EXIT.pass;
}
