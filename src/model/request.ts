import Type, { type Static } from 'typebox';
import { Digest } from './digest.ts';

const Git = Type.Object(
  {
    git: Type.String({ maxLength: 2048, description: 'http(s) address of a repository', examples: ['https://example.org/app.git'] }),
    ref: Type.Optional(Type.String({ maxLength: 255, description: 'branch, tag or commit; the default branch where absent' })),
    subdir: Type.Optional(Type.String({ maxLength: 1024, description: 'folder that is the build context' })),
  },
  { additionalProperties: false },
);
const Context = Type.Object(
  { context: Type.Unsafe<Digest>({ ...Digest, description: 'a context uploaded with PUT /v1/contexts/{digest}' }) },
  { additionalProperties: false },
);

/** Where the caller says the image was built from. */
export const RequestedSource = Type.Union([Git, Context]);
export type RequestedSource = Static<typeof RequestedSource>;

/** Body of `POST /v1/verifications`. */
export const VerificationRequest = Type.Object(
  {
    image: Type.String({ minLength: 1, maxLength: 512, examples: ['ghcr.io/example/app:1.2'] }),
    platform: Type.Optional(Type.String({ pattern: '^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$', examples: ['linux/amd64'] })),
    source: Type.Optional(RequestedSource),
    dockerfile: Type.Optional(
      Type.String({
        maxLength: 1024,
        description: 'path in the context; as the provenance of the image says, else `Dockerfile`, where absent',
      }),
    ),
    target: Type.Optional(Type.String({ maxLength: 255, description: 'stage to build; as the provenance says where absent' })),
    buildArgs: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String({ maxLength: 4096 }), {
        maxProperties: 100,
        additionalProperties: false,
      }),
    ),
    asOf: Type.Optional(
      Type.String({
        pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$',
        description: "time (UTC) whose state of Debian's archives the rebuild gets; by default that of the published image's packages",
        examples: ['2025-06-01T12:00:00Z'],
      }),
    ),
    webhook: Type.Optional(Type.Object({ url: Type.String({ maxLength: 2048 }) }, { additionalProperties: false })),
  },
  { additionalProperties: false },
);
export type VerificationRequest = Static<typeof VerificationRequest>;
