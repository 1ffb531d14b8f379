/** `conforme`, the command line: a client of the HTTP interface. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Digest } from '../src/model/digest.ts';
import type { VerificationRequest } from '../src/model/request.ts';
import { Problem } from '../src/problem.ts';
import { type Client, makeClient, ServiceError } from './client.ts';
import { packContext } from './context-tar.ts';
import { showProgress } from './progress-line.ts';
import { exitCodeOf, painted, plain, reportOf } from './report.ts';
import { serviceOf } from './service-address.ts';
import { bytesText, printableLine } from './text.ts';

const HELP = `conforme verify IMAGE [options]

Asks a conforme service for a verdict on a published image, waits for it and prints it.

  --context DIR       the folder that the image was built from; all of it but .git is sent to the service
  --git URL           or the repository that it was built from
    --ref REF           branch, tag or commit
    --subdir PATH       folder of the repository that is the build context
  --dockerfile PATH   within the build context; Dockerfile by default
  --target STAGE      stage that is published
  --build-arg K=V     build argument, as often as needed
  --as-of TIME        state of Debian's archives to build with, 2025-06-01T12:00:00Z; by default that of the image
  --platform OS/ARCH  which image of an index
  --webhook URL       is told of the verdict as well
  --server URL        the service; else CONFORME_SERVER, else http://127.0.0.1:8080
  --token TOKEN       its API token; better in CONFORME_TOKEN, because others see the options of a process. For a service
                      on this machine, the token in its data folder is found by itself
  --json              the verification as JSON, with the verdict
  --no-wait           ends once the request is accepted

Exit code: 0 the contents can be audited, 1 they cannot or not all of them, 2 it could not tell, 3 an error.
`;

const OPTIONS = {
  context: { type: 'string' },
  git: { type: 'string' },
  ref: { type: 'string' },
  subdir: { type: 'string' },
  dockerfile: { type: 'string' },
  target: { type: 'string' },
  'build-arg': { type: 'string', multiple: true },
  'as-of': { type: 'string' },
  platform: { type: 'string' },
  webhook: { type: 'string' },
  server: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
  'no-wait': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

class UsageError extends Error {}

type Values = ReturnType<typeof parse>['values'];
const parse = (args: string[]) => parseArgs({ args, options: OPTIONS, allowPositionals: true });

/** Throws {@link UsageError}. */
function requestOf(
  image: string,
  values: Values,
): Omit<VerificationRequest, 'source'> & { source?: { git: string; ref?: string; subdir?: string } } {
  const { git, ref, subdir, context, dockerfile, target, platform, webhook } = values;
  if (git !== undefined && context !== undefined) throw new UsageError('--context and --git exclude each other');
  if (git === undefined && (ref !== undefined || subdir !== undefined)) throw new UsageError('--ref and --subdir belong to --git');
  const pairs = (values['build-arg'] ?? []).map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--build-arg ${text} is not NAME=VALUE`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return {
    image,
    ...(platform === undefined ? {} : { platform }),
    ...(git === undefined ? {} : { source: { git, ...(ref === undefined ? {} : { ref }), ...(subdir === undefined ? {} : { subdir }) } }),
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(target === undefined ? {} : { target }),
    ...(pairs.length === 0 ? {} : { buildArgs: Object.fromEntries(pairs) }),
    ...(values['as-of'] === undefined ? {} : { asOf: values['as-of'] }),
    ...(webhook === undefined ? {} : { webhook: { url: webhook } }),
  };
}

async function sendContext(client: Client, folder: string): Promise<{ context: Digest }> {
  const place = await mkdtemp(join(tmpdir(), 'conforme-'));
  try {
    const packed = await packContext(folder, join(place, 'context.tar.gz'));
    process.stderr.write(`conforme: sending ${bytesText(packed.size)} of build context\n`);
    return { context: await client.putContext(packed) };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function verify(image: string, values: Values): Promise<number> {
  const { server, token } = serviceOf(values, process.env);
  const request = requestOf(image, values);
  const client = makeClient(server, token);
  const source = values.context === undefined ? undefined : await sendContext(client, values.context);
  const accepted = await client.verify(source === undefined ? request : { ...request, source });
  if (values['no-wait'] === true) {
    process.stdout.write(values.json === true ? `${JSON.stringify(accepted)}\n` : `${accepted.id}\n${accepted.links.page}\n`);
    return 0;
  }
  process.stderr.write(`conforme: ${accepted.links.page}\n`);
  const progress = showProgress(process.stderr);
  const verification = await client.wait(accepted.id, progress).finally(() => progress.end());
  const colors = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  process.stdout.write(values.json === true ? `${JSON.stringify(verification)}\n` : reportOf(verification, colors ? painted : plain));
  const { problem } = verification;
  if (problem !== undefined) fail(`${problem.code}: ${problem.detail ?? problem.title}`);
  return exitCodeOf(verification);
}

function fail(message: string): void {
  process.stderr.write(`conforme: ${printableLine(message)}\n`);
}

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parse(args);
    const [command, image, ...rest] = positionals;
    if (values.help === true) {
      process.stdout.write(HELP);
      return 0;
    }
    if (command !== 'verify' || image === undefined || rest.length > 0) throw new UsageError('the command is: conforme verify IMAGE');
    return await verify(image, values);
  } catch (thrown) {
    if (thrown instanceof ServiceError) {
      fail(thrown.problem === undefined ? thrown.message : `${thrown.problem.code}: ${thrown.message}`);
    } else if (thrown instanceof Problem) {
      fail(`${thrown.code}: ${thrown.message}`);
    } else if (
      thrown instanceof UsageError ||
      thrown instanceof TypeError ||
      (thrown as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
    ) {
      fail((thrown as Error).message);
      process.stderr.write('conforme verify --help tells the options\n');
    } else {
      fail(String(thrown));
    }
    return 3;
  }
}

process.exitCode = await main(process.argv.slice(2));
