/** A variable that is needed and not there; the message names it. */
export class UnsetVariable extends Error {}

const VARIABLE = /\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?)([-?+])([^{}$]*))?\}|)/g;

/**
 * Variables as a Compose file has them: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?}`, `${NAME:+other}`, `$$`. Without a
 * value and a default Compose puts nothing there and goes on; here that is an error, and so is what has no such form or a variable within.
 * https://docs.docker.com/reference/compose-file/interpolation/. Throws {@link UnsetVariable}.
 */
export function interpolate(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return text.replace(VARIABLE, (all, plain?: string, braced?: string, colon?: string, operator?: string, word = '') => {
    if (all === '$$') return '$';
    const name = plain ?? braced;
    if (name === undefined) throw new UnsetVariable(`${text} has a $ that is no variable of a form that is read here`);
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    const isThere = value !== undefined && (colon !== ':' || value !== '');
    if (operator === '+') return isThere ? word : '';
    if (isThere) return value;
    if (operator === '-') return word;
    throw new UnsetVariable(`${text} needs ${name}, which is not set`);
  });
}
