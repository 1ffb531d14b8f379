import type { DifferingPackage } from '../../model/explanation.ts';
import { byText } from '../../model/path.ts';
import type { ImageSide } from '../case.ts';
import { installedPackages } from '../installed-packages.ts';

/** Packages that two databases of dpkg do not name in the same version, in the order of their names. The images' own words. */
export function differingPackages(published: ImageSide, rebuilt: ImageSide): DifferingPackage[] {
  const key = ({ name, architecture }: { name: string; architecture: string }): string => `${name}:${architecture}`;
  const ours = new Map(installed(rebuilt).map((one) => [key(one), one]));
  const differing: DifferingPackage[] = [];
  for (const one of installed(published)) {
    const { name, architecture, version } = one;
    const before = ours.get(key(one))?.version;
    ours.delete(key(one));
    if (before !== version)
      differing.push({ name, architecture, published: version, ...(before === undefined ? {} : { rebuilt: before }) });
  }
  for (const { name, architecture, version } of ours.values()) differing.push({ name, architecture, rebuilt: version });
  return differing.sort((a, b) => byText(key(a), key(b)));
}

function installed({ inventory, contents }: ImageSide) {
  return installedPackages(inventory, contents).packages;
}
