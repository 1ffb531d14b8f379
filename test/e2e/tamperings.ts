/** What a dishonest publisher can change in an image without changing its source, one thing at a time. */
import { withLayer, withLayerOnTop, type ImageParts } from '../../scripts/demo/registry-image.ts';
import { changed, edit, made, writeMembers, type Member } from '../../scripts/demo/tar-surgery.ts';
import type { FindingCode } from '../../src/model/finding-codes.ts';
import type { RunConfig } from '../../src/model/oci.ts';
import type { DIFFERENCE_ASPECTS, Result } from '../../src/model/verdict.ts';
import { pax } from '../support/tar.ts';
import { program, type SmallImage } from './world.ts';

export type Tampering = {
  tag: string;
  what: string;
  publish(image: SmallImage): Promise<void>;
  result: Result;
  /** Findings that have to be there, with a path each names. */
  findings: [FindingCode, path: string][];
  /** A difference that has to be told. */
  difference?: [path: string, aspect: (typeof DIFFERENCE_ASPECTS)[number]];
  /** Holds of the published side of that difference. */
  published?: Record<string, unknown>;
};

type Expectation = Pick<Tampering, 'result' | 'findings' | 'difference' | 'published'>;

/** The layer of the files with other members. */
function files(tag: string, what: string, change: (members: Member[]) => Member[], expectation: Expectation): Tampering {
  return { tag, what, publish: (image) => image.twin(tag, change(image.members)), ...expectation };
}

/** One layer more on top. */
function onTop(tag: string, what: string, members: Member[], expectation: Expectation): Tampering {
  const publish = async (image: SmallImage): Promise<void> =>
    image.publish(
      tag,
      await withLayerOnTop(image.registry, image.repository, image.parts, writeMembers(members), { created_by: '/bin/sh -c true' }),
    );
  return { tag, what, publish, ...expectation };
}

/** Another image configuration. */
function configuration(tag: string, what: string, change: (config: RunConfig) => RunConfig, expectation: Expectation): Tampering {
  const publish = ({ parts, publish: put }: SmallImage): Promise<void> =>
    put(tag, { ...parts, config: { ...parts.config, config: change(parts.config.config ?? {}) } });
  return { tag, what, publish, ...expectation };
}

/** VFS_CAP_REVISION_2, effective, with bytes that are no UTF-8: cap_setuid and cap_bpf (linux/capability.h). */
export const CAPABILITY = Buffer.from('0100000280000000ff00000080000000ee000000', 'hex');

const SECRET = 'aws_access_key_id = AKIAQ3EGRIYR2XZ7WQ5T\naws_secret_access_key = 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\n';

export const TAMPERINGS: Tampering[] = [
  files('setuid', 'a setuid bit', (all) => edit(all, 'bin/tool', (one) => changed(one, { mode: 0o4755 })), {
    result: 'suspicious',
    findings: [['setuid-unexpected', '/bin/tool']],
    difference: ['/bin/tool', 'mode'],
  }),
  files('owner', 'another owner', (all) => edit(all, 'etc/app.conf', (one) => changed(one, { uid: 1000 })), {
    result: 'different',
    findings: [],
    difference: ['/etc/app.conf', 'owner'],
  }),
  files(
    'capability',
    'a file capability with bytes that are no text',
    (all) =>
      edit(all, 'bin/tool', (one) => ({ ...one, extended: pax([['SCHILY.xattr.security.capability', CAPABILITY.toString('latin1')]]) })),
    {
      result: 'suspicious',
      findings: [['capability-unexpected', '/bin/tool']],
      difference: ['/bin/tool', 'xattrs'],
      published: { xattrs: { 'security.capability': CAPABILITY.toString('base64') } },
    },
  ),
  onTop('whiteout', 'a file taken away by a whiteout', [made({ name: 'etc/.wh.app.conf' })], {
    result: 'different',
    findings: [['file-missing', '/etc/app.conf']],
    difference: ['/etc/app.conf', 'presence'],
  }),
  onTop(
    'opaque',
    'a folder emptied by an opaque marker, and one of its files put back',
    [
      made({ name: 'srv/data/', type: '5', mode: 0o755 }),
      made({ name: 'srv/data/.wh..wh..opq' }),
      made({ name: 'srv/data/one' }, Buffer.from('one\n')),
    ],
    { result: 'different', findings: [['file-missing', '/srv/data/two']], difference: ['/srv/data/two', 'presence'] },
  ),
  files(
    'hard-link',
    'a hard link in place of a copy',
    (all) => [...all.filter(({ name }) => name !== 'srv/copy-b'), made({ name: 'srv/copy-b', type: '1', link: 'srv/copy-a' })],
    { result: 'different', findings: [], difference: ['/srv/copy-b', 'links'] },
  ),
  files('symlink', 'a link that leads elsewhere', (all) => edit(all, 'srv/link', (one) => changed(one, { link: '/etc/shadow' })), {
    result: 'different',
    findings: [],
    difference: ['/srv/link', 'target'],
    published: { target: '/etc/shadow' },
  }),
  files('text', 'another setting', (all) => edit(all, 'etc/app.conf', (one) => changed(one, { content: Buffer.from('colour = pink\n') })), {
    result: 'different',
    findings: [['unexplained-file', '/etc/app.conf']],
    difference: ['/etc/app.conf', 'content'],
  }),
  files(
    'library',
    'some bytes of a library',
    (all) => edit(all, 'usr/lib/libhelp.so', (one) => changed(one, { content: program('lobrary') })),
    {
      result: 'suspicious',
      findings: [['unexplained-code', '/usr/lib/libhelp.so']],
      difference: ['/usr/lib/libhelp.so', 'content'],
    },
  ),
  files(
    'latin',
    'a script whose name is no UTF-8',
    (all) => [...all, made({ name: 'srv/caf\xe9', mode: 0o755 }, Buffer.from('#!/bin/sh\n'))],
    {
      result: 'suspicious',
      findings: [['unexplained-code', '/srv/caf\\xe9']],
      difference: ['/srv/caf\\xe9', 'presence'],
    },
  ),
  files(
    'device',
    'a device file for the memory of the machine',
    (all) => [...all, made({ name: 'dev/mem', type: '3', mode: 0o666, major: 1, minor: 1 })],
    {
      result: 'suspicious',
      findings: [['device-unexpected', '/dev/mem']],
      difference: ['/dev/mem', 'presence'],
      published: { device: { major: 1, minor: 1 } },
    },
  ),
  files('preload', 'a preloaded library', (all) => [...all, made({ name: 'etc/ld.so.preload' }, Buffer.from('/usr/lib/libhelp.so\n'))], {
    result: 'suspicious',
    findings: [['preload-configured', '/etc/ld.so.preload']],
    difference: ['/etc/ld.so.preload', 'presence'],
  }),
  files(
    'account',
    'one more account',
    (all) =>
      edit(all, 'etc/passwd', (one) => changed(one, { content: Buffer.concat([one.content, Buffer.from('toor:x:0:0::/:/bin/tool\n')]) })),
    { result: 'suspicious', findings: [['account-unexpected', '/etc/passwd']], difference: ['/etc/passwd', 'content'] },
  ),
  files('cron', 'a scheduled job', (all) => [...all, made({ name: 'etc/cron.d/job' }, Buffer.from('* * * * * root /bin/tool\n'))], {
    result: 'suspicious',
    findings: [['scheduled-job', '/etc/cron.d/job']],
    difference: ['/etc/cron.d/job', 'presence'],
  }),
  files('writable', 'a program that anybody may change', (all) => edit(all, 'bin/tool', (one) => changed(one, { mode: 0o777 })), {
    result: 'suspicious',
    findings: [['world-writable', '/bin/tool']],
    difference: ['/bin/tool', 'mode'],
  }),
  configuration(
    'ld-preload',
    'LD_PRELOAD in the environment',
    (config) => ({ ...config, Env: [...(config.Env ?? []), 'LD_PRELOAD=/usr/lib/libhelp.so'] }),
    {
      result: 'suspicious',
      findings: [['environment-dangerous', 'config:Env']],
      difference: ['config:Env', 'configuration'],
    },
  ),
  configuration('entrypoint', 'another entry point', (config) => ({ ...config, Entrypoint: ['/bin/tool', 'listen', '--everywhere'] }), {
    result: 'suspicious',
    findings: [['configuration-changed', 'config:Entrypoint']],
    difference: ['config:Entrypoint', 'configuration'],
  }),
  configuration('user', 'root instead of a user', (config) => ({ ...config, User: '0' }), {
    result: 'suspicious',
    findings: [['configuration-changed', 'config:User']],
    difference: ['config:User', 'configuration'],
  }),
  {
    tag: 'twice',
    what: 'two entries for one path in one layer',
    publish: (image) => image.twin('twice', [made({ name: 'etc/app.conf' }, Buffer.from('colour = pink\n')), ...image.members]),
    // The last entry counts, as containerd reads it, and that is the honest one.
    result: 'equivalent',
    findings: [['layer-anomaly', '/etc/app.conf']],
  },
  {
    tag: 'secret',
    what: 'a secret that a later layer deletes: the tree is the honest one',
    async publish(image) {
      const { registry, repository, parts } = image;
      const first = await withLayerOnTop(
        registry,
        repository,
        parts,
        writeMembers([made({ name: 'srv/.aws/', type: '5' }), made({ name: 'srv/.aws/credentials' }, Buffer.from(SECRET))]),
        {},
      );
      await image.publish('secret', await withLayerOnTop(registry, repository, first, writeMembers([made({ name: 'srv/.wh..aws' })]), {}));
    },
    result: 'equivalent',
    findings: [['secret-in-layer', '/srv/.aws/credentials']],
  },
];

/** What honest tools do to an image on its way: none of it may be held against the publisher. */
export const HARMLESS: { tag: string; what: string; publish(image: SmallImage): Promise<void> }[] = [
  {
    tag: 'times',
    what: 'other times, names with ./ and the names of owners left out',
    publish: (image) =>
      image.twin(
        'times',
        image.members.map((one) => ({
          ...one,
          header: made({ ...fieldsOf(one), name: `./${one.name}${one.type === '5' ? '/' : ''}`, mtime: 86_400 }, one.content).header,
        })),
      ),
  },
  {
    tag: 'order',
    what: 'files in another order',
    publish: (image) =>
      image.twin('order', [
        ...image.members.filter(({ type }) => type === '5'),
        ...image.members.filter(({ type }) => type !== '5').toReversed(),
      ]),
  },
  {
    tag: 'cut',
    what: 'layers cut in another way',
    async publish(image) {
      const { registry, repository, parts, layer, members } = image;
      const above: Member[] = members.filter(({ name, type }) => type === '5' || name.startsWith('srv'));
      const below: ImageParts = await withLayer(
        registry,
        repository,
        parts,
        layer,
        writeMembers(members.filter(({ name }) => !name.startsWith('srv/'))),
      );
      await image.publish('cut', await withLayerOnTop(registry, repository, below, writeMembers(above), { created_by: 'another builder' }));
    },
  },
  {
    tag: 'dates',
    what: 'another date and author in the configuration',
    publish: (image) =>
      image.publish('dates', { ...image.parts, config: { ...image.parts.config, created: '2001-01-01T00:00:00Z', author: 'somebody' } }),
  },
];

function fieldsOf({ header, type }: Member): { type: string; mode: number; uid: number; gid: number; link: string } {
  const octal = (offset: number): number => Number.parseInt(header.toString('latin1', offset, offset + 8), 8);
  const end = header.indexOf(0, 157);
  return { type, mode: octal(100), uid: octal(108), gid: octal(116), link: header.toString('latin1', 157, end) };
}
