/** Tells a person what is going on: one line that is rewritten on a terminal; elsewhere a line where something changed, never more than a few seconds apart. */
export type Reporter = {
  /** A line that stays. */
  say(text: string): void;
  /** What is being done at the moment, with the time it has taken so far. */
  now(text: string): void;
  close(): void;
};

const QUIET_MILLISECONDS = 4_000;

export function makeReporter(out: NodeJS.WriteStream = process.stderr): Reporter {
  const terminal = out.isTTY === true;
  let current = '';
  let begun = Date.now();
  let written = 0;
  const show = (): void => {
    if (current === '') return;
    const line = `${String(Math.round((Date.now() - begun) / 1000)).padStart(4)} s  ${current}`;
    written = Date.now();
    if (terminal) out.write(`\r\x1b[K${line.slice(0, (out.columns ?? 80) - 1)}`);
    else out.write(`${line}\n`);
  };
  const timer = setInterval(() => {
    if (terminal || Date.now() - written >= QUIET_MILLISECONDS) show();
  }, 500);
  timer.unref();
  return {
    say(text) {
      current = '';
      out.write(`${terminal ? '\r\x1b[K' : ''}${text}\n`);
      begun = Date.now();
    },
    now(text) {
      // Output of programs: control characters would move the cursor about.
      const clean = text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').trim();
      if (clean === '' || clean === current) return;
      current = clean;
      if (terminal || Date.now() - written >= QUIET_MILLISECONDS) show();
    },
    close() {
      clearInterval(timer);
      if (terminal) out.write('\r\x1b[K');
    },
  };
}
