import { passes } from '../../src/model/policy.ts';
import type { VerdictRecord } from '../../src/model/verification.ts';
import { BADGE_METRICS } from '../../src/steps/draw-badge.ts';
import { VSA_TYPE } from '../../src/steps/make-vsa.ts';
import { shortDigest } from '../text.ts';
import { html, type Html } from './html.ts';

/** Who signed, and the commands with which anybody checks it without trusting this page. */
export function checkSection(publicUrl: string, { image, digest, verdict: judged, seals }: VerdictRecord, fingerprint: string): Html {
  const verdict = `${publicUrl}/v1/verdicts/${digest}`;
  const badge = `${publicUrl}/badge/${image.reference}.svg`;
  const grouped = fingerprint.replace(/(.{4})(?=.)/g, '$1 ');
  return html`<section aria-labelledby="check">
    <h2 id="check">Signed</h2>
    <div class="card">
      <p>
        Verdict <a href="/v1/verdicts/${digest}"><code title="${digest}">${shortDigest(digest)}</code></a> is signed by the OpenPGP key
        <code>${grouped}</code>.
      </p>
      <pre tabindex="0">
curl -sS ${publicUrl}/v1/keys | gpg --import
curl -sSo verdict.json ${verdict}
curl -sSo verdict.json.asc ${verdict}/signature
gpg --verify verdict.json.asc verdict.json</pre>
    </div>
    ${seals !== undefined && othersSection(publicUrl, image.reference, digest, passes(judged))}
    <details>
      <summary>Badge</summary>
      <div class="inside">
        <p><img src="/badge/${image.reference}.svg" alt="the badge of this image" /></p>
        ${snippets(badge, `${publicUrl}/verifications/latest/${image.reference}`).map(
          ([language, text]) =>
            html`<p class="caption">${language}</p>
              <pre tabindex="0">${text}</pre>`,
        )}
        <p class="soft">
          <code>?metric=</code> ${BADGE_METRICS.map((name, index) => html`${index > 0 && ', '}<code>${name}</code>`)}; <code>?style=</code>,
          <code>?label=</code> and <code>?logo=true</code> as well.
        </p>
      </div>
    </details>
  </section>`;
}

/** What programs that read no detached OpenPGP signature find. */
function othersSection(publicUrl: string, reference: string, digest: string, passed: boolean): Html {
  const registry = reference.slice(0, reference.indexOf('/'));
  const verdict = `/v1/verdicts/${digest}`;
  return html`<details>
    <summary>With cosign, or before podman runs it</summary>
    <div class="inside">
      <p>
        The same statement in a <a href="${verdict}/dsse.json">DSSE envelope</a>, and a
        <a href="${verdict}/vsa.dsse.json">SLSA verification summary</a>: <code>${passed ? 'PASSED' : 'FAILED'}</code>.
      </p>
      <pre tabindex="0">
curl -sSo cosign.pub ${publicUrl}/v1/keys/cosign.pub
curl -sSo vsa.dsse.json ${publicUrl}${verdict}/vsa.dsse.json
cosign verify-blob-attestation --key cosign.pub --insecure-ignore-tlog --check-claims=false ${'\\'}
  --type ${VSA_TYPE} --signature vsa.dsse.json /dev/null</pre>
      <p class="soft">
        ${
          passed
            ? html`For <code>signedBy</code> in policy.json, <code>lookaside: ${publicUrl}/lookaside/${registry}</code> has the signature.`
            : html`There is no signature for <code>signedBy</code> in policy.json: that is only where the verdict is good.`
        }
      </p>
    </div>
  </details>`;
}

function snippets(badge: string, link: string): [language: string, text: string][] {
  return [
    ['Markdown', `[![conforme](${badge})](${link})`],
    ['HTML', `<a href="${link}"><img src="${badge}" alt="conforme"></a>`],
    ['reStructuredText', `.. image:: ${badge}\n   :target: ${link}\n   :alt: conforme`],
    ['AsciiDoc', `image:${badge}[conforme,link=${link}]`],
  ];
}
