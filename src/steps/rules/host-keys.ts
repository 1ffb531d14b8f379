import type { FileFacts } from '../../model/inventory.ts';
import { isPlain, type Rule, type Side, textOf } from './rule.ts';

const PEM = (label: string): RegExp => new RegExp(`^-----BEGIN ${label}-----\\n(?:[A-Za-z0-9+/=]{1,76}\\n)+-----END ${label}-----\\n*$`);
/** Made at installation by openssh-server and ssl-cert: one key a system, useless for logging in to anything. */
const FORMS: readonly [RegExp, RegExp][] = [
  [/^\/etc\/ssh\/ssh_host_(?:rsa|dsa|ecdsa|ed25519)_key$/, PEM('(?:OPENSSH |RSA |EC |DSA )?PRIVATE KEY')],
  [/^\/etc\/ssh\/ssh_host_(?:rsa|dsa|ecdsa|ed25519)_key\.pub$/, /^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/=]+ \S+\n$/],
  [/^\/etc\/ssl\/private\/ssl-cert-snakeoil\.key$/, PEM('PRIVATE KEY')],
  [/^\/etc\/ssl\/certs\/ssl-cert-snakeoil\.pem$/, PEM('CERTIFICATE')],
];

export function isHostKey(path: string): boolean {
  return FORMS.some(([name]) => name.test(path));
}

function hasForm(side: Side): boolean {
  const form = FORMS.find(([name]) => name.test(side.facts.path))?.[1];
  const text = textOf(side);
  return form !== undefined && text !== undefined && form.test(text);
}

/** Private keys have mode 0600 or 0640; what others may read or anyone may run is not one that the package made. */
function admits(facts: FileFacts): boolean {
  return isPlain(facts) && facts.uid === 0;
}

export const hostKeys: Rule = {
  name: 'host-keys',
  version: 1,
  reason: 'openssh-server and ssl-cert draw a key of their own for each system; a finding names one that is published',
  applies: isHostKey,
  admits,
  equal: (a, b) => hasForm(a) && hasForm(b),
  form: hasForm,
};
