import type { Step } from '../src/model/verification.ts';
import type { Seen } from './client.ts';
import { printableLine } from './text.ts';

export const STEP_NAMES: Record<Step, string> = {
  queued: 'waiting for a worker',
  pull: 'reading the image',
  source: 'finding the source',
  rebuild: 'rebuilding',
  debian: 'asking the package archive',
  reinstall: 'installing the packages anew',
  conclude: 'comparing and judging',
  done: 'done',
};

type Output = { isTTY?: boolean; columns?: number; write(text: string): unknown };
const REDRAW = 500; // milliseconds

/** On a terminal one line that is redrawn: step, time, last line of the log. Elsewhere every step and line on a line of its own. */
export function showProgress(output: Output, now: () => number = Date.now): Seen & { end(): void } {
  const say = (text: string): void => void output.write(`${text}\n`);
  if (output.isTTY !== true) {
    return { step: (step) => say(`conforme: ${STEP_NAMES[step]}`), log: (line) => say(`  | ${printableLine(line)}`), end: () => undefined };
  }
  const began = now();
  let step = STEP_NAMES.queued;
  let last = '';
  const draw = (): void => {
    const seconds = Math.floor((now() - began) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    // Erase the line, then write no more than fits, so that a long line never scrolls.
    output.write(`\r\u001b[2K${`${clock} ${step}  ${last}`.slice(0, (output.columns ?? 80) - 1)}`);
  };
  const timer = setInterval(draw, REDRAW);
  draw();
  return {
    step(next) {
      step = STEP_NAMES[next];
      last = '';
      draw();
    },
    log(line) {
      last = printableLine(line);
    },
    end() {
      clearInterval(timer);
      output.write('\r\u001b[2K');
    },
  };
}
