import type { Verification } from '../../src/model/verification.ts';
import { BADGE_METRICS } from '../../src/steps/draw-badge.ts';
import { shortDigest } from '../text.ts';
import { html, type Html } from './html.ts';

/** Who signed, and the commands with which anybody checks it without trusting this page. */
export function checkSection(publicUrl: string, { image }: Verification, digest: string, fingerprint: string): Html {
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

function snippets(badge: string, link: string): [language: string, text: string][] {
  return [
    ['Markdown', `[![conforme](${badge})](${link})`],
    ['HTML', `<a href="${link}"><img src="${badge}" alt="conforme"></a>`],
    ['reStructuredText', `.. image:: ${badge}\n   :target: ${link}\n   :alt: conforme`],
    ['AsciiDoc', `image:${badge}[conforme,link=${link}]`],
  ];
}
