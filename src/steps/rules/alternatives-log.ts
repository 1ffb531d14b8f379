import { alwaysAt, equalBy, linesOf, type Rule, type Side } from './rule.ts';

const LINE =
  /^update-alternatives \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: ((?:run with|link group|auto-repair|renaming|status of|removing|setting) .*|.* (?:updated|changed|removed|points).*)$/;

function actions(side: Side): string[] | undefined {
  const lines = linesOf(side);
  if (lines === undefined) return undefined;
  const done: string[] = [];
  for (const line of lines) {
    const action = LINE.exec(line)?.[1];
    if (action === undefined) return undefined;
    done.push(action);
  }
  return done;
}

export const alternativesLog: Rule = {
  name: 'alternatives-log',
  version: 1,
  reason: 'update-alternatives writes the time of each action; the actions are compared',
  applies: alwaysAt('/var/log/alternatives.log'),
  equal: equalBy(actions),
  // The packages in whatever order: the same actions.
  regenerates: equalBy((side) => actions(side)?.sort()),
  form: (side) => actions(side) !== undefined,
};
