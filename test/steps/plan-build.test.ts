import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDockerfile, type Dockerfile } from '../../src/model/dockerfile.ts';
import type { Digest } from '../../src/model/digest.ts';
import type { History, Platform, ResolvedImage } from '../../src/model/oci.ts';
import type { BuildFailure, BuildPlan } from '../../src/model/rebuild.ts';
import { chooseBuilder } from '../../src/steps/choose-builder.ts';
import { findRecipe } from '../../src/steps/find-recipe.ts';
import { basesOf, planBuild } from '../../src/steps/plan-build.ts';

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const id = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

function file(...lines: string[]): Dockerfile {
  const parsed = parseDockerfile(`${lines.join('\n')}\n`);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.dockerfile;
}

function image(parts: { layers?: Digest[]; created?: string; history?: History[]; mediaType?: string } = {}): ResolvedImage {
  return {
    reference: 'registry.example/app:1',
    digest: id('1'),
    manifestDigest: id('2'),
    platform: amd64,
    manifest: {
      mediaType: parts.mediaType ?? 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: '', digest: id('3'), size: 0 },
      layers: [],
    },
    config: {
      ...amd64,
      rootfs: { type: 'layers', diff_ids: parts.layers ?? [] },
      ...(parts.created === undefined ? {} : { created: parts.created }),
      ...(parts.history === undefined ? {} : { history: parts.history }),
    },
  };
}

function plan(
  dockerfile: Dockerfile,
  published = image(),
  base = image(),
  request: Parameters<typeof findRecipe>[0] = {},
  builders: BuildPlan['builder'][] = ['buildah'],
): BuildPlan | BuildFailure {
  const recipe = findRecipe(request, []);
  const choice = chooseBuilder({ published, dockerfile, recipe, ignores: false, builders });
  return 'reason' in choice
    ? choice
    : planBuild({
        recipe,
        published,
        dockerfile,
        bases: [{ image: base, pinned: { reference: 'debian:12', digest: base.digest, manifestDigest: base.manifestDigest } }],
        choice,
      });
}

const byBuildkit = image({ history: [{ created_by: 'RUN /bin/sh -c id # buildkit', comment: 'buildkit.dockerfile.v0' }] });
const both: BuildPlan['builder'][] = ['buildah', 'buildkit'];

describe('basesOf', () => {
  const cases: [
    what: string,
    Dockerfile,
    request: Parameters<typeof findRecipe>[0],
    expected: string[] | [reason: string, line: number | undefined],
  ][] = [
    ['one image', file('FROM debian:12'), {}, ['debian:12']],
    ['scratch', file('FROM scratch'), {}, []],
    [
      'stages, by name without case and by number',
      file('FROM a AS Build', 'FROM b', 'COPY --from=build x y', 'COPY --from=0 x y', 'FROM BUILD'),
      {},
      ['a', 'b'],
    ],
    [
      'images named by COPY and by mounts',
      file('FROM a', 'COPY --from=busybox x y', 'RUN --mount=from=tools:1,target=/t id'),
      {},
      ['a', 'busybox', 'tools:1'],
    ],
    ['a name that becomes a stage only later', file('FROM debian AS debian', 'FROM debian'), {}, ['debian']],
    ['arguments with defaults', file('ARG TAG=12', 'ARG IMAGE=debian:${TAG}', 'FROM $IMAGE'), {}, ['debian:12']],
    ['arguments as given', file('ARG TAG=12', 'FROM debian:${TAG}'), { buildArgs: { TAG: '13' } }, ['debian:13']],
    ['an argument that is not declared before FROM', file('FROM debian:${TAG}'), { buildArgs: { TAG: '13' } }, ['build-failed', 1]],
    ['an argument named like a member of every object', file('ARG constructor', 'FROM debian$constructor'), {}, ['build-failed', 2]],
    ['platform arguments', file('FROM --platform=$BUILDPLATFORM debian:$TARGETARCH'), {}, ['debian:amd64']],
    ['another platform', file('FROM --platform=linux/s390x debian'), {}, ['unsupported', 1]],
    ['a target', file('FROM a AS one', 'FROM b AS two'), { target: 'one' }, ['a']],
    ['a target by number', file('FROM a', 'FROM b'), { target: '1' }, ['a', 'b']],
    ['no such target', file('FROM a'), { target: 'none' }, ['build-failed', undefined]],
    ['a variable in COPY --from', file('FROM a', 'COPY --from=$X a b'), {}, ['unsupported', 2]],
    ['a stage beyond the numbers', file('FROM a', 'COPY --from=7 a b'), {}, ['a', '7']],
  ];
  for (const [what, dockerfile, request, expected] of cases) {
    it(what, () => {
      const found = basesOf(dockerfile, findRecipe(request, []), amd64);
      assert.deepEqual('reason' in found ? [found.reason, found.line] : found.references, expected);
    });
  }
});

describe('planBuild', () => {
  it('pins what the file names', () => {
    const made = plan(file('ARG V=12', 'FROM debian:$V', 'RUN id'), image(), image(), {
      dockerfile: './docker/Dockerfile',
      buildArgs: { A: 'b' },
    });
    assert.deepEqual(made, {
      builder: 'buildah',
      dockerfile: 'docker/Dockerfile',
      buildArgs: { A: 'b' },
      origins: { dockerfile: 'request' },
      platform: amd64,
      bases: [{ reference: 'debian:12', digest: id('1'), manifestDigest: id('2') }],
      format: 'oci',
      layers: 'each-step',
    });
  });

  it('refuses by name what cannot be rebuilt here', () => {
    const cases: [line: string, reason: string, detail: RegExp][] = [
      ['RUN --mount=type=secret,id=npm,target=/root/.npmrc id', 'secret-required', /secret,id=npm/],
      ['RUN --mount=type=ssh git clone x', 'secret-required', /ssh/],
      ['RUN --mount=type=frobnicate id', 'unsupported', /frobnicate/],
      ['RUN --security=insecure id', 'unsupported', /--security/],
      ['RUN <<EOF\nid\nEOF', 'unsupported', /here-document/],
      ['COPY --link a b', 'unsupported', /COPY --link/],
      ['COPY --parents a b', 'unsupported', /--parents/],
      ['ADD --checksum=sha256:00 https://example.org/x /x', 'unsupported', /ADD --checksum/],
    ];
    for (const [line, reason, detail] of cases) {
      const made = plan(file('FROM debian:12', '', line));
      assert.ok('reason' in made, line);
      assert.equal(made.reason, reason, line);
      assert.match(made.detail, detail);
      assert.equal(made.line, 3, line);
    }
    for (const syntax of ['docker/dockerfile:1', 'docker.io/docker/dockerfile:1.7.1', `docker/dockerfile:1@${id('a')}`])
      assert.ok(!('reason' in plan(file(`# syntax=${syntax}`, 'FROM debian:12'))), syntax);
    for (const syntax of ['docker/dockerfile:1-labs', 'evil.example/docker/dockerfile:1', 'docker/dockerfile-upstream:master'])
      assert.ok('reason' in plan(file(`# syntax=${syntax}`, 'FROM debian:12')), syntax);
    for (const line of [
      'RUN --mount=type=cache,target=/c id',
      'RUN --mount=type=tmpfs,target=/t id',
      'RUN --mount=target=/c id',
      'COPY --chown=1:1 --chmod=755 a b',
    ])
      assert.ok(!('reason' in plan(file('FROM debian:12', line))), line);
  });

  it('builds with what the published image shows, where that is set up and can', () => {
    const builderOf = (published: ResolvedImage, builders = both, line = 'RUN id') => {
      const made = plan(file('FROM debian:12', line), published, image(), {}, builders);
      return 'reason' in made ? [made.reason, made.detail] : [made.builder, made.detail];
    };
    assert.deepEqual(builderOf(image()), ['buildah', undefined]);
    assert.deepEqual(builderOf(byBuildkit), ['buildkit', undefined]);
    assert.deepEqual(builderOf(image({ history: [...byBuildkit.config.history!, { created_by: 'buildah' }] })), ['buildah', undefined]);
    assert.deepEqual(builderOf(byBuildkit, ['buildah']), ['buildah', 'the image was built by BuildKit, which is not set up here']);
    assert.deepEqual(builderOf(image(), both, 'COPY --link a b'), ['buildkit', 'buildah cannot do COPY --link']);
    assert.deepEqual(builderOf(byBuildkit, ['buildah'], 'RUN <<end\nid\nend'), [
      'unsupported',
      'a here-document in RUN: the image was built by BuildKit, which is not set up here',
    ]);
    assert.deepEqual(builderOf(byBuildkit, both, 'RUN --security=insecure id'), ['unsupported', 'RUN --security']);
    assert.deepEqual(builderOf(byBuildkit, both, 'RUN --mount=type=secret,id=x id')[0], 'secret-required');
  });

  it('knows what BuildKit builds', () => {
    for (const line of [
      'RUN <<end\nid\nend',
      'COPY <<end /etc/motd\nhello\nend',
      'COPY --link --parents --exclude=*.o --chmod=755 a b',
      'ADD --checksum=sha256:00 --link --unpack https://example.org/x /x',
      'ADD --keep-git-dir=true https://example.org/x.git /x',
      'RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=bind,target=/b --network=none id',
      'HEALTHCHECK --start-interval=1s --retries=3 CMD true',
      'ONBUILD RUN id',
      'SHELL ["/bin/bash", "-c"]',
    ])
      assert.ok(!('reason' in plan(file('FROM debian:12', line), byBuildkit, image(), {}, both)), line);
    for (const line of ['RUN --device=vendor.example/gpu id', 'RUN --security=insecure id', 'COPY --frobnicate a b'])
      assert.ok('reason' in plan(file('FROM debian:12', line), byBuildkit, image(), {}, both), line);
    for (const [syntax, known] of [
      ['docker/dockerfile:1', true],
      ['docker/dockerfile:1.7-labs', true],
      ['docker/dockerfile:1.28', true],
      ['docker/dockerfile-upstream:master', false],
      ['evil.example/docker/dockerfile:1', false],
    ] as const)
      assert.equal(!('reason' in plan(file(`# syntax=${syntax}`, 'FROM debian:12'), byBuildkit, image(), {}, both)), known, syntax);
    const newer = plan(file('# syntax=docker/dockerfile:1.900', 'FROM debian:12'), byBuildkit, image(), {}, ['buildkit']);
    assert.ok('reason' in newer && newer.reason === 'unsupported');
    const given = plan(file('FROM debian:12'), byBuildkit, image(), { buildArgs: { BUILDKIT_SYNTAX: 'evil.example/x' } }, both);
    assert.ok('reason' in given && given.reason === 'unsupported');
  });

  it('refuses a named context by name, where it is used', () => {
    const choose = (dockerfile: Dockerfile) => {
      const recipe = { ...findRecipe({}, []), contexts: { lib: 'https://example.org/lib.git' } };
      return chooseBuilder({ published: byBuildkit, dockerfile, recipe, ignores: false, builders: both });
    };
    const used = choose(file('FROM debian:12', 'COPY --from=lib /a /a'));
    assert.ok('reason' in used && used.reason === 'unsupported' && /lib/.test(used.detail) && used.line === 2);
    assert.deepEqual(choose(file('FROM debian:12', 'COPY lib /a')), { builder: 'buildkit' });
  });

  it('leaves to buildah a context whose .dockerignore was not heeded, and an image in the place of another', () => {
    const choose = (given: Partial<ReturnType<typeof findRecipe>>, ignores: boolean) =>
      chooseBuilder({
        published: byBuildkit,
        dockerfile: file('FROM lib'),
        recipe: { ...findRecipe({}, []), ...given },
        ignores,
        builders: both,
      });
    assert.deepEqual(choose({ wholeContext: true }, false), { builder: 'buildkit' });
    assert.deepEqual(choose({}, true), { builder: 'buildkit' });
    for (const [given, ignores, why] of [
      [{ wholeContext: true }, true, /dockerignore/],
      [{ contexts: { lib: 'docker-image://debian:12' } }, false, /lib/],
    ] as const) {
      const choice = choose(given, ignores);
      assert.ok('builder' in choice && choice.builder === 'buildah' && why.test(choice.detail ?? ''), JSON.stringify(choice));
    }
  });

  it('leaves out the stages that BuildKit does not need', () => {
    const dockerfile = file(
      'FROM debian:12 AS tools',
      'FROM nowhere:1 AS unused',
      'RUN --mount=type=secret,id=x id',
      'FROM tools AS mid',
      'FROM debian:12 AS src',
      'FROM mid',
      'COPY --from=3 /a /a',
      'RUN --mount=from=other:2,target=/o id',
    );
    const bases = (builder: BuildPlan['builder']) => basesOf(dockerfile, findRecipe({}, []), amd64, builder);
    assert.deepEqual(bases('buildkit'), { references: ['debian:12', 'other:2'], final: 'debian:12' });
    assert.deepEqual(bases('buildah'), { references: ['debian:12', 'nowhere:1', 'other:2'], final: 'debian:12' });
    assert.ok(!('reason' in plan(dockerfile, byBuildkit, image(), {}, both)));
  });

  it('compresses as the published image, only where the manifests can be equal', () => {
    const at = '2024-02-29T12:00:00Z';
    const compressionOf = (mediaType: string, created: string, annotations: Record<string, string> = {}) => {
      const published = image({ created, history: [{ created: at, comment: 'buildkit.dockerfile.v0' }] });
      published.manifest.layers.push({ mediaType, digest: id('9'), size: 1, annotations });
      const made = plan(file('FROM debian:12'), published, image(), {}, both);
      assert.ok(!('reason' in made));
      return made.compression;
    };
    const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
    assert.equal(compressionOf(gzip, at), 'gzip');
    assert.equal(compressionOf('application/vnd.docker.image.rootfs.diff.tar.gzip', at), 'gzip');
    assert.equal(compressionOf('application/vnd.oci.image.layer.v1.tar+zstd', at), 'zstd');
    assert.equal(compressionOf(gzip, at, { 'containerd.io/snapshot/stargz/toc.digest': id('8') }), 'estargz');
    assert.equal(compressionOf('application/vnd.oci.image.layer.v1.tar', at), undefined);
    assert.equal(compressionOf(gzip, '2024-02-29T12:00:00.5Z'), undefined);
  });

  it('leaves out stages after the target', () => {
    const dockerfile = file('FROM debian:12 AS app', 'FROM app AS test', 'RUN --mount=type=secret,id=x id');
    assert.ok(!('reason' in plan(dockerfile, image(), image(), { target: 'app' })));
    assert.ok('reason' in plan(dockerfile));
  });

  it('keeps the manifest format of the published image', () => {
    const made = plan(file('FROM debian:12'), image({ mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }));
    assert.ok('format' in made && made.format === 'docker');
  });

  it('builds in the format that has what the published configuration has', () => {
    const formatOf = (config: object): string | undefined => {
      const published = image();
      const made = plan(file('FROM debian:12'), { ...published, config: { ...published.config, config } });
      return 'format' in made ? made.format : undefined;
    };
    for (const config of [{ Healthcheck: { Test: ['NONE'] } }, { Shell: ['/bin/bash', '-c'] }, { OnBuild: ['RUN id'] }])
      assert.equal(formatOf(config), 'docker', JSON.stringify(config));
    assert.equal(formatOf({ OnBuild: [], Cmd: ['sh'] }), 'oci');
  });

  it('refuses a named context in the place of a stage', () => {
    const found = basesOf(
      file('FROM debian:12 AS made', 'FROM made'),
      { ...findRecipe({}, []), contexts: { made: 'docker-image://x' } },
      amd64,
    );
    assert.ok('reason' in found && found.reason === 'unsupported' && found.line === 1);
  });

  it('finds an epoch only where the whole history above the base has one time', () => {
    const at = '2024-02-29T12:00:00Z';
    const base = image({ history: [{ created: '2020-01-01T00:00:00Z', created_by: 'base' }] });
    const above = (...history: History[]): History[] => [...(base.config.history ?? []), ...history];
    const epochOf = (published: ResolvedImage): number | undefined => {
      const made = plan(file('FROM debian:12'), published, base);
      assert.ok(!('reason' in made));
      return made.epoch;
    };
    assert.equal(epochOf(image({ created: at, history: above({ created: at }, { created: at, empty_layer: true }) })), 1709208000);
    assert.equal(epochOf(image({ created: at, history: above({ created: at }, { created: '2024-02-29T12:00:01Z' }) })), undefined);
    assert.equal(
      epochOf(image({ created: '2024-02-29T12:00:00.000000001Z', history: above({ created: '2024-02-29T12:00:00.000000001Z' }) })),
      undefined,
    );
    assert.equal(epochOf(image({ created: at, history: above() })), undefined);
    assert.equal(epochOf(image({ created: at, history: above({}) })), undefined);
    assert.equal(epochOf(image({ history: above({ created: at }) })), undefined);
  });

  it('sees whether every step has a layer of its own', () => {
    const base = image({ layers: [id('a')] });
    const dockerfile = file('FROM debian:12 AS base', 'RUN one', 'FROM base', 'COPY two /two');
    const layersOf = (layers: Digest[]): string | undefined => {
      const made = plan(dockerfile, image({ layers }), base);
      assert.ok(!('reason' in made));
      return made.layers;
    };
    assert.equal(layersOf([id('a'), id('b')]), 'one');
    assert.equal(layersOf([id('a'), id('b'), id('c')]), 'each-step');
  });
});
