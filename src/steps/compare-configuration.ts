import { canonicalJson } from '../model/json.ts';
import type { ImageConfig, RunConfig } from '../model/oci.ts';
import { byText, textFromBytes } from '../model/path.ts';
import type { Difference } from '../model/verdict.ts';
import { STEP_RULES } from './rules/index.ts';
import { ruleId } from './rules/rule.ts';

/** All of `config` that decides how a container is run: OCI image specification 1.1, config.md, and Docker's additions. */
const STRICT = [
  'User',
  'Env',
  'Entrypoint',
  'Cmd',
  'WorkingDir',
  'ExposedPorts',
  'Volumes',
  'StopSignal',
  'Healthcheck',
  'Shell',
  'OnBuild',
  'ArgsEscaped',
] as const satisfies readonly (keyof RunConfig)[];

const BUILDER_LABELS: ReadonlySet<string> = new Set(['io.buildah.version']);
const DESCRIPTIVE_LABEL =
  /^org\.opencontainers\.image\.(?:created|authors|url|documentation|source|version|revision|vendor|licenses|ref\.name|title|description|base\.digest|base\.name)$/;
// One side's value as shown in a difference; the inventories hold it whole.
const SHOWN_MAX = 2000; // characters

/** Differences of the two configurations, `config:Env` and so on. A variable, label or argument more or less is a difference. */
export function compareConfiguration(published: ImageConfig, rebuilt: ImageConfig): Difference[] {
  const differences: Difference[] = [];
  const add = (name: string, a: unknown, b: unknown, rule?: { name: string; version: number }): void => {
    if (normal(a) === normal(b)) return;
    const detail = `published ${shown(a)}, rebuilt ${shown(b)}`;
    const cause = rule === undefined ? { cause: 'unknown' as const } : { cause: 'normalised' as const, rule: ruleId(rule) };
    differences.push({ path: `config:${name}`, aspects: ['configuration'], ...cause, detail });
  };
  for (const name of ['architecture', 'os', 'variant'] as const) add(name, published[name], rebuilt[name]);
  for (const name of STRICT) add(name, effective(published, name), effective(rebuilt, name));
  const labels = labelsOf(published);
  const otherLabels = labelsOf(rebuilt);
  for (const name of [...new Set([...labels.keys(), ...otherLabels.keys()])].sort(byText)) {
    const rule = BUILDER_LABELS.has(name)
      ? STEP_RULES.builderLabels
      : DESCRIPTIVE_LABEL.test(name)
        ? STEP_RULES.descriptiveLabels
        : undefined;
    add(`Labels:${textFromBytes(Buffer.from(name))}`, labels.get(name), otherLabels.get(name), rule);
  }
  for (const name of ['created', 'author', 'history'] as const) {
    if (normal(published[name]) === normal(rebuilt[name])) continue;
    differences.push({ path: `config:${name}`, aspects: ['configuration'], cause: 'normalised', rule: ruleId(STEP_RULES.imageMetadata) });
  }
  return differences;
}

/** What a member comes to: a container without a working directory starts in `/`, and ArgsEscaped is for Windows alone (config.md). */
function effective({ os, config }: ImageConfig, name: (typeof STRICT)[number]): unknown {
  if (name === 'ArgsEscaped' && os !== 'windows') return undefined;
  return name === 'WorkingDir' && config?.WorkingDir === '/' ? undefined : config?.[name];
}

function labelsOf(config: ImageConfig): ReadonlyMap<string, string> {
  return new Map(Object.entries(config.config?.Labels ?? {}));
}

/** Builders write an absent member as null, `""`, `[]` or `{}`: all mean that nothing is set. */
function normal(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  const text = canonicalJson(value);
  return text === '[]' || text === '{}' ? '' : text;
}

function shown(value: unknown): string {
  const text = normal(value);
  return text === '' ? 'nothing' : textFromBytes(Buffer.from(text.slice(0, SHOWN_MAX)));
}
