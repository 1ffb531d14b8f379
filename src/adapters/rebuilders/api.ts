import Type, { type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { type Fetch, getBounded, Unanswered } from './http.ts';

/** One result of a rebuilder for a package: of its releases, each may have its own. */
export type RebuildRecord = {
  status: 'GOOD' | 'BAD' | undefined;
  /** Where the attestation of a good result is; undefined where it says that there is none. */
  attestation: string | undefined;
};

/** What names a binary package in Debian for ever. */
export type BinaryPackage = { name: string; version: string; architecture: string };

const Id = Type.Integer({ minimum: 1 });
const common = { name: Type.String(), version: Type.String(), architecture: Type.String() };

/** `GET /api/v1/packages/binary`: https://github.com/kpcyrd/rebuilderd, contrib/docs/rebuilderd-v1.yml at 0.28. */
const PageV1 = Type.Object({
  records: Type.Array(
    Type.Object({
      ...common,
      status: Type.Union([Type.String(), Type.Null()]),
      build_id: Type.Union([Id, Type.Null()]),
      artifact_id: Type.Union([Id, Type.Null()]),
    }),
  ),
});

/** `GET /api/v0/pkgs/list`: contrib/docs/rebuilderd-v0.yml. */
const ListV0 = Type.Array(
  Type.Object({ ...common, status: Type.String(), build_id: Type.Union([Id, Type.Null()]), has_attestation: Type.Boolean() }),
);

// A package with all its versions, architectures and releases: some dozen records of 400 bytes.
const LIST_BYTES_MAX = 512 * 1024;
/** An attestation has some 1,500 bytes. */
const ATTESTATION_BYTES_MAX = 64 * 1024;
/** Records of one package that are looked at. */
const RECORDS_MAX = 16;

/** The API of one rebuilderd, as far as its records tell it: version 1, else version 0. */
export type RebuilderApi = {
  records(one: BinaryPackage, signal: AbortSignal): Promise<RebuildRecord[]>;
  /** Undefined where there is none. */
  attestation(url: string, signal: AbortSignal): Promise<Buffer | undefined>;
};

/** Both throw `Unanswered`. A server that has no version 1 is asked for it no more until the process starts anew. */
export function rebuilderApi(fetch: Fetch, address: string): RebuilderApi {
  let hasV1 = true;
  const list = async <T extends TSchema>(path: string, query: Record<string, string>, schema: T, signal: AbortSignal) => {
    const bytes = await getBounded(fetch, `${address}${path}?${new URLSearchParams(query).toString()}`, LIST_BYTES_MAX, signal);
    return bytes === undefined ? undefined : parse(bytes, schema);
  };
  return {
    async records(one, signal) {
      const { name, version } = one;
      const v1 = hasV1 ? await list('/api/v1/packages/binary', { name, version, distribution: 'debian' }, PageV1, signal) : undefined;
      if (v1 !== undefined)
        return v1.records
          .filter(sameAs(one))
          .slice(0, RECORDS_MAX)
          .map(({ status, build_id: build, artifact_id: artifact }) => ({
            status: known(status),
            attestation:
              build === null || artifact === null ? undefined : `${address}/api/v1/builds/${build}/artifacts/${artifact}/attestation`,
          }));
      const v0 = await list('/api/v0/pkgs/list', { name, distro: 'debian' }, ListV0, signal);
      if (v0 === undefined) throw new Unanswered('no API of rebuilderd is there', true);
      hasV1 = false;
      return v0
        .filter(sameAs(one))
        .slice(0, RECORDS_MAX)
        .map(({ status, build_id: build, has_attestation: attested }) => ({
          status: known(status),
          // Of the build's first artifact, whichever the package is: version 0 has no other.
          attestation: build === null || !attested ? undefined : `${address}/api/v0/builds/${build}/attestation`,
        }));
    },
    attestation: (url, signal) => getBounded(fetch, url, ATTESTATION_BYTES_MAX, signal),
  };
}

/** The filters of a server only make its answer shorter. */
function sameAs({ name, version, architecture }: BinaryPackage): (record: BinaryPackage) => boolean {
  return (record) => record.name === name && record.version === version && record.architecture === architecture;
}

function known(status: string | null): RebuildRecord['status'] {
  return status === 'GOOD' || status === 'BAD' ? status : undefined;
}

function parse<T extends TSchema>(bytes: Buffer, schema: T): Static<T> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw new Unanswered('an answer that is no JSON', false);
  }
  if (!Value.Check(schema, value)) throw new Unanswered('an answer of another form', false);
  return value;
}
