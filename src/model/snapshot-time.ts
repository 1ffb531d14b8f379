/** A time as addresses of an archive of snapshots have it, `20230227T000000Z`: UTC, to the second, in the order of text. */
export type SnapshotTime = string;

const FORM = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const LATEST = Date.UTC(10_000, 0); // years have four digits

/** Milliseconds since 1970; NaN for what is no such time. */
export function parseSnapshotTime(text: string): number {
  return FORM.test(text) ? Date.parse(text.replace(FORM, '$1-$2-$3T$4:$5:$6Z')) : Number.NaN;
}

/** Undefined for what has no such form: before 1970, after 9999, NaN. */
export function snapshotTime(milliseconds: number): SnapshotTime | undefined {
  if (!(milliseconds >= 0 && milliseconds < LATEST)) return undefined;
  return new Date(milliseconds).toISOString().replace(/[-:]|\.\d+/g, '');
}
