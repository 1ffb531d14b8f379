import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyReply } from 'fastify';
import { html, type Html, inlineElement, textOf } from './html.ts';
import type { Say } from './words/index.ts';

const fileOf = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const STYLE = ['./style.css', './verdict.css', './print.css'].map(fileOf).join('');
const LIVE = fileOf('./live.js');
const STYLE_ELEMENT = inlineElement('style', STYLE);
const LIVE_ELEMENT = inlineElement('script', LIVE);
const sourceOf = (text: string): string => `'sha256-${hash('sha256', text, 'base64')}'`;

/**
 * Nothing is loaded but what stands in the page itself, by hash, and nothing is asked of anybody but this service.
 * https://www.w3.org/TR/CSP3/
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${sourceOf(STYLE)}`,
  `script-src ${sourceOf(LIVE)}`,
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** The mark of the site, as browsers show it in a tab. */
export const FAVICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#1f8a55" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"><path d="M12 1.6 20.5 5v6.6c0 5.2-3.5 9.1-8.5 10.8C7 20.700 3.500 16.800 3.500 11.600V5z"/><path d="m7.8 12 3 3 5.4-6"/></svg>';

export type PageContent = {
  title: string;
  body: Html;
  /** Follows a verification while it runs. */
  live?: boolean;
  /** Seconds after which a browser without JavaScript loads the page anew. */
  refresh?: number;
};

export function sendPage(reply: FastifyReply, say: Say, content: PageContent, cacheControl = 'no-cache'): FastifyReply {
  return reply
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'content-language': say.language,
      vary: 'accept, accept-language',
      'cache-control': cacheControl,
      'cross-origin-opener-policy': 'same-origin',
    })
    .send(`<!doctype html>\n${textOf(documentOf(say, content))}\n`);
}

function documentOf(say: Say, { title, body, live = false, refresh }: PageContent): Html {
  return html`<html lang="${say.language}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · conforme</title>
      <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
      ${refresh !== undefined && html`<noscript><meta http-equiv="refresh" content="${refresh}" /></noscript>`} ${STYLE_ELEMENT}
    </head>
    <body>
      <a class="skip" href="#main">${say.site.skip}</a>
      <header class="site">
        <div class="wide">
          <a class="brand" href="${say.to('/')}"
            ><svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
              <path d="M12 1.6 20.5 5v6.6c0 5.2-3.5 9.1-8.5 10.8C7 20.7 3.5 16.8 3.5 11.6V5z" />
              <path class="tick" d="m7.8 12 3 3 5.4-6" /></svg
            >conforme</a
          >
          <nav aria-label="${say.site.nav}">
            <a href="${say.to('/')}">${say.site.verdicts}</a><a href="${say.to('/images')}">${say.site.fleet}</a
            ><a href="/docs">${say.site.api}</a><a href="/v1/keys">${say.site.key}</a>
          </nav>
        </div>
      </header>
      <main id="main" class="wide">${body}</main>
      <footer class="wide">
        ${say.site.motto}
        <a href="/predicates/verdict/v1">${say.site.predicate}</a> · <a href="${say.to('/docs/problems')}">${say.site.problems}</a>
        ${say.others.map(({ language, name, href }) => html`<a class="tongues" href="${href}" lang="${language}" hreflang="${language}" rel="alternate">${name}</a>`)}
      </footer>
      ${live && LIVE_ELEMENT}
    </body>
  </html>`;
}
