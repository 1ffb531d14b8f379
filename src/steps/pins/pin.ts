import type { PinPlace } from '../../model/download.ts';

/**
 * Digests that the source names and the build checks, by their value: SHA-256 and SHA-512 in lower-case hex; `goSum`, what go.sum calls `h1:`. SHA-1
 * and MD5, which composer's and older lock files have, are none: two files can be made for one of them.
 */
export type Pins = { sha256: Map<string, PinPlace>; sha512: Map<string, PinPlace>; goSum: Map<string, PinPlace> };

export function noPins(): Pins {
  return { sha256: new Map(), sha512: new Map(), goSum: new Map() };
}

const HEX = /(?<![0-9a-z])(?:[0-9a-f]{128}|[0-9a-f]{64})(?![0-9a-z])/gi;

/** Every SHA-256 and SHA-512 in a text, by its length. The first place of each counts. */
export function addHex(pins: Pins, text: string, placeAt: (offset: number) => PinPlace): void {
  for (const { 0: digits, index } of text.matchAll(HEX)) {
    const values = digits.length === 64 ? pins.sha256 : pins.sha512;
    const value = digits.toLowerCase();
    if (!values.has(value)) values.set(value, placeAt(index));
  }
}

/** Tells the line of an offset in a text. */
export function lines(path: string, text: string): (offset: number) => PinPlace {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { path, line: low + 1 };
  };
}
