import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imagesOfManifests, ManifestError, type Manifests } from '../../src/steps/images-of-manifests.ts';
import { interpolate, UnsetVariable } from '../../src/steps/interpolate.ts';

const read = (text: string, environment: Record<string, string> = {}): Manifests => imagesOfManifests([{ name: 'f', text }], environment);
const lines = ({ images, untold }: Manifests): string[] => [
  ...images.map(({ image, platform, usedBy }) => `${image}${platform === undefined ? '' : ` ${platform}`}: ${usedBy.join(', ')}`),
  ...untold.map(({ usedBy, why }) => `${usedBy}: ${why}`),
];

describe('a Compose file', () => {
  it('names each image once, with its platform, and what has none', () => {
    const text = `
x-common: &common { image: 'registry.example/app:\${TAG:-1}' }
services:
  web: { <<: *common, ports: ['80:80'] }
  worker: *common
  arm: { <<: *common, platform: linux/arm64 }
  cache: { image: redis, build: . }
  local: { build: . }
  nothing: { command: x }
  empty:
`;
    assert.deepEqual(lines(read(text)), [
      'registry.example/app:1: web, worker',
      'registry.example/app:1 linux/arm64: arm',
      'redis: cache',
      'local: it is built here and has no published image',
      'nothing: it names no image',
      'empty: it names no image',
    ]);
    assert.equal(read(text, { TAG: '2' }).images[0]?.image, 'registry.example/app:2');
  });

  it('may change a service of another one', () => {
    const both = (one: string, other: string) =>
      lines(
        imagesOfManifests(
          [
            { name: 'a', text: one },
            { name: 'b', text: other },
          ],
          {},
        ),
      );
    const base = 'services: { web: { image: a } }';
    const change = 'services: { web: { environment: [A=1] }, more: { build: . } }';
    const told = ['a: web', 'more: it is built here and has no published image'];
    assert.deepEqual(both(base, change), told);
    assert.deepEqual(both(change, base), told);
  });

  it('does not hide what it includes', () => {
    assert.match(lines(read('include: [x.yaml]\nservices: { a: { image: b } }')).at(-1) ?? '', /^include: other files/);
  });
});

describe('a Kubernetes manifest', () => {
  it('has images in every kind, list and template', () => {
    const text = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  template:
    spec:
      initContainers: [{ name: init, image: busybox:1 }]
      containers: [{ name: app, image: 'app@sha256:${'0'.repeat(64)}' }, { name: side, image: busybox:1 }]
      volumes: [{ name: data, image: { reference: models:1 } }, { name: tmp, emptyDir: {} }]
---
# nothing
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: night }
spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: job, image: job:1 }] } } } } }
---
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Pod, metadata: { name: one }, spec: { containers: [{ name: c, image: one:1 }], ephemeralContainers: [{ name: debug, image: debug:1 }] } }
  - { apiVersion: v1, kind: ConfigMap, metadata: { name: text }, data: { image: not-an-image, containers: 'x' } }
  - { apiVersion: argoproj.io/v1, kind: Rollout, metadata: { name: roll }, spec: { template: { spec: { containers: [{ name: r, image: roll:1 }] } } } }
`;
    assert.deepEqual(lines(read(text)), [
      'busybox:1: Deployment/web init, Deployment/web side',
      `app@sha256:${'0'.repeat(64)}: Deployment/web app`,
      'models:1: Deployment/web volume data',
      'job:1: CronJob/night job',
      'one:1: Pod/one c',
      'debug:1: Pod/one debug',
      'roll:1: Rollout/roll r',
    ]);
  });

  it('has no variables', () => {
    const pod = "apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { containers: [{ name: c, image: '$X' }] }";
    assert.equal(read(pod, { X: 'y' }).images[0]?.image, '$X');
  });
});

describe('a hostile file', () => {
  const laughs = [
    'a0: &a0 [x]',
    ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`),
  ].join('\n');
  const REFUSED: [what: string, text: string, message: RegExp][] = [
    ['a billion laughs', `${laughs}\nservices: { a: { image: b } }`, /alias/i],
    ['too deep a flow', '['.repeat(100_000), /./],
    ['too deep a block', `apiVersion: v1\nkind: X\na: ${'{ a: '.repeat(150)}1${' }'.repeat(150)}`, /deep/],
    ['too large', `services: {}\n#${'x'.repeat(1024 * 1024)}`, /larger/],
    ['a key that is there twice', 'services: { web: { image: good, image: bad } }', /image is there twice/],
    ['a service that is there twice', 'services:\n  web: { image: good }\n  web: { image: bad }', /web is there twice/],
    ['an image that is no text', 'services: { web: { image: [a] } }', /image is no text/],
    ['a variable that is not set', 'services: { web: { image: "app:${TAG}" } }', /needs TAG, which is not set/],
    [
      'more images than are asked about',
      `services:\n${Array.from({ length: 101 }, (_, n) => `  s${n}: { image: i${n} }`).join('\n')}`,
      /more than 100/,
    ],
    ['no YAML', 'services: [', /./],
    ['another form', 'hello: world', /neither a Compose file nor/],
    ['nothing', '', /no image/],
    ['a list', '- a', /neither/],
  ];
  for (const [what, text, message] of REFUSED)
    it(`is refused: ${what}`, () =>
      assert.throws(
        () => read(text),
        (thrown) => thrown instanceof ManifestError && message.test(thrown.message),
      ));

  it('may name itself', () => {
    const text = 'apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: &s { containers: [{ name: c, image: a }], again: *s }';
    assert.deepEqual(lines(read(text)), ['a: Pod/p c']);
  });

  it('takes no more than a moment', () => {
    const keys = Array.from({ length: 30_000 }, (_, n) => `  k${n}: 1`).join('\n');
    assert.equal(read(`services: { a: { image: b } }\nx-many:\n${keys}`).images.length, 1);
  });

  it('has no name that every object has', () => {
    assert.deepEqual(lines(read('services: { __proto__: { image: a }, constructor: { image: b } }')), ['a: __proto__', 'b: constructor']);
  });
});

describe('variables of a Compose file', () => {
  const environment = { SET: 'value', EMPTY: '' };
  const GOOD: [text: string, expected: string][] = [
    ['a$SET', 'avalue'],
    ['a${SET}b', 'avalueb'],
    ['${NONE:-x:1}', 'x:1'],
    ['${EMPTY:-x}', 'x'],
    ['${EMPTY-x}', ''],
    ['${SET:?needed}', 'value'],
    ['${SET:+other}', 'other'],
    ['${NONE:+other}', ''],
    ['$$SET', '$SET'],
    ['plain', 'plain'],
  ];
  for (const [text, expected] of GOOD)
    it(`${text} is ${JSON.stringify(expected)}`, () => assert.equal(interpolate(text, environment), expected));
  for (const text of [
    '$NONE',
    '${NONE}',
    '${NONE:?needed}',
    '${EMPTY:?}',
    '${A:-${B}}',
    '${',
    '$',
    '${SET/a/b}',
    '$toString',
    '${__proto__}',
  ])
    it(`${text} is an error`, () => assert.throws(() => interpolate(text, environment), UnsetVariable));
});
