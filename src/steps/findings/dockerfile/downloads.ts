import { type Check, checksOf, covers } from './checks.ts';
import { addedUrls, type Download, downloadsOf } from './fetched.ts';
import { type DockerfileScene, type Fault, shownUrl, type Unchecked } from './fault.ts';
import { isKeyring, keyDownloads } from './repository-keys.ts';
import { isPiped } from './shells.ts';
import type { Step } from '../../dockerfile-steps.ts';

/** Files that a step fetches and that no checksum or signature is held against, in the same step or, by name, in a later one. */
export function* uncheckedDownloads({ steps, unchecked }: DockerfileScene): Generator<Fault> {
  for (const [index, step] of steps.entries()) {
    const { downloads, adds } = unchecked[index] ?? { downloads: [], adds: [] };
    for (const { url, output } of adds)
      if (!isKeyring(output)) yield fault(step.instruction.line, url, 'nothing says which bytes are meant');
    const isKey = keyDownloads(step.commands);
    for (const download of downloads) {
      if (isPiped(download) || isKey(download)) continue;
      const [reader] = download.to;
      const how =
        download.outputs.length === 0 && reader?.name !== undefined ? `it goes to ${reader.name} unchecked` : 'nothing checks what comes';
      for (const url of download.urls) yield fault(step.lineOf(download.command), url, how);
    }
  }
}

/** For each step, what of it nothing checks. */
export function uncheckedOf(steps: readonly Step[]): Unchecked[] {
  const downloads = steps.map(({ commands }) => downloadsOf(commands));
  const checks = steps.map(({ commands }, index) => (commands.length === 0 ? [] : checksOf(commands, downloads[index] ?? [])));
  const checking = [...checks.entries()].filter(([, all]) => all.length > 0);
  return steps.map((step, index) => {
    const own = checks[index] ?? [];
    const later = (outputs: readonly string[]): boolean =>
      checking.some(
        ([other, all]) => other > index && steps[other]?.stage === step.stage && all.some((check) => covers(check, outputs, true)),
      );
    return {
      downloads: (downloads[index] ?? []).filter((download) => !isChecked(download, own, step) && !later(download.outputs)),
      adds: addedUrls(step).filter(({ pinned, output }) => !pinned && !later([output])),
    };
  });
}

/** Only what comes behind a download can check it. */
function isChecked({ command, outputs }: Download, checks: readonly Check[], { commands }: Step): boolean {
  if (checks.length === 0) return false;
  const place = commands.indexOf(command);
  return checks.some((check) => commands.indexOf(check.command) > place && covers(check, outputs, false));
}

function fault(line: number, address: string, how: string): Fault {
  const url = shownUrl(address);
  return { code: 'download-unchecked', line, message: `${url} is downloaded, and ${how}`, evidence: { url } };
}
