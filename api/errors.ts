import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, type ProblemCode } from '../src/problem.ts';

export const PROBLEM_TYPE = 'application/problem+json';
/** Seconds; what is away for a moment is mostly back after a restart of its process. */
const RETRY_AFTER = 5;
/** A caller gets the first faults of a body, not a list as long as the body. */
const ERRORS_TOLD_MAX = 10;

type Pointed = { pointer: string; detail: string };
type ValidationError = { keyword: string; instancePath: string; params?: Record<string, unknown>; message?: string };

/** Maps everything that is thrown to a problem document of the closed table in src/problem.ts. RFC 9457. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(request, reply, error));
  app.setNotFoundHandler((request, reply) => {
    const problem = new Problem('not-found', `there is nothing at ${request.method} ${request.url.split('?', 1)[0]}`);
    return sendProblem(request, reply, problem);
  });
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const { problem, errors } = toProblem(thrown);
  if (problem.status >= 500) request.log.error({ err: thrown, code: problem.code }, 'request failed');
  const retryAfter = problem.retryAfter ?? (problem.status === 503 ? RETRY_AFTER : undefined);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (problem.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="conforme"');
  return reply
    .code(problem.status)
    .headers({ 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' })
    .send(JSON.stringify({ ...documentOf(problem, request.id), ...(errors === undefined ? {} : { errors }) }));
}

/** What is told of a problem. Of an error of our own nothing but its code and the id under which it is logged. */
export function documentOf(problem: Problem, requestId: string): ReturnType<Problem['toDocument']> {
  const document = problem.toDocument(`urn:uuid:${requestId}`);
  return problem.status === 500 ? { ...document, detail: 'the log of this service says more under this instance' } : document;
}

export function toProblem(thrown: unknown): { problem: Problem; errors?: Pointed[] } {
  if (thrown instanceof Problem) return { problem: thrown };
  const error = thrown as Partial<FastifyError>;
  if (Array.isArray(error.validation)) {
    const errors = pointed(error.validation);
    const part = error.validationContext ?? 'body';
    const detail = errors.map(({ pointer, detail }) => `${part}${pointer}: ${detail}`).join('; ');
    return { problem: new Problem('invalid-request', detail), errors };
  }
  const status = error.statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    return { problem: new Problem(codeOfStatus(status), error.message ?? STATUS_CODES[status] ?? '', { cause: thrown }) };
  }
  return { problem: Problem.from(thrown) };
}

function codeOfStatus(status: number): ProblemCode {
  if (status === 404) return 'not-found';
  if (status === 413) return 'too-large';
  if (status === 415) return 'unsupported-media-type';
  return 'invalid-request';
}

/**
 * TypeBox tells of a union every fault against every member. The members are told apart by the names they ask for, so the
 * faults of the member that comes nearest (the fewest of them) are the ones that help.
 */
function pointed(errors: ValidationError[]): Pointed[] {
  const told = new Map<string, Pointed>();
  for (const error of nearest(errors)) {
    const names = (error.params?.['additionalProperties'] ?? error.params?.['requiredProperties']) as string[] | undefined;
    const add = (pointer: string, detail: string): void => {
      if (told.size < ERRORS_TOLD_MAX && !told.has(pointer)) told.set(pointer, { pointer, detail });
    };
    if (error.keyword === 'additionalProperties')
      for (const name of names ?? []) add(child(error.instancePath, name), 'is not a name that is known here');
    else if (error.keyword === 'required') for (const name of names ?? []) add(child(error.instancePath, name), 'is missing');
    else if (error.keyword !== 'boolean' && error.keyword !== 'anyOf') add(error.instancePath, error.message ?? 'is not as documented');
  }
  return told.size > 0
    ? [...told.values()]
    : [{ pointer: errors[0]?.instancePath ?? '', detail: errors[0]?.message ?? 'is not as documented' }];
}

function nearest(errors: ValidationError[]): ValidationError[] {
  const member = (error: ValidationError): string | undefined =>
    /^(.*?\/anyOf\/\d+)/.exec((error as { schemaPath?: string }).schemaPath ?? '')?.[1];
  const counts = new Map<string, number>();
  for (const error of errors) {
    const name = member(error);
    if (name !== undefined && error.keyword !== 'boolean') counts.set(name, (counts.get(name) ?? 0) + weight(error));
  }
  const fewest = Math.min(...counts.values());
  const chosen = [...counts].find(([, count]) => count === fewest)?.[0];
  return errors.filter((error) => member(error) === undefined || member(error) === chosen);
}

/** A missing name says more about which member was meant than one that is too many. */
const weight = (error: ValidationError): number => (error.keyword === 'required' ? 10 : 1);

/** RFC 6901. */
const child = (pointer: string, name: string): string => `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
