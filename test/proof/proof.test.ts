/**
 * Every row of the table, published by real BuildKit and real buildah, judged when its packages have moved on; and a tampered twin.
 * The usual run takes the rows marked `always`; scripts/prove takes all of them, or those that are named, and prints what came of each.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Statement } from '../../src/model/statement.ts';
import type { Difference, Verdict } from '../../src/model/verdict.ts';
import { judged } from '../e2e/world.ts';
import { TABLE, type ProofRow } from './table.ts';
import { publishTwin } from './tampering.ts';
import { makeProofWorld, type ProofWorld, type Way, waysOf } from './world.ts';

const wanted = process.env['PROOF_ROWS']?.split(',') ?? [];
const rows = TABLE.map((row, index) => ({ row, index })).filter(({ row }) =>
  wanted.length === 0 ? row.always === true : wanted.includes('all') || wanted.includes(row.name),
);

describe('what people publish', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-proof-'));
  let world: ProofWorld;
  before(async () => (world = await makeProofWorld(folder)));
  after(async () => {
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  type Judged = { verdict: Verdict; statement: Statement['predicate']; differences: Difference[]; seconds: number };
  const judge = async (image: string, source: { git: string; ref: string }, { dockerfile }: Way): Promise<Judged> => {
    const begun = performance.now();
    const view = await judged(world.service, { image, source, dockerfile });
    assert.ok(view.verdict !== undefined, JSON.stringify(view.problem));
    const { predicate } = (await (await fetch(view.links.verdict ?? '')).json()) as Statement;
    const { items } = (await (await fetch(`${view.links.differences}?limit=1000`)).json()) as { items: Difference[] };
    return { verdict: view.verdict, statement: predicate, differences: items, seconds: (performance.now() - begun) / 1000 };
  };
  const report = (row: ProofRow, what: string, result: string, seconds: number, detail = ''): void => {
    const line = `${row.name.padEnd(24)} ${what.padEnd(16)} ${result.padEnd(18)} ${seconds.toFixed(0).padStart(4)} s  ${detail}`;
    if (wanted.length > 0) process.stdout.write(`${line.trimEnd()}\n`);
  };

  for (const { row, index } of rows) {
    const ways = waysOf(row, index);
    it(`${row.name}, by ${ways.map(({ tag }) => tag).join(' and ')}, and its twin`, async () => {
      const faults: string[] = [];
      for (const [nth, way] of ways.entries()) {
        const begun = performance.now();
        const { reference, source } = await world.publish(row, way);
        report(row, way.tag, 'published', (performance.now() - begun) / 1000);
        const honest = await judge(reference, source, way);
        const { result } = honest.verdict;
        const told = honest.differences.filter(({ cause }) => cause !== 'normalised').map(({ path, cause }) => `${path} (${cause})`);
        report(row, way.tag, result, honest.seconds, told.slice(0, 12).join(', '));
        const isDated = way.dockerfile === 'epoch.Dockerfile' && row.varies === undefined;
        const fine = isDated ? ['identical'] : ['identical', 'layers-identical', 'equivalent', 'explained'];
        if (!fine.includes(result)) faults.push(`${way.tag}: ${result}, ${honest.verdict.summary} ${told.slice(0, 20).join(', ')}`);
        assert.equal(honest.statement.buildPlan?.builder, way.builder);
        // One twin for each row, of either builder's in turns.
        if (nth !== (index >> 1) % ways.length) continue;
        const path = await publishTwin(world.registry, `proof/${row.name}`, way.tag, 'twin', row.tampering);
        const twin = await judge(reference.replace(/:[^:]*$/, ':twin'), source, way);
        report(row, 'twin', twin.verdict.result, twin.seconds, path);
        if (twin.verdict.result !== 'suspicious') faults.push(`twin with ${path}: ${twin.verdict.result}`);
        if (!twin.verdict.findings.some(({ paths }) => paths.includes(path))) faults.push(`twin: no finding names ${path}`);
      }
      assert.deepEqual(faults, []);
    });
  }
});
