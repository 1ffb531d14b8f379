/** The demonstration: five images are published on loopback, judged by the real service, and the answers shown. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VerificationView } from '../../api/schemas.ts';
import type { Config } from '../../src/config.ts';
import { DEMO_NAMES, makeDemoWorld, type DemoName, type DemoWorld } from './images.ts';
import { unexpectedIn } from './expected.ts';
import { makeReporter, type Reporter } from './reporter.ts';
import { startService, type Service } from './service.ts';

const MAIN = join(import.meta.dirname, '../../api/main.ts');
const NOTES: Record<DemoName, string> = {
  honest: 'published as built',
  backdoored: 'some bytes of /usr/sbin/nginx changed, and the checksums in the image corrected to match',
  stuffed: 'a setuid program, a preloaded library and a deleted secret added',
  'without-source': 'the honest image, and nobody says what it was built from',
  drifted: 'built from another commit than the one named',
};

/** Returns the exit code: 0 where every verdict is the expected one. */
export async function runDemo(config: Config, { once }: { once: boolean }): Promise<number> {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stopping.abort());
  const { signal } = stopping;
  const reporter = makeReporter();
  const dataDir = `${config.dataDir}-demo`;
  const scratch = await mkdtemp(join(tmpdir(), 'conforme-demo-'));
  let world: DemoWorld | undefined;
  let service: Service | undefined;
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    reporter.say('Publishing five images from one Dockerfile (a minimal Debian, nginx, Python, a page and a script).');
    world = await makeDemoWorld({ cache: join(dataDir, 'demo'), scratch, onLine: reporter.now, signal });
    reporter.say('Starting conforme.');
    reporter.now('starting the service');
    service = await startService({
      command: [process.execPath, MAIN],
      url: `http://127.0.0.1:${config.port}`,
      logFile: join(dataDir, 'service.log'),
      signal,
      env: {
        CONFORME_HOST: '127.0.0.1',
        CONFORME_PORT: String(config.port),
        CONFORME_DATA_DIR: dataDir,
        CONFORME_OPEN: '1',
        CONFORME_ALLOW_ADDRESSES: '127.0.0.0/8',
        CONFORME_REGISTRIES_INSECURE: world.registry,
      },
    });
    reporter.say(`conforme listens on ${service.url}; its log is ${join(dataDir, 'service.log')}\n`);
    const asExpected = await judgeAll(world, service, reporter, signal);
    reporter.say(asExpected ? 'Every verdict is the expected one.' : 'Not every verdict is the expected one.');
    if (once) return asExpected ? 0 : 1;
    reporter.say(`The service goes on at ${service.url} until Ctrl-C.`);
    await sleep(2 ** 31 - 1, undefined, { signal }).catch(() => undefined);
    return asExpected ? 0 : 1;
  } catch (thrown) {
    if (signal.aborted) return 130;
    throw thrown;
  } finally {
    reporter.now('stopping');
    await service?.stop();
    await world?.stop();
    await rm(scratch, { recursive: true, force: true });
    reporter.close();
  }
}

async function judgeAll(world: DemoWorld, service: Service, reporter: Reporter, signal: AbortSignal): Promise<boolean> {
  const waiting = new Map<DemoName, { id: string; page: string; state: string }>();
  for (const name of DEMO_NAMES) {
    const image = world.reference(name);
    const { id, links } = await service.post(name === 'without-source' ? { image } : { image, source: { git: world.git, ref: 'v1' } });
    waiting.set(name, { id, page: links.page, state: 'queued' });
  }
  let asExpected = true;
  while (waiting.size > 0) {
    for (const [name, known] of waiting) {
      const view = await service.get(known.id);
      known.state = view.status === 'running' ? view.step : view.status;
      if (view.status !== 'done' && view.status !== 'failed') continue;
      waiting.delete(name);
      asExpected = show(name, view, known.page, reporter) && asExpected;
    }
    reporter.now([...waiting].map(([name, { state }]) => `${name}: ${state}`).join(', '));
    if (waiting.size > 0) await sleep(500, undefined, { signal });
  }
  return asExpected;
}

function show(name: DemoName, view: VerificationView, page: string, { say }: Reporter): boolean {
  const { verdict } = view;
  say(`${name}: ${NOTES[name]}`);
  if (verdict !== undefined) {
    const files = Object.values(verdict.coverage.files).reduce((sum, count) => sum + count, 0);
    say(`    result     ${verdict.result}${verdict.reason === undefined ? '' : ` (${verdict.reason})`}`);
    say(`    auditable  ${verdict.auditable}; ${files} files, ${(verdict.coverage.accounted * 100).toFixed(2)} % accounted for`);
    for (const { severity, code, paths, evidence } of verdict.findings) {
      if (severity === 'info' || severity === 'low') continue;
      say(`    ${severity.padEnd(10)} ${code}: ${paths.slice(0, 2).join(', ')}${paths.length > 2 ? ` and ${paths.length - 2} more` : ''}`);
      if (severity === 'critical') for (const [fact, value] of Object.entries(evidence)) say(`               ${fact}: ${value}`);
    }
  }
  say(`    page       ${page}`);
  const wrong = unexpectedIn(name, view);
  for (const each of wrong) say(`    NOT AS EXPECTED: ${each}`);
  say('');
  return wrong.length === 0;
}
