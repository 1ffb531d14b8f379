import type { AndOr, CommandNode, PipelineNode } from 'unbash';

/**
 * What becomes of a failure: `status`, the script ends with it, or with what comes behind (`|| exit 1`); `exits`, it does where `set -e` is on;
 * `condition`, some branch ends the script, be it that of success or, negated, of failure.
 */
export type Outcome = { status: boolean; exits: boolean; condition?: true };

export const UNHEEDED: Outcome = { status: false, exits: false };
/** Of what stands before `|| exit 1`. */
export const HEEDED: Outcome = { status: true, exits: false };

/** Whether these commands end the script with a failure: `exit 1`, `{ echo no; exit 1; }`. */
export function hasEnding(node: AndOr | PipelineNode): boolean {
  if (node.type === 'Command') {
    const [status] = node.suffix;
    const word = status?.type === 'Word' ? status.value : undefined;
    return (node.name?.value === 'exit' || node.name?.value === 'return') && word !== '0';
  }
  if (node.type === 'BraceGroup') return node.body.commands.some(({ command }) => hasEnding(command));
  if (node.type === 'Redirected') return hasEnding(node.command satisfies CommandNode);
  return node.type === 'AndOr' && node.operators.every((operator) => operator === '&&') && node.commands.some(hasEnding);
}
