import Type, { type Static } from 'typebox';
import { Digest } from './digest.ts';

/** `platform` of an OCI image index. OCI image specification 1.1, image-index.md. */
export const Platform = Type.Object({
  os: Type.String(),
  architecture: Type.String(),
  variant: Type.Optional(Type.String()),
});
export type Platform = Static<typeof Platform>;

/** OCI image specification 1.1, descriptor.md; Docker's schema 2 uses the same members. */
export const Descriptor = Type.Object({
  mediaType: Type.String(),
  digest: Digest,
  size: Type.Integer({ minimum: 0, description: 'bytes' }),
  annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
  platform: Type.Optional(Platform),
  artifactType: Type.Optional(Type.String()),
});
export type Descriptor = Omit<Static<typeof Descriptor>, 'digest'> & { digest: Digest };

/** OCI image specification 1.1, image-index.md, or a Docker manifest list. */
export type ImageIndex = { mediaType: string; manifests: Descriptor[]; annotations?: Record<string, string> };

/** OCI image specification 1.1, manifest.md, or a Docker image manifest version 2 schema 2. */
export type ImageManifest = {
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
};

/** One entry of `history`. OCI image specification 1.1, config.md. */
export const History = Type.Object({
  created: Type.Optional(Type.String()),
  created_by: Type.Optional(Type.String()),
  comment: Type.Optional(Type.String()),
  author: Type.Optional(Type.String()),
  empty_layer: Type.Optional(Type.Boolean()),
});
export type History = Static<typeof History>;

const Strings = Type.Array(Type.String());
const Empty = Type.Record(Type.String(), Type.Object({}));

/** The `config` member of the image configuration: what decides how a container is run. OCI 1.1, config.md; Docker adds more. */
export const RunConfig = Type.Object({
  User: Type.Optional(Type.String()),
  Env: Type.Optional(Strings),
  Entrypoint: Type.Optional(Strings),
  Cmd: Type.Optional(Strings),
  WorkingDir: Type.Optional(Type.String()),
  ExposedPorts: Type.Optional(Empty),
  Volumes: Type.Optional(Empty),
  StopSignal: Type.Optional(Type.String()),
  Healthcheck: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  Shell: Type.Optional(Strings),
  OnBuild: Type.Optional(Strings),
  ArgsEscaped: Type.Optional(Type.Boolean()),
  Labels: Type.Optional(Type.Record(Type.String(), Type.String())),
});
export type RunConfig = Static<typeof RunConfig>;

/** OCI image specification 1.1, config.md. `diff_ids` are digests of the uncompressed layers. */
export const ImageConfig = Type.Object({
  created: Type.Optional(Type.String()),
  author: Type.Optional(Type.String()),
  architecture: Type.String(),
  os: Type.String(),
  variant: Type.Optional(Type.String()),
  config: Type.Optional(RunConfig),
  rootfs: Type.Object({ type: Type.String(), diff_ids: Type.Array(Digest) }),
  history: Type.Optional(Type.Array(History)),
});
export type ImageConfig = Static<typeof ImageConfig>;

/** What a reference came to, read from the registry with every digest verified. */
export type ResolvedImage = {
  /** The reference as asked, normalised: `docker.io/library/nginx:latest`. */
  reference: string;
  /** What the tag named: an index or a manifest. */
  digest: Digest;
  /** The manifest of the chosen platform; equal to `digest` where there is no index. */
  manifestDigest: Digest;
  platform: Platform;
  manifest: ImageManifest;
  /** The manifest's own bytes, as the registry has them. */
  manifestBytes?: Uint8Array;
  config: ImageConfig;
  /** The index, where there is one: attached attestations stand there. */
  index?: ImageIndex;
};
