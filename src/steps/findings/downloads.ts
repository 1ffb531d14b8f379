import type { Digest } from '../../model/digest.ts';
import type { Download } from '../../model/download.ts';
import { textFromBytes } from '../../model/path.ts';
import type { DockerfileStep } from '../../model/rebuild.ts';
import type { AccountLine } from '../../model/verdict.ts';
import { downloadedFiles } from '../attribute-download.ts';
import { count, found, type Found, type Scene } from './finding.ts';

/** Files of the image that the build fetched, or out of archives that it fetched, and whose digest nothing in the source pins. */
export function* unverifiedDownloads(scene: Scene): Generator<Found> {
  const { unpinned } = downloadedFiles(scene.file);
  if (unpinned.size === 0) return;
  const byDownload = new Map<Download, AccountLine[]>();
  for (const line of scene.account.values()) {
    const one = line.digest === undefined || line.size === 0 ? undefined : unpinned.get(line.digest as Digest);
    if (one === undefined || (line.attribution !== 'rebuilt' && line.attribution !== 'unexplained')) continue;
    byDownload.set(one.download, [...(byDownload.get(one.download) ?? []), line]);
  }
  const steps = scene.file.rebuild.dockerfile?.steps ?? [];
  for (const [download, lines] of byDownload) {
    const url = textFromBytes(Buffer.from(download.url));
    const [first] = lines;
    if (first === undefined) continue;
    const itself = lines.every(({ digest }) => digest === download.digest);
    const what = lines.length === 1 ? first.path : count(lines.length, 'file');
    const verb = lines.length === 1 ? (itself ? 'was fetched' : 'came') : itself ? 'were fetched' : 'came';
    const line = lineOf(steps, download.url);
    yield found(scene, 'unverified-download', `${what} ${verb} from ${url}, and no digest in the source pins it`, {
      severity: lines.some(({ code }) => code) ? 'high' : 'medium',
      paths: lines.map(({ path }) => path),
      layer: first.layer,
      ...(line === undefined ? {} : { line }),
      evidence: { url, digest: download.digest },
    });
  }
}

/** The step that names the address, else what its last part is called, where one step alone does. */
function lineOf(steps: readonly DockerfileStep[], url: string): number | undefined {
  const whole = steps.find(({ text }) => text.includes(url));
  if (whole !== undefined) return whole.line;
  const name =
    url
      .replace(/[?#].*$/, '')
      .split('/')
      .at(-1) ?? '';
  const naming = name.length < 4 ? [] : steps.filter(({ text }) => text.includes(name));
  return naming.length === 1 ? naming[0]?.line : undefined;
}
