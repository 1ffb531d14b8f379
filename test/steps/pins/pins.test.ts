import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDockerfile } from '../../../src/model/dockerfile.ts';
import { mayPin, pinsOf } from '../../../src/steps/pins/index.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const A = 'a1'.repeat(32);
const B = 'b2'.repeat(32);
const LONG = 'c3'.repeat(64);
const INTEGRITY = `sha512-${Buffer.from(LONG, 'hex').toString('base64')}`;

function pinned(lines: string[], texts: Record<string, string> = {}, buildArgs: Record<string, string> = {}): string[] {
  const parsed = parseDockerfile(`${['FROM scratch', ...lines].join('\n')}\n`);
  assert.ok(parsed.ok);
  for (const [path, text] of Object.entries(texts)) assert.ok(mayPin(path, text.length), path);
  const pins = pinsOf(parsed.dockerfile, 'Dockerfile', { platform, buildArgs }, new Map(Object.entries(texts)));
  const names = new Map([[A, 'A'], [B, 'B'], [LONG, 'LONG']]); // prettier-ignore
  return [pins.sha256, pins.sha512, pins.goSum]
    .flatMap((one) => [...one])
    .map(([value, { path, line }]) => `${names.get(value) ?? value} ${path}:${line}`);
}

type Case = [what: string, lines: string[], expected: string[], texts?: Record<string, string>, buildArgs?: Record<string, string>];

describe('a digest that the build checks is a pin', () => {
  const CASES: Case[] = [
    ['of ADD', [`ADD --checksum=sha256:${A} https://h.example/x /x`], ['A Dockerfile:2']],
    ['of ADD, by a variable', [`ARG SUM=${A}`, 'ADD --checksum=sha256:${SUM} https://h.example/x /x'], ['A Dockerfile:3']],
    ['piped into a check', ['RUN true', `RUN wget -O x http://h/x && echo "${A}  x" | sha256sum -c -`], ['A Dockerfile:3']],
    ['in a check over several lines', ['RUN set -eux; \\', '  wget -O x http://h/x; \\', `  echo '${A} *x' | sha256sum --check --strict; \\`, '  tar xf x'], ['A Dockerfile:2']],
    ['of another length', [`RUN echo "${LONG}  x" | sha512sum -c`], ['LONG Dockerfile:2']],
    ['of shasum', [`RUN printf '%s  %s\\n' ${A} x | shasum -a 256 -c`], ['A Dockerfile:2']],
    ['from the environment', [`ENV SUM ${A}`, 'RUN echo "$SUM  x" | sha256sum -c'], ['A Dockerfile:3']],
    ['given as a build argument', [`ARG SUM=${B}`, 'RUN echo "$SUM  x" | sha256sum -c'], ['A Dockerfile:3'], {}, { SUM: A }],
    ['of each architecture', [`RUN case $(uname -m) in x86_64) s=${A};; *) s=${B};; esac && echo "$s  x" | sha256sum -c`], ['A Dockerfile:2', 'B Dockerfile:2']],
    ['written to a list first', [`RUN echo "${A}  x" > sums && sha256sum -c sums`], ['A Dockerfile:2']],
    ['compared', [`RUN [ "$(sha256sum x | cut -d' ' -f1)" = ${A} ]`], ['A Dockerfile:2']],
    ['compared by way of a variable', [`RUN set -e; s=$(sha256sum x | cut -c1-64); test "$s" = "${A}"; tar xf x`], ['A Dockerfile:2']],
    ['in a list of the source', ['COPY SHA256SUMS .', 'RUN sha256sum -c SHA256SUMS'], ['A SHA256SUMS:2'], { SHA256SUMS: `# sums\n${A}  x\n` }],
    ['in a list of the source that is filtered', ['RUN grep x /src/tool.sha256 | sha256sum -c'], ['A dir/tool.sha256:1'], { 'dir/tool.sha256': `${A}  x\n` }],
    ['in a script of the source that a step runs', ['RUN ./get.sh'], ['A tools/get.sh:3'], { 'tools/get.sh': `#!/bin/sh -e\nwget http://h/x\necho "${A}  x" | sha256sum -c\ntar xf x\n` }],
    ['in a list of requirements', ['RUN pip install --no-cache-dir -r app/requirements.txt'], ['A requirements.txt:2', 'B requirements.txt:3'], { 'requirements.txt': `one==1 \\\n  --hash=sha256:${A} \\\n  --hash=sha256:${B}\n` }],
    ['of poetry', ['RUN poetry install'], ['A poetry.lock:2'], { 'poetry.lock': `files = [\n  {file = "x.whl", hash = "sha256:${A}"},\n]\n` }],
    ['of npm', ['RUN npm ci'], ['LONG package-lock.json:3'], { 'package-lock.json': `{"packages": {\n"node_modules/x": {\n    "integrity": "${INTEGRITY}",\n"dev": true}}}` }],
    ['of yarn', ['RUN yarn install --frozen-lockfile'], ['LONG yarn.lock:3'], { 'yarn.lock': `x@^1:\n  version "1"\n  integrity ${INTEGRITY}\n` }],
    ['of pnpm', ['RUN pnpm install'], ['LONG pnpm-lock.yaml:2'], { 'pnpm-lock.yaml': `  x@1:\n    resolution: {integrity: ${INTEGRITY}}\n` }],
    ['of go', ['RUN CGO_ENABLED=0 go build ./...'], [`h1:${'x'.repeat(43)}= go.sum:1`], { 'go.sum': `m.example/x v1.0.0 h1:${'x'.repeat(43)}=\nm.example/x v1.0.0/go.mod h1:${'y'.repeat(43)}=\n` }],
    ['of cargo', ['RUN cargo build --locked'], ['A Cargo.lock:3'], { 'Cargo.lock': `[[package]]\nname = "x"\nchecksum = "${A}"\n` }],
    ['of bundler', ['RUN bundle install'], ['A Gemfile.lock:2'], { 'Gemfile.lock': `CHECKSUMS\n  rack (3.0) sha256=${A}\n` }],
  ]; // prettier-ignore
  for (const [what, lines, expected, texts, buildArgs] of CASES)
    it(what, () => assert.deepEqual(pinned(lines, texts, buildArgs), expected));
});

describe('a digest that nothing checks is none', () => {
  const CASES: Case[] = [
    ['in a comment of the Dockerfile', [`# ${A}  x`, 'RUN sha256sum -c sums'], []],
    ['in a comment of a step', ['RUN wget http://h/x && \\', `  # echo ${A} x | sha256sum -c`, '  tar xf x'], []],
    ['in a comment of the shell', [`RUN wget http://h/x # echo ${A} x | sha256sum -c`], []],
    ['in a label', [`LABEL sum=${A}`, 'RUN sha256sum x'], []],
    ['in a variable that is not used', [`ENV SUM=${A}`, `RUN echo "${B}  y" | sha256sum -c`], ['B Dockerfile:3']],
    ['printed beside a check of something else', [`RUN echo ${A}; echo "${B}  y" | sha256sum -c`], ['B Dockerfile:2']],
    ['in a check that may fail', [`RUN echo "${A}  x" | sha256sum -c || true`], []],
    ['in a check whose failure is passed over', [`RUN echo "${A}  x" | sha256sum -c; tar xf x`], []],
    ['in a check in the background', [`RUN echo "${A}  x" | sha256sum -c & tar xf x`], []],
    ['in a check before a pipe', [`RUN echo "${A}  x" | sha256sum -c | cat`], []],
    ['that a program only makes', [`RUN echo "${A}" && sha256sum x`], []],
    ['compared to be another', [`RUN [ "$(sha256sum x | cut -c1-64)" != ${A} ]`], []],
    ['of a hash that can be forged', [`RUN echo "${'d4'.repeat(20)}  x" | sha1sum -c && echo "${'e5'.repeat(16)}  x" | md5sum -c`], []],
    ['in a list that no step checks', ['COPY SHA256SUMS .'], [], { SHA256SUMS: `${A}  x\n` }],
    ['in a comment of a list', ['RUN sha256sum -c SHA256SUMS'], [], { SHA256SUMS: `# ${A}  x\n` }],
    ['in a script that no step runs', ['COPY get.sh /'], [], { 'get.sh': `echo "${A}  x" | sha256sum -c\n` }],
    ['in a lock file that no step uses', ['RUN make'], [], { 'package-lock.json': `{\n"integrity": "${INTEGRITY}"\n}`, 'Cargo.lock': `checksum = "${A}"\n` }],
    ['in other requirements than the installed ones', ['RUN pip install -r requirements.txt'], [], { 'requirements-dev.txt': `one==1 --hash=sha256:${A}\n` }],
    ['in a comment of requirements', ['RUN pip install -r requirements.txt'], [], { 'requirements.txt': `one==1 # --hash=sha256:${A}\n` }],
    ['of go.mod alone', ['RUN go build'], [], { 'go.sum': `m.example/x v1.0.0/go.mod h1:${'y'.repeat(43)}=\n` }],
  ]; // prettier-ignore
  for (const [what, lines, expected, texts] of CASES) it(what, () => assert.deepEqual(pinned(lines, texts), expected));

  it('in a README, which is not even read', () => {
    assert.ok(!mayPin('README.md', 100) && !mayPin('docs/install', 100) && !mayPin('yarn.lock', 2 ** 30));
  });
});
