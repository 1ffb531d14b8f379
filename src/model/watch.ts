import Type, { type Static } from 'typebox';
import type { Digest } from './digest.ts';
import { CVE_PATTERN } from './security.ts';
import type { Auditable, Result } from './verdict.ts';
import type { VerificationJob } from './verification.ts';

/** Debian policy 5.6.7. */
export const PackageName = Type.String({
  pattern: '^[a-z0-9][a-z0-9+.-]{1,127}$',
  description: 'name of a binary or a source package',
  examples: ['openssl'],
});
export const PackageVersion = Type.String({
  pattern: '^[A-Za-z0-9.+:~-]{1,128}$',
  description: 'a version; order of deb-version(7)',
  examples: ['3.0.17-1'],
});
export const Cve = Type.String({ pattern: CVE_PATTERN, description: "a name of Debian's security tracker", examples: ['CVE-2024-5535'] });

/** What a watch of an image may be told. */
export const WATCH_EVENTS = ['verdict.created', 'verdict.changed', 'image.affected'] as const;
export type WatchEvent = (typeof WATCH_EVENTS)[number];

/** Body of `POST /v1/watches`: one of `package` with `olderThan`, `cve` and `image`. */
export const WatchRequest = Type.Object(
  {
    package: Type.Optional(PackageName),
    olderThan: Type.Optional(PackageVersion),
    cve: Type.Optional(Cve),
    image: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'a reference', examples: ['ghcr.io/example/app:1.2'] })),
    events: Type.Optional(
      Type.Array(Type.Enum([...WATCH_EVENTS]), {
        minItems: 1,
        maxItems: WATCH_EVENTS.length,
        description: 'with `image`: what is told; `verdict.changed` and `image.affected` by default',
      }),
    ),
    webhook: Type.Object({ url: Type.String({ maxLength: 2048 }) }, { additionalProperties: false }),
  },
  {
    additionalProperties: false,
    examples: [{ package: 'openssl', olderThan: '3.0.17-1~deb12u2', webhook: { url: 'https://ci.example.org/hook' } }],
  },
);
export type WatchRequest = Static<typeof WatchRequest>;

/** What is watched for. */
export type Condition =
  | { package: string; olderThan: string }
  | { cve: string }
  | {
      /** As normalised. */ image: string;
      /** In the order of {@link WATCH_EVENTS}; absent where it is {@link EVENTS_BY_DEFAULT}. */ events?: WatchEvent[];
    };

/** In the order of {@link WATCH_EVENTS}. */
export const EVENTS_BY_DEFAULT: readonly WatchEvent[] = ['verdict.changed', 'image.affected'];

/** Whether a watch asked to be told such a thing. */
export function wants(condition: Condition, event: WatchEvent): boolean {
  if (!('image' in condition)) return event === 'image.affected';
  return (condition.events ?? EVENTS_BY_DEFAULT).includes(event);
}

export type ImageWatch = { id: string; condition: Condition; url: string; /** ISO 8601, UTC. */ createdAt: string };

/** A package or an issue that a watch found in an image. */
export type WatchHit = { package: string; version: string; cve?: string; fixed?: string; urgency?: string };

/** Something that a watch wants told: once for each watch, image digest and cause. */
export type WatchMatch = {
  watch: ImageWatch;
  image: VerificationJob['image'];
  verification: string;
  verdict: Digest;
} & (
  | { type: 'image.affected'; cause: string; hits: WatchHit[] }
  | { type: 'verdict.created'; cause: string; after: JudgedResult }
  | { type: 'verdict.changed'; cause: string; before: JudgedResult; after: JudgedResult }
);

export type JudgedResult = { verdict: Digest; result: Result; auditable: Auditable };
