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

/** On a terminal one line that is redrawn: time, step, last line of the log. Elsewhere every step and line on a line of its own. */
export function showProgress(output: Output, now: () => number = Date.now): Seen & { end(): void } {
  const began = now();
  const clock = (): string => {
    const seconds = Math.floor((now() - began) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  };
  if (output.isTTY !== true) {
    const say = (text: string): void => void output.write(`${text}\n`);
    return {
      step: (step) => say(`conforme: ${STEP_NAMES[step]} (${clock()})`),
      log: (line) => say(`  | ${printableLine(line)}`),
      end: () => undefined,
    };
  }
  let step = STEP_NAMES.queued;
  let last = '';
  // Erase the line, then write no more than fits, so that a long line never scrolls.
  const draw = (): void => void output.write(`\r\u001b[2K${fitting(`${clock()} ${step}  ${last}`, (output.columns ?? 80) - 1)}`);
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

/** As much as takes no more than so many columns. From Hangul Jamo on a character may take two, and counts so. */
function fitting(text: string, columns: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
    if (used > columns) break;
    end += character.length;
  }
  return text.slice(0, end);
}
