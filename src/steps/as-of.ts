import type { InstallationDate } from '../model/debian.ts';
import type { Contents, Inventory } from '../model/inventory.ts';
import type { AsOf } from '../model/rebuild.ts';
import { timesInFile } from './installation-dates.ts';

const PACKAGE_DATABASE = /^\/var\/lib\/dpkg\/status(?:\.d\/[^/]+)?$/;

/**
 * When a published image took its packages from the archives: the latest time that apt and dpkg left in the highest layer that changed the
 * database of packages, else the time of that layer's step, else that of the image. Logs of a layer below tell when the base was made. All of it
 * is the publisher's word: a lie makes a rebuild with other packages, whose differences are told.
 */
export function asOf(inventory: Inventory, contents: Contents): AsOf | undefined {
  const files = [...inventory.entries, ...inventory.hidden].filter(({ kind }) => kind === 'file');
  const changed = files.filter(({ path }) => PACKAGE_DATABASE.test(path)).map(({ layer }) => layer);
  const highest = changed.length === 0 ? undefined : Math.max(...changed);
  const told: Told[] = files.flatMap(({ path, layer, digest }) => {
    const bytes = layer === highest && digest !== undefined ? contents.get(digest) : undefined;
    return bytes === undefined ? [] : timesInFile(path, bytes).flatMap(({ from, times }) => times.map((time) => ({ time, from })));
  });
  const known = told.filter(({ time }) => !Number.isNaN(time)).sort((a, b) => b.time - a.time)[0];
  if (known !== undefined) return stated(known);
  for (const created of [highest === undefined ? undefined : stepTime(inventory, highest), inventory.config.created]) {
    const time = Date.parse(created ?? '');
    if (!Number.isNaN(time)) return stated({ time, from: 'image-created' });
  }
  return undefined;
}

type Told = { time: number; from: InstallationDate['from'] };

function stated({ time, from }: Told): AsOf | undefined {
  // Year 0 to 9999, which is what the form of the time can say.
  if (!(time >= 0 && time < Date.UTC(10_000, 0))) return undefined;
  return { time: new Date(time).toISOString().replace(/\.\d+/, ''), from };
}

/** The history's time of a layer, where history and layers match in number. */
function stepTime({ config, layers }: Inventory, layer: number): string | undefined {
  const steps = (config.history ?? []).filter((step) => step.empty_layer !== true);
  return steps.length === layers.length ? steps[layer]?.created : undefined;
}
