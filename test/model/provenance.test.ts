import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isAbout, parseStatement } from '../../src/model/attestation.ts';
import { digestOf } from '../../src/model/digest.ts';
import { OciFault } from '../../src/model/oci-parse.ts';
import type { Provenance } from '../../src/model/provenance.ts';
import { parseProvenance } from '../../src/model/provenance-parse.ts';

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/buildkit/${name}.json`, import.meta.url));
const digest = digestOf('attestation');
const parse = (bytes: Buffer | object): Provenance =>
  parseProvenance({ digest, attachedBy: 'index', ...parseStatement(Buffer.isBuffer(bytes) ? bytes : Buffer.from(JSON.stringify(bytes))) });
const COMMIT = 'a3650183cc870a7f47a8d30947286c6b4ee68ceb';
const BASE = { reference: '127.0.0.1:5055/base:1', digest: 'sha256:37171eaf9cf4e309e42b3301509f1e5a7193df3c0ea42e3ad4e29a3a95d089ab' };

type Json = Record<string, unknown>;
type Definition = Json & { externalParameters: { configSource: Json; request: Json } };
type Parts = {
  source: Json;
  request: Json;
  extra: Json;
  definition: Json;
  run: { builder: Json; metadata: { buildkit_metadata: Json } };
};

/** A statement of BuildKit's with members put over those of `mode=max`, version 1. */
function changed(change: (parts: Parts) => void): Provenance {
  const statement = JSON.parse(fixture('git-v1').toString()) as { predicate: { buildDefinition: Definition; runDetails: Parts['run'] } };
  const { buildDefinition: definition, runDetails: run } = statement.predicate;
  const { configSource: source, request } = definition.externalParameters;
  change({ source, request, extra: run.metadata.buildkit_metadata, definition, run });
  return parse(statement);
}
const vcs = (values: Record<string, string>, locals = ['context', 'dockerfile'], file?: string): Provenance =>
  changed(({ source, request, extra }) => {
    delete source.uri;
    delete source.digest;
    if (file === undefined) delete source.path;
    else source.path = file;
    request.locals = locals.map((name) => ({ name }));
    extra.vcs = values;
  });

describe('provenance of BuildKit', () => {
  for (const version of ['v0.2', 'v1']) {
    it(`${version} names repository, commit, folder, file, arguments, target and base`, () => {
      const { stated, repository, recipe, images } = parse(fixture(`git-${version}`));
      assert.deepEqual(repository, { git: 'http://127.0.0.1:5056/app/.git', ref: COMMIT, subdir: 'sub' });
      assert.ok(recipe !== undefined);
      const { text, ...rest } = recipe;
      assert.match(Buffer.from(text ?? []).toString(), /^# syntax-free\nARG BASE=/);
      assert.deepEqual(rest, {
        dockerfile: 'docker/Dockerfile',
        target: 'two',
        buildArgs: { V: '7' },
        labels: {},
        contexts: {},
        locals: [],
        wholeContext: true,
      });
      assert.deepEqual(images, [BASE]);
      const { buildType, startedOn, ...said } = stated;
      assert.match(buildType ?? '', /buildkit/);
      assert.match(startedOn ?? '', /^20/);
      assert.deepEqual(said, {
        digest,
        attachedBy: 'index',
        predicateType: `https://slsa.dev/provenance/${version}`,
        builder: 'https://ci.example/run/1',
        builderVersion: { dockerfile: '1.28.0' },
        complete: true,
      });
    });
  }

  it('of a local folder names what its client told of the working tree, and that it had changes', () => {
    const { stated, repository, recipe } = parse(fixture('local'));
    assert.deepEqual(repository, { git: 'https://github.com/a/b.git', ref: 'abcdef1234567890abcdef1234567890abcdef12', subdir: 'sub' });
    assert.equal(stated.uncommitted, true);
    assert.deepEqual([recipe?.locals, recipe?.dockerfile], [['context', 'dockerfile', 'othr'], 'Dockerfile']);
    assert.deepEqual([recipe?.labels, recipe?.contexts], [{ x: 'y' }, { other: 'local:othr' }]);
  });

  it('in mode=min says that it does not name the arguments', () => {
    const { stated, repository, recipe } = parse(fixture('min'));
    assert.equal(stated.complete, false);
    assert.deepEqual(repository, { git: 'http://127.0.0.1:5056/app/.git', ref: COMMIT });
    assert.deepEqual([recipe?.buildArgs, recipe?.text], [{}, undefined]);
  });

  it('finds the Dockerfile of a working tree by where the two folders are', () => {
    const revision = 'a'.repeat(40);
    const source = 'https://github.com/a/b';
    const where = (context: string, dockerfile: string, file?: string): (string | undefined)[] => {
      const { recipe, repository } = vcs(
        { source, revision, 'localdir:context': context, 'localdir:dockerfile': dockerfile },
        undefined,
        file,
      );
      return [recipe?.dockerfile, repository?.subdir];
    };
    assert.deepEqual(where('.', 'docker'), ['docker/Dockerfile', undefined]);
    assert.deepEqual(where('app', 'app/docker', 'web.Dockerfile'), ['docker/web.Dockerfile', 'app']);
    assert.deepEqual(where('app', 'docker'), ['../docker/Dockerfile', 'app']);
    assert.deepEqual(where('../..', 'docker'), ['Dockerfile', undefined]);
    assert.equal(vcs({ source, revision, 'localdir:context': '/etc' }).repository, undefined);
    assert.deepEqual(vcs({ source: 'git@github.com:a/b.git', revision }).repository, { git: 'https://github.com/a/b.git', ref: revision });
  });

  it('takes no working tree without a whole commit, and no address with credentials', () => {
    const revision = 'a'.repeat(40);
    for (const values of [{ revision }, { source: 'https://github.com/a/b' }, { source: 'https://github.com/a/b', revision: 'main' }])
      assert.equal(vcs(values).repository, undefined);
    for (const source of ['https://me:secret@example.org/x', 'file:///etc', 'ext::sh -c id', '--upload-pack=id', 'https://e.org/\u202e'])
      assert.equal(vcs({ source, revision }).repository, undefined, source);
  });

  it('tells an archive as the context from a repository', () => {
    const archive = (uri: string, more: object): Provenance => changed(({ source }) => Object.assign(source, { uri, digest: more }));
    const { repository, recipe } = archive('https://example.org/context.tar.gz', { sha256: 'b'.repeat(64) });
    assert.deepEqual([repository, recipe?.archive], [undefined, 'https://example.org/context.tar.gz']);
    assert.equal(archive('https://example.org/x.git#main', { sha256: 'b'.repeat(64) }).repository?.ref, 'b'.repeat(64));
    assert.equal(archive('https://example.org/x.git#main', {}).repository, undefined, 'a branch is no commit');
  });

  it('takes only members of the right form, and says that something is missing', () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_none, index) => [`build-arg:A${index}`, '1']));
    const cases: [what: string, args: unknown, names: number, complete: boolean][] = [
      ['no object', ['build-arg:A'], 0, true],
      ['names that no shell has', { 'build-arg:A-B': '1', 'build-arg:--x': '1', 'build-arg:': '1' }, 0, false],
      ['the name that sets a prototype', JSON.parse('{"build-arg:__proto__": "1", "build-arg:B": "2"}'), 1, false],
      ['values that are no text', { 'build-arg:A': { toString: 1 }, 'build-arg:B': 1, 'build-arg:C': 'c' }, 1, false],
      ['a long value', { 'build-arg:A': 'x'.repeat(10_000) }, 0, false],
      ['too many', many, 100, false],
    ];
    for (const [what, args, names, complete] of cases) {
      const { recipe, stated } = changed(({ request }) => (request.args = args));
      assert.equal(Object.keys(recipe?.buildArgs ?? {}).length, names, what);
      assert.equal(stated.complete, complete, what);
    }
    for (const path of ['/etc/passwd', '../../x', 'a/../../b'])
      assert.equal(changed(({ source }) => (source.path = path)).recipe?.dockerfile, '../', path);
    for (const uri of ['http://127.0.0.1/x.git#v1:../..', 'http://127.0.0.1/x.git#v1:/etc'])
      assert.equal(changed(({ source }) => (source.uri = uri)).repository, undefined, uri);
    assert.equal(changed(({ run }) => (run.builder.id = 'a\u001b[31m')).stated.builder, undefined);
    assert.equal(changed(({ request }) => (request.frontend = '')).recipe, undefined, 'not of a Dockerfile');
    assert.equal(changed(({ definition }) => (definition.buildType = 'https://example.org/mine')).recipe, undefined);
  });

  it('reads images as package URLs write them', () => {
    const sha256 = 'c'.repeat(64);
    const images = (...uris: string[]): string[] =>
      changed(({ definition }) => (definition.resolvedDependencies = uris.map((uri) => ({ uri, digest: { sha256 } })))).images.map(
        (one) => one.reference,
      );
    assert.deepEqual(images('pkg:docker/debian@12?platform=linux%2Famd64', 'pkg:docker/localhost%3A5000/a/b@1'), [
      'docker.io/library/debian:12',
      'localhost:5000/a/b:1',
    ]);
    assert.deepEqual(images(`pkg:docker/debian@12?digest=sha256:${sha256}`, `pkg:docker/debian@sha256:${sha256}`), [
      'docker.io/library/debian:12',
      `docker.io/library/debian@sha256:${sha256}`,
    ]);
    assert.deepEqual(
      images('pkg:docker/%ff@1', 'pkg:docker/UPPER@1', 'pkg:deb/debian/x@1', 'pkg:docker/a@1?ref_type=blob', 'https://e.org'),
      [],
    );
  });
});

describe('provenance of others', () => {
  const statement = (predicateType: string, predicate: object): object => ({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: '_', digest: { sha256: 'd'.repeat(64) } }],
    predicateType,
    predicate,
  });

  it("GitHub's own attestation names repository and commit, and no recipe", () => {
    const { repository, recipe, stated } = parse(
      statement('https://slsa.dev/provenance/v1', {
        buildDefinition: {
          buildType: 'https://actions.github.io/buildtypes/workflow/v1',
          externalParameters: {
            workflow: { ref: 'refs/heads/main', repository: 'https://github.com/a/b', path: '.github/workflows/x.yml' },
          },
          resolvedDependencies: [{ uri: 'git+https://github.com/a/b@refs/heads/main', digest: { gitCommit: COMMIT } }],
        },
        runDetails: { builder: { id: 'https://github.com/actions/runner/github-hosted' } },
      }),
    );
    assert.deepEqual(repository, { git: 'https://github.com/a/b', ref: COMMIT });
    assert.deepEqual([recipe, stated.complete, stated.builder], [undefined, false, 'https://github.com/actions/runner/github-hosted']);
  });

  it("the SLSA generator's entry point is a workflow, no Dockerfile", () => {
    const { repository, recipe } = parse(
      statement('https://slsa.dev/provenance/v0.2', {
        buildType: 'https://github.com/slsa-framework/slsa-github-generator/container@v1',
        invocation: {
          configSource: { uri: 'git+https://github.com/a/b@refs/tags/v1', digest: { sha1: COMMIT }, entryPoint: '.github/workflows/x.yml' },
        },
      }),
    );
    assert.deepEqual([repository, recipe], [{ git: 'https://github.com/a/b', ref: COMMIT }, undefined]);
  });

  it('nothing of use does no harm', () => {
    for (const predicate of [
      {},
      { buildDefinition: 1, runDetails: [] },
      { buildDefinition: { resolvedDependencies: [null, 1, { uri: 1 }] } },
    ])
      assert.deepEqual(parse(statement('https://slsa.dev/provenance/v1', predicate)).repository, undefined);
  });
});

describe('statements', () => {
  const plain = fixture('min');
  const image = {
    digest: digestOf('index'),
    manifestDigest: 'sha256:8d18dbb4cc56334af5b0eacc72256a82dc7cf64a515ac0e3af7693a30fa6f824',
  } as const;
  const envelope = { payloadType: 'application/vnd.in-toto+json', payload: plain.toString('base64'), signatures: [{ sig: 'AA==' }] };

  it('are read out of a DSSE envelope, and that out of a Sigstore bundle', () => {
    for (const wrapped of [envelope, { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', dsseEnvelope: envelope }]) {
      const read = parseStatement(Buffer.from(JSON.stringify(wrapped)));
      assert.deepEqual(read, parseStatement(plain));
      assert.ok(isAbout(read, image));
      assert.ok(!isAbout(read, { digest: image.digest, manifestDigest: digestOf('another') }));
    }
  });

  it('are refused where they have another form', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const refused = [
      'null',
      '[]',
      '{"a":',
      '{}',
      JSON.stringify({ ...envelope, payload: '!!' }),
      JSON.stringify({ ...envelope, payloadType: 'text/html' }),
      JSON.stringify({ ...JSON.parse(plain.toString()), _type: 'https://example.org/Statement/v1' }),
      JSON.stringify({ ...JSON.parse(plain.toString()), subject: Array.from({ length: 1001 }, () => ({})) }),
      `{"_type": ${deep}}`,
    ];
    for (const text of refused) assert.throws(() => parseStatement(Buffer.from(text)), OciFault, text.slice(0, 80));
    assert.throws(() => parseStatement(Buffer.from([0xff, 0xfe])), OciFault);
  });
});
