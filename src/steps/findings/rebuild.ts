import { textFromBytes } from '../../model/path.ts';
import { found, type Found, type Scene } from './finding.ts';

/** Why there is nothing to compare with, or nothing to confirm generated files by. None of it speaks against the image. */
export function* rebuildNotes(scene: Scene): Generator<Found> {
  const { rebuild, reinstalled, reinstallFailure, verified } = scene.file;
  const { outcome } = rebuild;
  if (outcome.status === 'not-comparable') {
    const detail = printable(outcome.detail);
    const lastLog = outcome.lastLog.slice(-LOG_LINES_MAX).map(printable).join('\n');
    if (outcome.reason === 'no-source') yield found(scene, 'no-source', detail === '' ? 'no source is known' : detail);
    else {
      yield found(scene, 'rebuild-failed', `${outcome.reason}: ${detail}`, {
        ...(outcome.line === undefined ? {} : { line: outcome.line }),
        evidence: { reason: outcome.reason, ...(lastLog === '' ? {} : { log: lastLog }) },
      });
    }
  }
  const installed = [...verified.values()].filter(({ state }) => state !== 'found').length;
  if (installed > 0 && reinstalled === undefined) {
    const why = reinstallFailure === undefined ? '' : `: ${printable(reinstallFailure)}`;
    yield found(scene, 'reinstall-missing', `${installed} verified packages could not be installed anew${why}`);
  }
}

const LOG_LINES_MAX = 10;

/** A build's log is written by what it runs: no control character gets through. */
export function printable(text: string): string {
  return textFromBytes(Buffer.from(text.slice(0, 1000)));
}
