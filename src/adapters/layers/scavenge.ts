import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of buffers that may pile up between two scavenges. */
const PILE = 4 * 1024 * 1024;

/**
 * Has V8 free buffers while they are young. Every piece of a layer is a new buffer outside V8's heap; V8 takes their growth for
 * a reason to mark the whole heap, which costs more the more files have been read (a quarter of all processor time was
 * measured), while a scavenge frees the same buffers in well under a millisecond. Nothing depends on it but speed and memory.
 */
export function makeScavenger(): (bytes: number) => void {
  const scavenge = minorCollection();
  let pile = 0;
  return (bytes) => {
    pile += bytes;
    if (pile < PILE) return;
    pile = 0;
    scavenge?.({ type: 'minor' });
  };
}

let known: ((options: { type: 'minor' }) => void) | undefined;

function minorCollection(): typeof known {
  if (known === undefined) {
    // The function exists only in contexts that are made after the flag was set.
    setFlagsFromString('--expose-gc');
    known = runInNewContext('gc') as typeof known;
  }
  return known;
}
