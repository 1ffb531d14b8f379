import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunConfig } from '../../src/model/oci.ts';
import type { RunProgram } from '../../src/model/verdict.ts';
import { judge } from '../../src/steps/judge.ts';
import { simpleCommands } from '../../src/steps/shell-words.ts';
import { change, honest, judgeInputs, type Files } from '../support/judge-inputs.ts';
import type { FileSpec } from '../support/packaged-image.ts';

const NGINX = 'nginx 1.22.1-9, the bytes that Debian signed';
const sh = (text: string): FileSpec => ({ text: `#!/bin/sh\n${text}\n`, mode: 0o755, magic: 'script', interpreter: '/bin/sh' });
const elf = (text: string, more: object = {}): FileSpec => ({ text, mode: 0o755, magic: 'elf', ...more });

function runs(config: RunConfig, changes: Record<string, FileSpec | undefined> = {}): RunProgram[] {
  return (
    judge(judgeInputs({ config: { Env: ['PATH=/usr/sbin:/usr/bin'], ...config }, published: change(honest(), changes) })).verdict.runs ?? []
  );
}
/** `nginx -> /usr/sbin/nginx`, a line for each program. */
const lines = (programs: RunProgram[]): string[] =>
  programs.map(({ by, command, path }) => `${by} ${command}${path === undefined ? '' : ` -> ${path}`}`);

test('which version of nginx does this image run, and is it Debian’s? One line', () => {
  const [program, ...others] = runs({ Cmd: ['nginx', '-g', 'daemon off;'] });
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...program, digest: undefined },
    {
      by: 'entry-point',
      command: 'nginx',
      path: '/usr/sbin/nginx',
      package: 'pkg:deb/debian/nginx@1.22.1-9?arch=amd64',
      version: '1.22.1-9',
      attribution: 'debian-official',
      statement: NGINX,
      digest: undefined,
    },
  );
});

const START: Record<string, FileSpec> = { '/bin/sh': elf('sh'), '/start.sh': sh('set -e\nif [ -n "$X" ]; then rm -f /x; fi\nexec "$@"') };
const rows: [what: string, config: RunConfig, changes: Files, expected: string[]][] = [
  ['an absolute path', { Entrypoint: ['/usr/sbin/nginx'] }, {}, ['entry-point /usr/sbin/nginx -> /usr/sbin/nginx']],
  ['a link of the package', { Cmd: ['nginx-debug'] }, {}, ['entry-point nginx-debug -> /usr/sbin/nginx']],
  ['an alternative', { Cmd: ['/etc/alternatives/web'] }, {}, ['entry-point /etc/alternatives/web -> /usr/sbin/nginx']],
  ['nothing at all', {}, {}, []],
  [
    'the entry point first, then the command as its words',
    { Entrypoint: ['nginx'], Cmd: ['python3'] },
    {},
    ['entry-point nginx -> /usr/sbin/nginx'],
  ],
  ['no PATH: the one that engines set', { Env: [], Cmd: ['nginx'] }, {}, ['entry-point nginx -> /usr/sbin/nginx']],
  ['relative to the working directory', { WorkingDir: '/usr/sbin', Cmd: ['./nginx'] }, {}, ['entry-point ./nginx -> /usr/sbin/nginx']],
  [
    'the shell form of a Dockerfile',
    { Cmd: ['/bin/sh', '-c', "A=1 exec nginx -g 'daemon off;' 2>/dev/null"] },
    START,
    ['entry-point /bin/sh -> /bin/sh', 'shell nginx -> /usr/sbin/nginx'],
  ],
  [
    'several commands of a shell, and one that nobody can read off',
    { Cmd: ['/bin/sh', '-ec', 'cd /srv && python3 m.py; $RUN x | nginx'] },
    START,
    ['entry-point /bin/sh -> /bin/sh', 'shell python3 -> /usr/bin/python3', 'argument $RUN', 'shell nginx -> /usr/sbin/nginx'],
  ],
  [
    'a start script that is handed the command',
    { Entrypoint: ['/start.sh'], Cmd: ['nginx'] },
    START,
    ['entry-point /start.sh -> /start.sh', 'interpreter /bin/sh -> /bin/sh', 'argument nginx -> /usr/sbin/nginx'],
  ],
  [
    'a start script that takes a user off before',
    { Entrypoint: ['/start.sh'], Cmd: ['nginx'] },
    { ...START, '/start.sh': sh('exec gosu www-data "$@"'), '/usr/bin/gosu': elf('gosu') },
    [
      'entry-point /start.sh -> /start.sh',
      'interpreter /bin/sh -> /bin/sh',
      'script gosu -> /usr/bin/gosu',
      'argument nginx -> /usr/sbin/nginx',
    ],
  ],
  [
    'a script whose last command is the program',
    { Cmd: ['/start.sh'] },
    { ...START, '/start.sh': sh('# exec python3\nmkdir -p /run/x\nnginx -g "daemon off;"') },
    ['entry-point /start.sh -> /start.sh', 'interpreter /bin/sh -> /bin/sh', 'script nginx -> /usr/sbin/nginx'],
  ],
  [
    'a script whose shell is looked up by env',
    { Cmd: ['/start.py'] },
    { '/usr/bin/env': elf('env'), '/start.py': { text: '#!x', mode: 0o755, magic: 'script', interpreter: '/usr/bin/env -S python3 -u' } },
    ['entry-point /start.py -> /start.py', 'interpreter /usr/bin/env -> /usr/bin/env', 'interpreter python3 -> /usr/bin/python3'],
  ],
  [
    'a small init before it',
    { Entrypoint: ['/usr/bin/tini', '-g', '--'], Cmd: ['nginx'] },
    { '/usr/bin/tini': elf('tini') },
    ['entry-point /usr/bin/tini -> /usr/bin/tini', 'argument nginx -> /usr/sbin/nginx'],
  ],
  [
    'what an interpreter is told to run, which needs no x bit',
    { WorkingDir: '/srv', Cmd: ['python3', '-u', 'page.html'] },
    {},
    ['entry-point python3 -> /usr/bin/python3', 'argument page.html -> /srv/page.html'],
  ],
  ['a module of an interpreter is no file', { Cmd: ['python3', '-m', 'page.html'] }, {}, ['entry-point python3 -> /usr/bin/python3']],
];

test('what a container runs, from the configuration down to the file', () => {
  for (const [what, config, changes, expected] of rows) assert.deepEqual(lines(runs(config, changes)), expected, what);
});

const hostile: [
  what: string,
  config: RunConfig,
  changes: Record<string, FileSpec | undefined>,
  path: string | undefined,
  statement: RegExp,
][] = [
  [
    'the program was replaced',
    { Cmd: ['nginx'] },
    { '/usr/sbin/nginx': elf('evil') },
    '/usr/sbin/nginx',
    /^not the file of nginx 1\.22\.1-9: its bytes are not those that Debian signed$/,
  ],
  [
    'the program has another mode',
    { Cmd: ['nginx'] },
    { '/usr/sbin/nginx': elf('nginx', { mode: 0o4755 }) },
    '/usr/sbin/nginx',
    /^nginx 1\.22\.1-9, with another mode than Debian signed$/,
  ],
  [
    'another one of the name stands before it in PATH',
    { Env: ['PATH=/tmp:/usr/sbin'], Cmd: ['nginx'] },
    { '/tmp/nginx': elf('evil') },
    '/tmp/nginx',
    /^no file of a verified package, and nothing accounts for it$/,
  ],
  [
    'anybody may put one before it',
    { Env: ['PATH=/tmp:/usr/sbin'], Cmd: ['nginx'] },
    {},
    '/usr/sbin/nginx',
    /^nginx .* signed; PATH names \/tmp before, where anybody may put another$/,
  ],
  [
    'anybody may make a folder before it',
    { Env: ['PATH=/tmp/a/b:/usr/sbin'], Cmd: ['nginx'] },
    {},
    '/usr/sbin/nginx',
    /PATH names \/tmp\/a\/b before, where anybody/,
  ],
  [
    'a volume stands before it',
    { Env: ['PATH=/srv/bin:/usr/sbin'], Volumes: { '/srv/': {} }, Cmd: ['nginx'] },
    {},
    '/usr/sbin/nginx',
    /PATH names \/srv\/bin before, and \/srv is a volume$/,
  ],
  [
    'it stands in a volume',
    { Volumes: { '/usr': {} }, Cmd: ['nginx'] },
    {},
    '/usr/sbin/nginx',
    /^nginx .* signed; \/usr is a volume: what is mounted there runs instead$/,
  ],
  ['PATH twice', { Env: ['PATH=/tmp', 'PATH=/usr/sbin'], Cmd: ['nginx'] }, {}, undefined, /depends on the engine/],
  ['links in circles', { Cmd: ['/srv/a'] }, { '/srv/a': { link: 'b' }, '/srv/b': { link: 'a' } }, undefined, /leads in circles$/],
  [
    'a link out of the image',
    { Cmd: ['/srv/a'] },
    { '/srv/a': { link: '../../../../usr/sbin/nginx' } },
    '/usr/sbin/nginx',
    /signed; reached through \/srv\/a, a link that nothing accounts for$/,
  ],
  ['nothing there', { Cmd: ['/usr/bin/none'] }, {}, undefined, /^\/usr\/bin\/none is not in the image$/],
  ['nothing there yet', { Volumes: { '/data': {} }, Cmd: ['/data/run'] }, {}, undefined, /^\/data is not in the image; \/data is a volume/],
  [
    'it says what it is, and that is no proof',
    { Cmd: ['/srv/nginx'] },
    { '/srv/nginx': elf('x', { claims: [{ name: 'nginx', version: '1.27.0' }] }) },
    '/srv/nginx',
    /^no file of a verified package, and nothing accounts for it; its bytes say nginx 1\.27\.0$/,
  ],
  ['no x bit', { Cmd: ['/srv/page.html'] }, {}, undefined, /no x bit/],
  ['a folder', { Cmd: ['/srv'] }, {}, undefined, /^\/srv is a directory/],
  ['the kernel’s own', { Cmd: ['/proc/self/exe'] }, {}, undefined, /^the engine mounts \/proc/],
  ['a name that is no text', { Cmd: ['\u202enginx\n'] }, {}, undefined, /^no folder of PATH holds such a program$/],
];

test('what stands in the way of the answer is told, and nothing Debian’s is claimed that is not', () => {
  for (const [what, config, changes, path, statement] of hostile) {
    const [program] = runs(config, changes);
    assert.equal(program?.path, path, what);
    assert.match(program?.statement ?? '', statement, what);
  }
  assert.equal(runs({ Cmd: ['\u202enginx\n'] })[0]?.command, '\\xe2\\x80\\xaenginx\\x0a');
});

test('scripts that run each other, and words without end, end', () => {
  const loop = { ...START, '/a.sh': sh('exec /b.sh "$@" "$@"'), '/b.sh': sh('exec /a.sh "$@" "$@"') };
  assert.deepEqual(lines(runs({ Cmd: ['/a.sh', 'nginx'] }, loop)).slice(0, 3), [
    'entry-point /a.sh -> /a.sh',
    'interpreter /bin/sh -> /bin/sh',
    'script /b.sh -> /b.sh',
  ]);
  const many = Array.from({ length: 5000 }, (_one, index) => `p${index}`).join(';');
  assert.equal(runs({ Cmd: ['/bin/sh', '-c', many] }, START).length, 16);
  assert.equal(runs({ Cmd: ['/bin/sh', '-c', '"'.repeat(100_000)] }, START).length, 1);
});

test('simple commands of a shell', () => {
  const table: [string, string[]][] = [
    ['nginx', ['nginx']],
    ['exec nginx # exec other', ['exec:nginx']],
    ['# nothing\n\n', []],
    ['a&&b||c;d&e|f\ng', ['a', 'b', 'c', 'd', 'e', 'f', 'g']],
    ['\'a b\'\\ c"d"', ['a b cd']],
    ['X=1 Y="$z" prog', ['prog']],
    ['if test -f x; then prog; else other; fi', ['prog', 'other']],
    ['2>/dev/null >>log prog </in', ['prog']],
    ['set -e; export A=1; echo prog', []],
    ['exec -a name prog', ['exec:prog']],
    ['f() { prog; }', ['prog']],
    ['"$x" y', ['?$x']],
    ['a#b', ['a#b']],
    ['prog "unended', ['prog']],
  ];
  for (const [text, expected] of table) {
    const found = simpleCommands(text).map(
      ({ words: [first], exec }) => `${exec ? 'exec:' : ''}${first?.plain === true ? '' : '?'}${first?.text}`,
    );
    assert.deepEqual(found, expected, text);
  }
});
