/**
 * A verdict can be recomputed: the stored inventories and evidence are judged again by the rules of this version, and the
 * statement has to come out byte for byte. Exit code 0 where it does, 1 where it does not, 3 on an error.
 */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBlobs } from '../src/adapters/blobs/open.ts';
import { parseConfig } from '../src/config.ts';
import { putLines } from '../src/flow/documents.ts';
import { loadInputs } from '../src/flow/inputs.ts';
import { digestOf, isDigest, type Digest } from '../src/model/digest.ts';
import { canonicalJson } from '../src/model/json.ts';
import { RULES_VERSION } from '../src/model/policy.ts';
import type { Statement } from '../src/model/statement.ts';
import type { Blobs } from '../src/ports.ts';
import { Problem } from '../src/problem.ts';
import { judge } from '../src/steps/judge.ts';

const STATEMENT_BYTES_MAX = 64 * 1024 * 1024;

/** Nothing is stored: what would be is only hashed. */
function hashing(blobs: Blobs): Blobs {
  return {
    ...blobs,
    async put(bytes) {
      const parts: Uint8Array[] = [];
      for await (const part of bytes) parts.push(part);
      const all = Buffer.concat(parts);
      return { digest: digestOf(all), size: all.length };
    },
  };
}

async function recompute(blobs: Blobs, digest: Digest): Promise<{ stored: Buffer; again: Buffer; rules: string }> {
  const stored = await blobs.read(digest, STATEMENT_BYTES_MAX);
  const { image, byproducts, verdict } = (JSON.parse(stored.toString('utf8')) as Statement).predicate;
  const { published, rebuild, evidence, reinstall, base } = byproducts;
  if (rebuild === undefined) throw new Problem('blob-missing', 'the statement names no document of the rebuild');
  const inputs = {
    published,
    rebuild,
    evidence,
    ...(reinstall === undefined ? {} : { reinstall }),
    ...(base === undefined ? {} : { base }),
  };
  const { account, differences, state } = judge(await loadInputs(blobs, { image, request: { image: image.reference } }, inputs));
  const lines = { account: await putLines(hashing(blobs), account), differences: await putLines(hashing(blobs), differences) };
  return { stored, again: Buffer.from(canonicalJson(state({ ...inputs, ...lines }))), rules: verdict.freshness.rules };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'data-dir': { type: 'string' } } });
  const [digest] = positionals;
  if (digest === undefined || positionals.length > 1 || !isDigest(digest))
    throw new Problem('invalid-request', 'usage: scripts/recompute sha256:… [--data-dir FOLDER]');
  const folder = values['data-dir'];
  const config = parseConfig(folder === undefined ? process.env : { ...process.env, CONFORME_DATA_DIR: folder });
  const blobs = openBlobs(config.blobsUrl ?? pathToFileURL(join(config.dataDir, 'blobs')).href);
  const { stored, again, rules } = await recompute(blobs, digest);
  if (again.equals(stored)) {
    process.stdout.write(`${digest}: judged again, the same ${stored.length} bytes\n`);
    return 0;
  }
  const at = stored.findIndex((byte, index) => byte !== again[index]);
  const around = (bytes: Buffer): string => JSON.stringify(bytes.toString('utf8', Math.max(0, at - 60), at + 60));
  const why = rules === RULES_VERSION ? '' : ` (judged by rules ${rules}, these are ${RULES_VERSION})`;
  process.stdout.write(`${digest}: judged again, other bytes from ${at} on${why}\n  stored ${around(stored)}\n  again  ${around(again)}\n`);
  return 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 3;
}
