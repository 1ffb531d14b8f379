import type { BuildRecipe, Provenance } from '../model/provenance.ts';
import type { BuildOrigins } from '../model/rebuild.ts';
import type { VerificationRequest } from '../model/request.ts';
import { DEFAULT_DOCKERFILE } from './parse-request.ts';

type Request = Pick<VerificationRequest, 'dockerfile' | 'target' | 'buildArgs'>;

/** How to build, and who says so; what nobody names is left at the builder's default. */
export type Recipe = Pick<BuildRecipe, 'dockerfile' | 'target' | 'buildArgs' | 'labels' | 'contexts' | 'syntax' | 'wholeContext'> & {
  origins: BuildOrigins;
};

/** The request wins over the provenance in everything that it names, argument by argument. */
export function findRecipe(request: Request, provenance: readonly Provenance[]): Recipe {
  const [attested] = provenance.flatMap(({ recipe }) => recipe ?? []);
  const target = request.target ?? attested?.target;
  const syntax = attested?.syntax;
  const origins: BuildOrigins = {};
  const note = (what: 'dockerfile' | 'target', requested: unknown, there: unknown): void => {
    if (requested !== undefined) origins[what] = 'request';
    else if (there !== undefined) origins[what] = 'provenance';
  };
  note('dockerfile', request.dockerfile, attested?.dockerfile);
  note('target', request.target, attested?.target);
  const fromProvenance = Object.keys(attested?.buildArgs ?? {}).filter((name) => !Object.hasOwn(request.buildArgs ?? {}, name));
  if (fromProvenance.length > 0) origins.buildArgs = fromProvenance.sort();
  return {
    dockerfile: request.dockerfile ?? attested?.dockerfile ?? DEFAULT_DOCKERFILE,
    ...(target === undefined ? {} : { target }),
    buildArgs: { ...attested?.buildArgs, ...request.buildArgs },
    labels: attested?.labels ?? {},
    contexts: attested?.contexts ?? {},
    ...(syntax === undefined ? {} : { syntax }),
    ...(attested?.wholeContext === true ? { wholeContext: true } : {}),
    origins,
  };
}
