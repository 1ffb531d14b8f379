import { StringDecoder } from 'node:string_decoder';

/** Longer lines are cut into pieces: a program can write for ever without ending one. */
const LINE_CHARACTERS_MAX = 8192;
const TAIL_LINES = 40;

/** Turns what a program writes into lines and keeps the last of them. */
export type LogLines = { write(chunk: Buffer): void; end(): void; tail(): string[] };

export function logLines(onLine: (line: string) => void): LogLines {
  const decoder = new StringDecoder('utf8');
  const tail: string[] = [];
  let rest = '';
  const emit = (text: string): void => {
    // A progress display writes over its line: what stood there last is what a terminal would show.
    const line = text.replace(/\r$/, '').replace(/^.*\r/s, '');
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    onLine(line);
  };
  return {
    write(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(emit);
      while (rest.length > LINE_CHARACTERS_MAX) {
        emit(rest.slice(0, LINE_CHARACTERS_MAX));
        rest = rest.slice(LINE_CHARACTERS_MAX);
      }
    },
    end() {
      rest += decoder.end();
      if (rest !== '') emit(rest);
      rest = '';
    },
    tail: () => [...tail],
  };
}
