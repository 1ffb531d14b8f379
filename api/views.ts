import type { Static } from 'typebox';
import type { Verification } from '../src/model/verification.ts';
import type { Delivery } from '../src/ports.ts';
import type { Links, VerificationView } from './schemas.ts';

export function linksOf(publicUrl: string, { id, image, verdictDigest }: Verification): Static<typeof Links> {
  const self = `${publicUrl}/v1/verifications/${id}`;
  return {
    self,
    page: `${publicUrl}/verifications/${id}`,
    events: `${self}/events`,
    files: `${self}/files`,
    differences: `${self}/differences`,
    log: `${self}/log`,
    summary: `${self}/summary`,
    deliveries: `${self}/deliveries`,
    badge: `${publicUrl}/badge/${image.reference}.svg`,
    ...(verdictDigest === undefined ? {} : verdictLinks(`${publicUrl}/v1/verdicts/${verdictDigest}`)),
  };
}

function verdictLinks(verdict: string): Partial<Static<typeof Links>> {
  return {
    verdict,
    signature: `${verdict}/signature`,
    envelope: `${verdict}/dsse.json`,
    vsa: `${verdict}/vsa.dsse.json`,
    cyclonedx: `${verdict}/cyclonedx.json`,
    spdx: `${verdict}/spdx.json`,
    sarif: `${verdict}/sarif.json`,
  };
}

/** A verification as everybody may see it: without the webhook's address, which can be a secret. */
export function viewOf(publicUrl: string, verification: Verification): VerificationView {
  const { id, status, step, image, request, createdAt, updatedAt, verdict, verdictDigest, problem } = verification;
  const { source, dockerfile, target, buildArgs, asOf } = request;
  return {
    id,
    status,
    step,
    image,
    request: {
      ...(source === undefined ? {} : { source }),
      ...(dockerfile === undefined ? {} : { dockerfile }),
      ...(target === undefined ? {} : { target }),
      ...(buildArgs === undefined ? {} : { buildArgs }),
      ...(asOf === undefined ? {} : { asOf }),
    },
    createdAt,
    updatedAt,
    ...(verdict === undefined ? {} : { verdict }),
    ...(verdictDigest === undefined ? {} : { verdictDigest }),
    ...(problem === undefined ? {} : { problem }),
    links: linksOf(publicUrl, verification),
  };
}

/** The address of a webhook can be a secret: without the token only its host is told. That of an image is none. */
export function shownAddress(url: string, whole: boolean): string {
  return whole || url.startsWith('oci://') ? url : `${URL.parse(url)?.origin ?? ''}/…`;
}

/** `whole` is for whoever has the token: with what was sent and answered. */
export function deliveryView({ id, url, event, status, attempts, body }: Delivery, whole: boolean) {
  const shown = { id, url: shownAddress(url, whole), event, status };
  return whole ? { ...shown, body, attempts } : { ...shown, attempts: attempts.map(withoutAnswer) };
}

function withoutAnswer({ at, status, error }: Delivery['attempts'][number]): Delivery['attempts'][number] {
  return { at, ...(status === undefined ? {} : { status }), ...(error === undefined ? {} : { error }) };
}
