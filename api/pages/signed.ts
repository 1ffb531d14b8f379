import { passes } from '../../src/model/policy.ts';
import type { VerdictRecord } from '../../src/model/verification.ts';
import { BADGE_METRICS } from '../../src/steps/draw-badge.ts';
import { VSA_TYPE } from '../../src/steps/make-vsa.ts';
import { shortDigest } from '../text.ts';
import { html, type Html } from './html.ts';
import type { Say } from './words/index.ts';

/** Who signed, and the commands with which anybody checks it without trusting this page. */
export function checkSection(
  say: Say,
  publicUrl: string,
  { image, digest, verdict: judged, seals }: VerdictRecord,
  fingerprint: string,
): Html {
  const verdict = `${publicUrl}/v1/verdicts/${digest}`;
  const badge = `${publicUrl}/badge/${image.reference}.svg`;
  const grouped = fingerprint.replace(/(.{4})(?=.)/g, '$1 ');
  return html`<section class="signed" aria-label="${say.signed.section}">
    <details>
      <summary>${say.signed.check}</summary>
      <div class="inside" id="check">
        <p>
          ${say.signed.statement(
            html`<a href="/v1/verdicts/${digest}"><code title="${digest}">${shortDigest(digest)}</code></a>`,
            html`<code>${grouped}</code>`,
          )}
        </p>
        <pre class="copy" tabindex="0">
curl -sS ${publicUrl}/v1/keys | gpg --import
curl -sSo verdict.json ${verdict}
curl -sSo verdict.json.asc ${verdict}/signature
gpg --verify verdict.json.asc verdict.json</pre>
      </div>
    </details>
    ${seals !== undefined && othersSection(say, publicUrl, image.reference, digest, passes(judged))}
    <details>
      <summary>${say.signed.show}</summary>
      <div class="inside">
        <p><img src="/badge/${image.reference}.svg" alt="${say.signed.badge}" /></p>
        <p class="caption">${say.signed.permanent}</p>
        <pre class="copy" tabindex="0">${publicUrl}/verdicts/${digest}</pre>
        ${snippets(badge, `${publicUrl}/verifications/latest/${image.reference}`).map(
          ([language, text]) =>
            html`<p class="caption">${language}</p>
              <pre class="copy" tabindex="0">${text}</pre>`,
        )}
        <p class="soft">${say.signed.options(BADGE_METRICS.map((name, index) => html`${index > 0 && ', '}<code>${name}</code>`))}</p>
      </div>
    </details>
  </section>`;
}

/** What programs that read no detached OpenPGP signature find. */
function othersSection(say: Say, publicUrl: string, reference: string, digest: string, passed: boolean): Html {
  const registry = reference.slice(0, reference.indexOf('/'));
  const verdict = `/v1/verdicts/${digest}`;
  return html`<details>
    <summary>${say.signed.others}</summary>
    <div class="inside">
      <p>${say.signed.forms(html`${verdict}/dsse.json`, html`${verdict}/vsa.dsse.json`)} <code>${passed ? 'PASSED' : 'FAILED'}</code>.</p>
      <pre class="copy" tabindex="0">
curl -sSo cosign.pub ${publicUrl}/v1/keys/cosign.pub
curl -sSo vsa.dsse.json ${publicUrl}${verdict}/vsa.dsse.json
cosign verify-blob-attestation --key cosign.pub --insecure-ignore-tlog --check-claims=false ${'\\'}
  --type ${VSA_TYPE} --signature vsa.dsse.json /dev/null</pre>
      <p class="soft">
        ${passed ? say.signed.lookaside(html`<code>lookaside: ${publicUrl}/lookaside/${registry}</code>`) : say.signed.noLookaside}
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
