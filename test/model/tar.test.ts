import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesFromText } from '../../src/model/path.ts';
import { makeTarReader, readTar, TAR_LIMITS, type TarLimits, TarLimitError, type TarMember } from '../../src/model/tar.ts';
import { END, type Fields, header, inPieces, long, member, padded, pax, tar } from '../support/tar.ts';

type Read = { members: (Partial<TarMember> & { content?: string })[]; anomalies: string[] };

function read(bytes: Buffer, limits?: TarLimits, step = bytes.length): Read {
  const members: Read['members'] = [];
  const anomalies: string[] = [];
  let parts: Buffer[] = [];
  const reader = makeTarReader(
    {
      member(each) {
        members.push({ ...each });
        parts = [];
      },
      data: (part) => void parts.push(Buffer.from(part)),
      close() {
        const last = members.at(-1);
        if (last !== undefined) last.content = Buffer.concat(parts).toString('latin1');
      },
      anomaly: ({ code, detail, path }) => void anomalies.push(`${code}: ${detail}${path === undefined ? '' : ` (${path})`}`),
    },
    limits,
  );
  for (let at = 0; at < bytes.length; at += step) reader.write(bytes.subarray(at, at + step));
  reader.end();
  return { members, anomalies };
}

const codes = ({ anomalies }: Read) => anomalies.map((text) => text.slice(0, text.indexOf(':')));
const names = ({ members }: Read) => members.map(({ path }) => path);

describe('reading a tar', () => {
  it('reads every field of a ustar header', () => {
    const { members, anomalies } = read(
      tar(
        member({ name: 'bin/su', mode: 0o104755, uid: 1, gid: 2, mtime: 3 }, 'content'),
        header({ name: 'dir/', type: '5', mode: 0o1777 }),
        header({ name: 'link', type: '2', link: '../target', mode: 0o644 }),
        header({ name: 'hard', type: '1', link: './bin/su' }),
        header({ name: 'null', type: '3', major: 1, minor: 3 }),
        header({ name: 'disk', type: '4', major: 8 }),
        header({ name: 'pipe', type: '6' }),
      ),
    );
    assert.deepEqual(anomalies, []);
    assert.deepEqual(members[0], {
      path: '/bin/su',
      kind: 'file',
      size: 7,
      mode: 0o4755,
      uid: 1,
      gid: 2,
      mtime: 3,
      content: 'content',
    });
    const rest = members.slice(1).map(({ path, kind, mode, target, device }) => ({ path, kind, mode, target, device }));
    assert.deepEqual(rest, [
      { path: '/dir', kind: 'directory', mode: 0o1777, target: undefined, device: undefined },
      { path: '/link', kind: 'symlink', mode: 0o777, target: '../target', device: undefined },
      { path: '/hard', kind: 'hardlink', mode: 0o644, target: '/bin/su', device: undefined },
      { path: '/null', kind: 'character', mode: 0o644, target: undefined, device: { major: 1, minor: 3 } },
      { path: '/disk', kind: 'block', mode: 0o644, target: undefined, device: { major: 8, minor: 0 } },
      { path: '/pipe', kind: 'fifo', mode: 0o644, target: undefined, device: undefined },
    ]);
  });

  it('gives the same whatever pieces the bytes come in', () => {
    const bytes = tar(
      pax([['path', `long/${'x'.repeat(300)}`]]),
      member({ name: 'a' }, 'A'.repeat(1500)),
      long('L', 'y'.repeat(200)),
      member({ name: 'b', magic: 'gnu' }, 'B'),
    );
    const whole = read(bytes);
    assert.equal(whole.members.length, 2);
    for (const step of [1, 7, 511, 512, 513, 1024]) assert.deepEqual(read(bytes, undefined, step), whole);
  });

  it('reads a stream', async () => {
    const seen: string[] = [];
    const handler = { member: (each: TarMember) => void seen.push(each.path), data() {}, close() {}, anomaly() {} };
    await readTar(inPieces(tar(member({ name: 'a' }, 'A')), 100), handler);
    assert.deepEqual(seen, ['/a']);
  });

  const normalised: [string, string, string[]][] = [
    ['./usr//bin/./x', '/usr/bin/x', []],
    ['/etc/passwd', '/etc/passwd', []],
    ['a/../b', '/b', []],
    ['../../etc/shadow', '/etc/shadow', ['escapes-root']],
    ['a/../../b', '/b', ['escapes-root']],
    ['./', '/', ['conflicting-header']],
    ['caf\xe9', '/caf\\xe9', []],
    ['caf\xc3\xa9', '/café', []],
    ['a\\x62', '/a\\x5cx62', []],
  ];
  for (const [written, path, expected] of normalised) {
    it(`normalises ${JSON.stringify(written)} to ${path}`, () => {
      const found = read(tar(header({ name: written })));
      assert.deepEqual(names(found), [path]);
      assert.deepEqual(codes(found), expected);
    });
  }

  it('keeps a name of any bytes', () => {
    const raw = Array.from({ length: 0x7f }, (_all, index) => String.fromCharCode(index + 0x80)).join('');
    const found = read(tar(pax([['path', raw]]), header({})));
    const [path = ''] = names(found);
    assert.equal(Buffer.from(bytesFromText(path)).toString('latin1'), `/${raw}`);
  });

  it('takes numbers in base 256, and negative ones', () => {
    const uid = '\x80\0\0\0\x10\0\0\0';
    assert.equal(read(tar(header({ uid }))).members[0]?.uid, 0x10000000);
    assert.equal(read(tar(header({ raw: [[136, '\xff'.repeat(12)]] }))).members[0]?.mtime, -1);
    const tooLarge = read(tar(header({ raw: [[124, `\x80${'\xff'.repeat(11)}`]] })));
    assert.deepEqual(codes(tooLarge), ['bad-header']);
  });

  it('joins the prefix of ustar, and not what GNU has there', () => {
    assert.deepEqual(names(read(tar(header({ name: 'b', prefix: 'a' })))), ['/a/b']);
    const times = '00000000001\x0000000000002\0';
    assert.deepEqual(names(read(tar(header({ name: 'b', magic: 'gnu', prefix: times })))), ['/b']);
    const doubtful = read(tar(header({ name: 'b', magic: 'gnu', prefix: 'a' })));
    assert.deepEqual([names(doubtful), codes(doubtful)], [['/a/b'], ['conflicting-header']]);
    assert.deepEqual(names(read(tar(header({ name: 'b', magic: 'v7', prefix: 'a' })))), ['/b']);
  });

  it('takes a name with a slash for a directory in V7 alone', () => {
    assert.equal(read(tar(header({ name: 'd/', type: '\0', magic: 'v7', size: 0 }))).members[0]?.kind, 'directory');
    const found = read(tar(header({ name: 'd/', type: '0' })));
    assert.deepEqual([found.members[0]?.kind, codes(found)], ['file', ['conflicting-header']]);
  });

  it('accepts the signed checksum of old writers', () => {
    const fields: Fields = { name: '\xff\xff' };
    const block = header(fields);
    const unsigned = Number.parseInt(block.toString('latin1', 148, 154), 8);
    assert.deepEqual(read(tar(header({ ...fields, checksum: unsigned - 512 }))).anomalies, []);
    assert.deepEqual(codes(read(tar(header({ ...fields, checksum: unsigned + 1 })))), ['bad-header']);
  });
});

describe('PAX', () => {
  it('replaces the fields of the header', () => {
    const path = `${'d/'.repeat(60)}name`;
    const found = read(
      tar(
        pax([
          ['path', path],
          ['uid', '3000000'],
          ['gid', '3000001'],
          ['mtime', '1700000000.25'],
          ['comment', 'nobody reads this'],
        ]),
        header({ name: 'short' }),
        header({ name: 'next' }),
      ),
    );
    const [first, second] = found.members;
    assert.deepEqual(found.anomalies, []);
    assert.deepEqual([first?.path, first?.uid, first?.gid, first?.mtime], [`/${path}`, 3000000, 3000001, 1700000000.25]);
    assert.deepEqual([second?.path, second?.uid], ['/next', 0]);
  });

  it('keeps attributes as bytes, above 0x7f, with NUL, newline and "="', () => {
    const capability = '\x01\x00\x00\x02\xff\x80\n=\x00\x20';
    const other = '\x01\x00\x00\x02\xfe\x80\n=\x00\x20';
    const of = (value: string) => read(tar(pax([['SCHILY.xattr.security.capability', value]]), header({}))).members[0]?.xattrs;
    assert.deepEqual({ ...of(capability) }, { 'security.capability': Buffer.from(capability, 'latin1').toString('base64') });
    assert.notDeepEqual({ ...of(capability) }, { ...of(other) });
  });

  it('takes a name such as __proto__ for what it is', () => {
    const xattrs = read(tar(pax([['SCHILY.xattr.__proto__', 'x']]), header({}))).members[0]?.xattrs;
    assert.deepEqual(Object.keys(xattrs ?? {}), ['__proto__']);
  });

  it('takes attributes of libarchive only where containerd would have them too', () => {
    const value = Buffer.from('v').toString('base64');
    const both = read(tar(pax([['SCHILY.xattr.user.a', 'v'], ['LIBARCHIVE.xattr.user.a', value]]), header({}))); // prettier-ignore
    assert.deepEqual([{ ...both.members[0]?.xattrs }, both.anomalies], [{ 'user.a': value }, []]);
    const alone = read(tar(pax([['LIBARCHIVE.xattr.security.capability', value]]), header({})));
    assert.deepEqual([alone.members[0]?.xattrs, codes(alone)], [undefined, ['conflicting-header']]);
  });

  const conflicts: [string, Buffer[]][] = [
    ['a size that differs (CVE-2025-62518)', [pax([['size', '3']]), header({ size: 0 }), padded('abc')]],
    ['a user that differs', [pax([['uid', '1000']]), header({ uid: 0 })]],
    ['a group that differs', [pax([['gid', '1000']]), header({ gid: 0 })]],
    ['a short name that differs', [pax([['path', 'etc/passwd']]), header({ name: 'etc/motd' })]],
    ['a short link that differs', [pax([['linkpath', 'a']]), header({ type: '2', link: 'b' })]],
    ['the same record twice', [pax([['path', 'a'], ['path', 'b']]), header({ name: 'b' })]], // prettier-ignore
    ['an empty path', [pax([['path', '']]), header({})]],
    ['two extended headers', [pax([['uid', '0']]), pax([['gid', '0']]), header({})]],
    ['a global header that sets something', [pax([['uid', '0']], 'g'), header({})]],
    ['a global header before the member', [pax([['uid', '0']]), pax([['comment', '']], 'g'), header({})]],
    ['two long names', [long('L', 'a'), long('L', 'b'), header({ magic: 'gnu' })]],
    ['PAX and GNU names', [pax([['path', 'x'.repeat(101)]]), long('L', 'y'.repeat(101)), header({})]],
    ['a size where there are no contents', [header({ type: '5', size: 512 })]],
  ];
  for (const [what, parts] of conflicts) {
    it(`tells ${what}`, () => assert.ok(codes(read(tar(...parts))).includes('conflicting-header')));
  }

  it('is read as Go reads it where it conflicts', () => {
    const smuggled = member({ name: 'smuggled' });
    const found = read(tar(pax([['size', String(smuggled.length)]]), header({ name: 'outer', size: 0 }), smuggled));
    assert.deepEqual(names(found), ['/outer']);
    assert.deepEqual(names(read(tar(pax([['path', 'x'.repeat(101)]]), long('L', 'wins'), header({})))), ['/wins']);
    assert.equal(read(tar(pax([['uid', '7']], 'g'), header({}))).members[0]?.uid, 0);
  });

  it('has no quarrel with a git archive', () => {
    assert.deepEqual(read(tar(pax([['comment', 'f'.repeat(40)]], 'g'), header({}))).anomalies, []);
  });

  const malformed: [string, string][] = [
    ['a length that is too long', '99 path=a\n'],
    ['a length that is too short', '5 path=a\n'],
    ['no newline', '9 path=ab'],
    ['no key', '6 =ab\n'],
    ['no number', 'path=a\n'],
    ['a NUL in a path', '11 path=a\0b\n'],
    ['a size that is no number', '11 size=a0\n'],
    ['a time that is no number', '13 mtime=1.x\n'],
  ];
  for (const [what, body] of malformed) {
    it(`stops at a record with ${what}`, () => {
      const found = read(tar(header({ name: 'before' }), member({ type: 'x' }, body), header({ name: 'after' })));
      assert.deepEqual([names(found), codes(found)], [['/before'], ['bad-header']]);
    });
  }
});

describe('GNU', () => {
  it('reads long names and links', () => {
    const found = read(tar(long('K', 't'.repeat(150)), long('L', 'n'.repeat(150)), header({ type: '2', magic: 'gnu' })));
    assert.deepEqual([found.members[0]?.path, found.members[0]?.target], [`/${'n'.repeat(150)}`, 't'.repeat(150)]);
    assert.deepEqual(found.anomalies, []);
  });

  const sparse = `${'\0'.repeat(512)}DATA${'\0'.repeat(84)}`;
  const name = 'holes';
  it('expands a sparse file of PAX format 0.0', () => {
    const map: [string, string][] = [['GNU.sparse.size', '600'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.offset', '512'], ['GNU.sparse.numbytes', '4']]; // prettier-ignore
    assert.deepEqual(only(tar(pax(map), member({ name }, 'DATA'))), [sparse, []]);
  });
  it('expands a sparse file of PAX format 0.1', () => {
    const map: [string, string][] = [['GNU.sparse.size', '600'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.map', '512,4'], ['GNU.sparse.name', 'real']]; // prettier-ignore
    const bytes = tar(pax(map), member({ name }, 'DATA'));
    assert.deepEqual(only(bytes), [sparse, []]);
    assert.deepEqual(names(read(bytes)), ['/real']);
  });
  it('expands a sparse file of PAX format 1.0, in pieces too', () => {
    const map: [string, string][] = [['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.realsize', '600'], ['GNU.sparse.name', 'real']]; // prettier-ignore
    const bytes = tar(pax(map), member({ name }, Buffer.concat([padded('1\n512\n4\n'), Buffer.from('DATA')])));
    assert.deepEqual(only(bytes), [sparse, []]);
    assert.deepEqual(read(bytes, undefined, 100), read(bytes));
  });
  it('expands an old sparse file and says that containerd refuses it', () => {
    const map: [number, string][] = [[386, '00000001000\x0000000000004\0'], [483, '00000001130\0']]; // prettier-ignore
    assert.deepEqual(only(tar(member({ name, type: 'S', magic: 'gnu', raw: map }, 'DATA'))), [sparse, ['unsupported-entry']]);
  });

  function only(bytes: Buffer): [string | undefined, string[]] {
    const found = read(bytes);
    return [found.members[0]?.content, codes(found)];
  }

  const broken: [string, [string, string][]][] = [
    ['overlaps', [['GNU.sparse.size', '600'], ['GNU.sparse.numblocks', '2'], ['GNU.sparse.map', '0,2,1,2']]],
    ['leaves the file', [['GNU.sparse.size', '3'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.map', '0,4']]],
    ['wants more than is stored', [['GNU.sparse.size', '600'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.map', '0,5']]],
    ['uses less than is stored', [['GNU.sparse.size', '600'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.map', '0,3']]],
    ['has another length', [['GNU.sparse.size', '600'], ['GNU.sparse.numblocks', '2'], ['GNU.sparse.map', '0,4']]],
  ]; // prettier-ignore
  for (const [what, map] of broken) {
    it(`stops at a sparse map that ${what}`, () => {
      const found = read(tar(pax(map), member({ name }, 'DATA'), header({ name: 'after' })));
      assert.deepEqual([names(found), codes(found)], [[], ['bad-header']]);
    });
  }
});

describe('what two readers could read differently', () => {
  const cases: [string, Buffer, string[], string[]][] = [
    ['data behind the end marker', Buffer.concat([tar(header({ name: 'a' })), header({ name: 'b' })]), ['/a'], ['data-after-end']],
    ['zeros behind it', Buffer.concat([tar(header({ name: 'a' })), Buffer.alloc(9000)]), ['/a'], []],
    ['one block of zeros at the end', Buffer.concat([header({ name: 'a' }), Buffer.alloc(512)]), ['/a'], []],
    ['no end marker', header({ name: 'a' }), ['/a'], []],
    [
      'a lone block of zeros',
      Buffer.concat([header({ name: 'a' }), Buffer.alloc(512), tar(header({ name: 'b' }))]),
      ['/a'],
      ['bad-header'],
    ],
    ['a header cut off', Buffer.concat([header({ name: 'a' }), header({}).subarray(0, 100)]), ['/a'], ['truncated']],
    ['contents cut off', header({ name: 'a', size: 5 }), ['/a'], ['truncated']],
    ['an extended header without a member', tar(header({ name: 'a' }), pax([['uid', '0']])), ['/a'], ['bad-header']],
    ['a type nobody knows', tar(member({ name: 'a', type: 'Q' }, 'x'), header({ name: 'b' })), ['/b'], ['unsupported-entry']],
    ['a contiguous file', tar(member({ name: 'a', type: '7' }, 'x')), ['/a'], ['unsupported-entry']],
    ['a link that leaves the root', tar(header({ name: 'a', type: '1', link: '../../b' })), ['/a'], ['escapes-root']],
    ['a link that goes up within it', tar(header({ name: 'a', type: '1', link: 'x/../b' })), ['/a'], ['escapes-root']],
    ['a user that cannot be', tar(header({ name: 'a', uid: '\xff'.repeat(8) })), ['/a'], ['bad-header']],
    ['an empty tar', END, [], []],
    ['nothing at all', Buffer.alloc(0), [], []],
  ];
  for (const [what, bytes, expected, anomalies] of cases) {
    it(`reads ${what}`, () => {
      const found = read(bytes);
      assert.deepEqual([names(found), codes(found)], [expected, anomalies]);
    });
  }

  it('does not call a file that is cut off complete', () => {
    assert.equal(read(Buffer.concat([header({ name: 'a', size: 600 }), Buffer.alloc(512)])).members[0]?.content, undefined);
  });
});

describe('limits', () => {
  const small: TarLimits = { ...TAR_LIMITS, entries: 2, path: 20, special: 512, names: 2000, holes: 1000 };
  const hole: [string, string][] = [['GNU.sparse.size', '2000'], ['GNU.sparse.numblocks', '0'], ['GNU.sparse.map', '']]; // prettier-ignore
  const cases: [string, Buffer][] = [
    ['entries', tar(header({}), header({}), header({}))],
    ['a name', tar(header({ name: 'x'.repeat(21) }))],
    ['a link', tar(header({ type: '2', link: 'x'.repeat(21) }))],
    ['an extended header', tar(pax([['comment', 'x'.repeat(600)]]), header({}))],
    ['holes', tar(pax([...hole, ['GNU.sparse.major', '0'], ['GNU.sparse.minor', '1']]), header({}))],
    ['all names', tar(...Array.from({ length: 5 }, () => pax([['comment', 'x'.repeat(450)]], 'g')), header({}))],
  ];
  for (const [what, bytes] of cases) it(`refuses too much of ${what}`, () => assert.throws(() => read(bytes, small), TarLimitError));
  it('takes what is within them', () => assert.equal(read(tar(header({ name: 'x'.repeat(20) })), small).members.length, 1));
});
