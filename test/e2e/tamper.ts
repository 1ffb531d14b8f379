/** Words for changing one thing in an honest image of Debian packages. */
import type { Member } from '../../scripts/demo/tar-surgery.ts';
import type { FindingCode } from '../../src/model/finding-codes.ts';
import type { Severity } from '../../src/model/verdict.ts';
import { pax } from '../support/tar.ts';
import { file, type OpenImage } from './open-image.ts';
import { program } from './world.ts';

export type DebianTampering = {
  tag: string;
  /** The set that is tampered with; that of `TABLE` where absent. */
  of?: string;
  publish(image: OpenImage, tag: string): Promise<void>;
  /** A finding of at least this severity that names the path and that the honest image does not have. */
  findings: [code: FindingCode, path: string | RegExp, severity: Severity][];
};

export const NGINX = 'usr/sbin/nginx';
export const EVIL = program('evil');
export const SCRIPT = '#!/bin/sh\nexec /usr/lib/evil\n';
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${'MIIB'.repeat(16)}\n-----END CERTIFICATE-----\n`;

/** One layer more. */
export function layer(
  tag: string,
  change: (image: OpenImage) => Member | Member[],
  ...findings: DebianTampering['findings']
): DebianTampering {
  return { tag, publish: (image, to) => image.publish(to, [change(image)].flat()), findings };
}

/** A file that was not there. */
export function added(
  tag: string,
  name: string,
  content: string | Buffer,
  code: FindingCode,
  severity: Severity,
  mode = 0o644,
): DebianTampering {
  return layer(tag, () => file(name, content, { mode }), [code, `/${name}`, severity]);
}

/** More at the end of a file that is there. */
export function appended(tag: string, name: string, text: string, code: FindingCode, severity: Severity): DebianTampering {
  return layer(tag, (image) => image.edit(name, (before) => `${before}${text}`), [code, `/${name}`, severity]);
}

export function withXattr(member: Member, name: string, value: string): Member {
  return { ...member, extended: Buffer.concat([member.extended, pax([[`SCHILY.xattr.${name}`, value]])]) };
}
