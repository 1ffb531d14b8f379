/** Which image a page is about. */
import { parseReference } from '../../src/model/reference.ts';
import type { Verification } from '../../src/model/verification.ts';
import { shortDigest } from '../text.ts';
import { html, type Html } from './html.ts';
import type { Say } from './words/index.ts';

export function imageLine(say: Say, { image }: Verification): Html {
  const { registry, repository } = parseReference(image.reference);
  return html`<p class="image">
    <code>${image.reference}</code> <a href="${say.to(`/history/${registry}/${repository}`)}">${say.verdict.history}</a>
  </p>`;
}

/** `judged`: what is known once there is a verdict; until then, when it was asked for. */
export function imageFacts(say: Say, { image, createdAt }: Verification, judged?: Html): Html {
  const { digest, platform } = image;
  return html`<dl class="facts">
    <div>
      <dt>${say.verdict.digest}</dt>
      <dd><code title="${digest}">${shortDigest(digest)}</code></dd>
    </div>
    <div>
      <dt>${say.verdict.platform}</dt>
      <dd>${[platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')}</dd>
    </div>
    ${
      judged ??
      html`<div>
        <dt>${say.verdict.asked}</dt>
        <dd>${say.time(createdAt)}</dd>
      </div>`
    }
  </dl>`;
}
