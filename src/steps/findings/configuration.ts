import { textFromBytes } from '../../model/path.ts';
import type { Difference } from '../../model/verdict.ts';
import { found, type Found, type Scene } from './finding.ts';

/** Variables that make the loader, a shell or an interpreter run code that the variable names. */
const DANGEROUS =
  /^(?:LD_(?:PRELOAD|AUDIT|LIBRARY_PATH|DEBUG_OUTPUT|PROFILE.*)|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|MALLOC_TRACE|BASH_ENV|ENV|PROMPT_COMMAND|IFS|PYTHON(?:PATH|HOME|STARTUP|INSPECT|USERBASE)|PERL5(?:LIB|OPT|DB)|PERLLIB|RUBY(?:OPT|LIB)|NODE_(?:OPTIONS|PATH)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|PHPRC|PHP_INI_SCAN_DIR|GIT_(?:SSH|SSH_COMMAND|EXEC_PATH|ASKPASS|PROXY_COMMAND)|OPENSSL_(?:CONF|ENGINES|MODULES)|SSL_CERT_(?:FILE|DIR)|http_proxy|https_proxy|HTTP_PROXY|HTTPS_PROXY|ALL_PROXY|SHELLOPTS|BASHOPTS|PS4|LESSOPEN|LESSCLOSE|HOSTALIASES|RESOLV_HOST_CONF|BASH_FUNC_.*)$/s;
/** Folders that anybody may write, or that are another one in each place: a program found there is whoever's. */
const ANYBODYS = /^(?!\/)|^\/(?:tmp|var\/tmp|dev\/shm|run\/lock)(?:\/|$)|(?:^|\/)\.\.(?:\/|$)/;
/** Members that decide which program runs, and as whom: a change is as bad as a changed program. */
const GRAVE: ReadonlySet<string> = new Set([
  'Entrypoint',
  'Cmd',
  'User',
  'Healthcheck',
  'OnBuild',
  'Shell',
  'architecture',
  'os',
  'variant',
]);

export function* configuration(scene: Scene): Generator<Found> {
  const { published, rebuilt } = scene.file;
  const env = variables(published.inventory.config.config?.Env);
  const made = rebuilt === undefined ? undefined : variables(rebuilt.inventory.config.config?.Env);
  for (const [name, values] of env) {
    if (!DANGEROUS.test(name) && !(name === 'PATH' && values.some((value) => value.split(':').some((one) => ANYBODYS.test(one))))) continue;
    const same = made !== undefined && made.get(name)?.join('\0') === values.join('\0');
    const who = same
      ? 'the rebuild sets the same'
      : made === undefined
        ? 'there is no rebuild to compare with'
        : 'the rebuild does not set it so';
    yield found(scene, 'environment-dangerous', `the image sets ${name}; ${who}`, {
      severity: same ? 'medium' : made === undefined ? 'high' : 'critical',
      paths: ['config:Env'],
      evidence: { variable: name, value: printable(values.join(' then ')) },
      accuses: made !== undefined && !same,
    });
  }
  for (const difference of scene.differences) {
    if (difference.cause !== 'unknown' || !difference.path.startsWith('config:') || !difference.aspects.includes('configuration')) continue;
    const grave = isGrave(difference, env, made);
    yield found(
      scene,
      'configuration-changed',
      `${difference.path.slice('config:'.length)} of the image configuration: ${difference.detail ?? 'it differs'}`,
      {
        severity: grave ? 'critical' : 'medium',
        paths: [difference.path],
        accuses: grave,
      },
    );
  }
}

function isGrave({ path }: Difference, env: Variables, made: Variables | undefined): boolean {
  const member = path.slice('config:'.length);
  // PATH decides which program a name means.
  return GRAVE.has(member) || (member === 'Env' && env.get('PATH')?.at(-1) !== made?.get('PATH')?.at(-1));
}

type Variables = ReadonlyMap<string, string[]>;

/** Every value of each variable: which of two wins depends on the engine. */
function variables(env: readonly string[] | undefined): Variables {
  const found = new Map<string, string[]>();
  for (const assignment of env ?? []) {
    const equals = assignment.indexOf('=');
    const name = equals < 0 ? assignment : assignment.slice(0, equals);
    const values = found.get(name) ?? [];
    values.push(equals < 0 ? '' : assignment.slice(equals + 1));
    found.set(name, values);
  }
  return found;
}

function printable(text: string): string {
  return textFromBytes(Buffer.from(text.slice(0, 500)));
}
