import { Problem } from '../../problem.ts';

/** Opaque to callers: the numbers of the last row of a page. */
export function cursorOf(...numbers: string[]): string {
  return Buffer.from(numbers.join('.')).toString('base64url');
}

/** Throws `invalid-request` for what {@link cursorOf} did not make of as many numbers. */
export function parseCursor(cursor: string, length: number): string[] {
  const numbers = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  if (numbers.length !== length || !numbers.every((number) => /^\d{1,18}$/.test(number)))
    throw new Problem('invalid-request', 'the cursor is none that was given out');
  return numbers;
}
