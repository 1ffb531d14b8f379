import { takeInventory, rebuild, reinstall, type RebuildPorts, type ReinstallPorts } from '../src/pipeline.ts';
import type { Consume, Reinstaller } from '../src/ports.ts';
import type { Builder } from '../src/ports-build.ts';
import { Problem } from '../src/problem.ts';
import type { Running } from './running.ts';
import { resultOf, verificationOf } from './task.ts';

/** How often a repository that the image itself names may not answer, before the verdict says so. A request's own is waited for longer. */
const SOURCE_TRIES = 4;

/**
 * Everything that reads an image's bytes or runs what came from one: the inventory, the rebuild and the installation anew. It has
 * neither the key nor the database.
 */
export function runRebuild(ports: RebuildPorts & ReinstallPorts, consume: Consume, rebuilds: number): Running[] {
  return [
    consume('inventory', async (task) => ({ published: await takeInventory(ports, verificationOf(task)) })),
    consume(
      'rebuild',
      async (task, signal) => {
        const stoppablePorts = { ...ports, builder: stoppable(ports.builder, signal), signal };
        return { rebuild: await rebuild(stoppablePorts, verificationOf(task), task.attempt >= SOURCE_TRIES) };
      },
      { concurrency: rebuilds },
    ),
    consume('reinstall', async (task, signal) => {
      const stoppablePorts = { ...ports, reinstall: stoppableReinstaller(ports.reinstall, signal) };
      const installed = await reinstall(stoppablePorts, verificationOf(task), resultOf(task, 'evidence'));
      return installed === undefined ? task.results : { ...task.results, reinstall: installed };
    }),
  ];
}

/** A build that was stopped says nothing: whatever it handed over must not be stored as its outcome. */
function stoppable(builder: Builder, signal: AbortSignal): Builder {
  return {
    ...builder,
    async build(order) {
      const built = await builder.build({ ...order, signal });
      if (!signal.aborted) return built;
      await built.done();
      throw stopped();
    },
  };
}

function stoppableReinstaller(reinstaller: Reinstaller, signal: AbortSignal): Reinstaller {
  return async (order) => {
    const installed = await reinstaller({ ...order, signal });
    if (!signal.aborted) return installed;
    await installed.done();
    throw stopped();
  };
}

function stopped(): Problem {
  return new Problem('internal', 'the process was asked to stop');
}
