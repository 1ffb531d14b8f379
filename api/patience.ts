import { Problem, type ProblemCode } from '../src/problem.ts';

/** `promise`, or a problem with `code` after `milliseconds`: a caller is told in time that a system behind us is away. */
export async function within<T>(milliseconds: number, code: ProblemCode, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Problem(code, `no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
