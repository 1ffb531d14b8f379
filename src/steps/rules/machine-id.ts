import { alwaysAt, type Rule, type Side, textOf } from './rule.ts';

/** machine-id(5): 32 hex digits, the word `uninitialized`, or nothing. */
function isMachineId(side: Side): boolean {
  const text = textOf(side);
  return text !== undefined && /^(?:[0-9a-f]{32}\n?|uninitialized\n?|)$/.test(text);
}

export const machineId: Rule = {
  name: 'machine-id',
  version: 1,
  reason: 'machine-id(5) is drawn at random when a system is set up; a finding names one that is published',
  applies: alwaysAt('/etc/machine-id', '/var/lib/dbus/machine-id'),
  equal: (a, b) => isMachineId(a) && isMachineId(b),
  form: isMachineId,
  mayBeAbsent: true,
};
