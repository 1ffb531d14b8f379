import { alwaysAt, type Rule } from './rule.ts';

const SIZE_MAX = 16 * 1024 * 1024; // bytes: the request to apt's planner for some thousand packages is 100 kB

export const eippLog: Rule = {
  name: 'apt-eipp-log',
  version: 1,
  reason: 'apt keeps its last request to its own planner, packed with xz, for bug reports; nothing reads it again',
  applies: alwaysAt('/var/log/apt/eipp.log.xz'),
  form: ({ facts, bytes }) =>
    facts.size <= SIZE_MAX && (bytes === undefined || Buffer.from(bytes.subarray(0, 6)).toString('hex') === 'fd377a585a00'),
  formOnly: () => true,
  followsPackages: true,
};
