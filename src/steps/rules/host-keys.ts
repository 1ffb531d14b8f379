import { X509Certificate } from 'node:crypto';
import type { FileFacts } from '../../model/inventory.ts';
import { isPlain, type Rule, type RuleContext, type Side, textOf } from './rule.ts';

const PEM = (label: string): RegExp => new RegExp(`^-----BEGIN ${label}-----\\n(?:[A-Za-z0-9+/=]{1,76}\\n)+-----END ${label}-----\\n*$`);
const SNAKEOIL = '/etc/ssl/certs/ssl-cert-snakeoil.pem';
const CERTIFICATE = PEM('CERTIFICATE');
/** Made at installation by openssh-server and ssl-cert: one key a system, useless for logging in to anything. */
const FORMS: readonly [RegExp, RegExp][] = [
  [/^\/etc\/ssh\/ssh_host_(?:rsa|dsa|ecdsa|ed25519)_key$/, PEM('(?:OPENSSH |RSA |EC |DSA )?PRIVATE KEY')],
  [/^\/etc\/ssh\/ssh_host_(?:rsa|dsa|ecdsa|ed25519)_key\.pub$/, /^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/=]+ \S+\n$/],
  [/^\/etc\/ssl\/private\/ssl-cert-snakeoil\.key$/, PEM('PRIVATE KEY')],
  [/^\/etc\/ssl\/certs\/ssl-cert-snakeoil\.pem$/, CERTIFICATE],
];
const TEXT_MAX = 16 * 1024; // bytes; an RSA key of 8192 bits is 6 kB

export function isHostKey(path: string): boolean {
  return FORMS.some(([name]) => name.test(path));
}

function hasForm(side: Side): boolean {
  const form = FORMS.find(([name]) => name.test(side.facts.path))?.[1];
  const text = side.facts.size <= TEXT_MAX ? textOf(side) : undefined;
  return form !== undefined && text !== undefined && form.test(text) && (form !== CERTIFICATE || isOwnCertificate(text));
}

/**
 * What make-ssl-cert(8) makes: signed by itself, good for one machine by a name of a single label, and good for signing nothing.
 * It lies among the certificates that the system trusts, so that one of an authority must not pass here.
 */
function isOwnCertificate(text: string): boolean {
  try {
    const certificate = new X509Certificate(text);
    const { ca, subject, issuer, subjectAltName = '', publicKey } = certificate;
    return (
      !ca &&
      subject === issuer &&
      /^CN=[A-Za-z0-9-]{1,64}$/.test(subject) &&
      /^DNS:[A-Za-z0-9-]{1,63}$/.test(subjectAltName) &&
      certificate.verify(publicKey)
    );
  } catch {
    return false;
  }
}

/** Private keys have mode 0600 or 0640; what others may read or anyone may run is not one that the package made. */
function admits(facts: FileFacts): boolean {
  return isPlain(facts) && facts.uid === 0;
}

export const hostKeys: Rule = {
  name: 'host-keys',
  version: 2,
  reason:
    'openssh-server and ssl-cert draw a key of their own for each system; a finding names one that is published. The certificate has to be of a machine, signed by itself, and of no authority',
  applies: isHostKey,
  admits,
  equal: (a, b) => hasForm(a) && hasForm(b),
  form: hasForm,
};

const SNAKEOIL_NAME = SNAKEOIL.slice(SNAKEOIL.lastIndexOf('/') + 1);

/** In the place of the link to an authority it would take that one away. */
function leadsToSnakeoil({ facts }: Side, { neighbour }: RuleContext): boolean {
  const other = neighbour('other', facts.path);
  if (facts.target !== SNAKEOIL_NAME || (other !== undefined && other.facts.target !== SNAKEOIL_NAME)) return false;
  const certificate = neighbour('published', SNAKEOIL);
  return certificate !== undefined && admits(certificate.facts) && hasForm(certificate);
}

export const snakeoilLink: Rule = {
  name: 'snakeoil-link',
  version: 1,
  reason:
    'openssl finds a certificate by a link that is called by the hash of its subject; it leads to the certificate that ssl-cert drew for this system, which vouches for no other',
  applies: (path) => /^\/etc\/ssl\/certs\/[0-9a-f]{8}\.\d$/.test(path),
  admits: ({ kind, uid, gid, xattrs }) => kind === 'symlink' && uid === 0 && gid === 0 && xattrs === undefined,
  form: leadsToSnakeoil,
  mayBeAbsent: true,
};
