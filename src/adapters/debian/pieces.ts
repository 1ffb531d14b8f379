/** Of streams that ended, for those that begin: as many as were ever unpacked at once. */
const spare: Buffer[][] = [];

/** Runs work with buffers that nobody else uses meanwhile, and that nobody may look at afterwards. */
export async function withBuffers<T>(work: (buffers: Buffer[]) => Promise<T>): Promise<T> {
  const buffers = spare.pop() ?? [];
  try {
    return await work(buffers);
  } finally {
    spare.push(buffers);
  }
}

/** Bytes. What the scanner takes at once; pieces of this size are hashed as they are, without being put together first. */
const PIECE = 1 << 18;
/**
 * Bytes, milliseconds. xz writes 8 kB at a time and a socket holds some 200: after a small read the next one waits a moment, so
 * that a turn of the event loop is worth its while. xz at full speed does not fill the socket meanwhile.
 */
const SMALL_READ = 1 << 16;
const GATHER_MS = 1;
/** One is read, one is looked ahead at, one waits to be asked for, and one is being filled. */
const PIECES = 4;

/**
 * What comes out of a socket, in the same few buffers over and over. A new buffer for every read makes V8 mark its whole heap
 * again and again: a third of all processor time that reading .debs took. The last byte of the stream is kept apart: it says
 * how the unpacking ended. `resume` lets the socket read on.
 */
export function makePieces(buffers: Buffer[], resume: () => void) {
  let writing = 0; // the piece that is being filled; its buffer is the one of that number, modulo PIECES
  let size = 0; // bytes in it
  let asked = 0; // pieces that were asked for: the two asked for last may be in use
  let paused = false;
  let ended = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const bufferOf = (number: number): Buffer => (buffers[number % PIECES] ??= Buffer.allocUnsafeSlow(PIECE));
  const isFree = (number: number): boolean => number - PIECES <= asked - 3;
  // The last byte is no part of what was unpacked: a full piece waits for one behind it.
  const isWhole = (number: number): boolean => number < writing - 1 || (number === writing - 1 && size > 0);

  function told(): void {
    wake?.();
    wake = undefined;
  }

  return {
    /** Where the next read goes; Node asks right after the one before, also while the socket is held. */
    space(): Buffer {
      if (size === PIECE) {
        writing += 1;
        size = 0;
      }
      return bufferOf(writing).subarray(size);
    },
    /** After a read of so many bytes; false holds the socket until there is room again. */
    filled(count: number): boolean {
      if (size === 0) told();
      size += count;
      paused = size === PIECE && !isFree(writing + 1);
      if (paused) return false;
      if (count >= SMALL_READ) return true;
      setTimeout(resume, GATHER_MS);
      return false;
    },
    /** The next whole piece; undefined at the end. */
    async next(): Promise<Buffer | undefined> {
      const number = asked++;
      if (paused && isFree(writing)) {
        paused = false;
        resume();
      }
      while (!isWhole(number) && !ended) await new Promise<void>((resolve) => (wake = resolve));
      if (failure !== undefined) throw failure;
      if (isWhole(number)) return bufferOf(number);
      const rest = number === writing ? size - 1 : number === writing - 1 ? PIECE - 1 : 0;
      return rest > 0 ? bufferOf(number).subarray(0, rest) : undefined;
    },
    /** The last byte of all; undefined where there was none. */
    status(): number | undefined {
      return size > 0 ? bufferOf(writing)[size - 1] : writing > 0 ? bufferOf(writing - 1)[PIECE - 1] : undefined;
    },
    end(error?: Error): void {
      ended = true;
      failure ??= error;
      told();
    },
  };
}
