import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { type Digest, hexOf } from '../../src/model/digest.ts';
import { Problem } from '../../src/problem.ts';
import {
  applyThreshold,
  DEFAULT_THRESHOLD,
  parseThreshold,
  THRESHOLD_LENGTH_MAX,
  THRESHOLD_WORDS,
} from '../../src/steps/apply-threshold.ts';
import { SARIF_MEDIA_TYPE, writeSarif } from '../../src/steps/write-sarif.ts';
import { writeSummary } from '../../src/steps/write-summary.ts';
import { notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answersWith, DigestParams, IdParams } from '../schemas.ts';
import { statementOf } from '../stored.ts';
import { linksOf } from '../views.ts';
import { asPreferred, hasEnded, WaitHeaders } from '../wait.ts';
import { find } from './verifications.ts';

const MARKDOWN = 'text/markdown; charset=utf-8';

const OutcomeHeaders = {
  'conforme-outcome': {
    type: 'string',
    enum: ['pass', 'fail', 'unknown', 'error'],
    description: 'whether the verdict passes; `unknown` where it does not tell, `error` where the verification failed. Absent with 202',
  },
  'conforme-verdict': { type: 'string', description: 'digest of the signed statement' },
};

/** What pipelines read: the summary of a job with its outcome in a header, for shells that parse no JSON, and the findings as SARIF. */
export const ciRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const closing = new AbortController();
    app.addHook('preClose', async () => closing.abort());

    const answer = (description: string, headers?: object) => ({
      description,
      ...(headers === undefined ? {} : { headers }),
      content: { 'text/markdown': { schema: Type.String() } },
    });

    app.get(
      '/v1/verifications/:id/summary',
      {
        schema: {
          tags: ['verifications'],
          summary: 'What became of a verification, as Markdown, and whether it passes a threshold',
          params: IdParams,
          headers: Type.Object(WaitHeaders),
          querystring: Type.Object(
            {
              failOn: Type.Optional(
                Type.String({
                  maxLength: THRESHOLD_LENGTH_MAX,
                  description: `what fails, with commas between: ${THRESHOLD_WORDS.join(', ')}. A result or severity stands for all that are worse as well`,
                  default: DEFAULT_THRESHOLD.join(','),
                  examples: ['no,critical'],
                }),
              ),
            },
            { additionalProperties: false },
          ),
          response: {
            ...answersWith('text/markdown', 'it has ended'),
            200: answer('it has ended', OutcomeHeaders),
            202: answer('it has not ended yet'),
          },
        },
      },
      async (request, reply) => {
        const threshold = request.query.failOn === undefined ? DEFAULT_THRESHOLD : parseThreshold(request.query.failOn);
        if (threshold === undefined) throw new Problem('invalid-request', `querystring/failOn: is none of ${THRESHOLD_WORDS.join(', ')}`);
        const verification = await asPreferred(deps, request, reply, await find(deps, request.params.id), closing.signal);
        reply.type(MARKDOWN).header('cache-control', 'no-cache');
        const subject = { ...verification, links: linksOf(deps.publicUrl, verification) };
        if (!hasEnded(verification)) return reply.code(202).send(writeSummary(subject));
        const { verdict, verdictDigest } = verification;
        const outcome = verdict === undefined ? undefined : applyThreshold(threshold, verdict);
        reply.header('conforme-outcome', outcome ?? 'error');
        if (verdictDigest !== undefined) reply.header('conforme-verdict', verdictDigest);
        return reply.send(writeSummary(subject, outcome === undefined ? undefined : { threshold, outcome }));
      },
    );

    app.get(
      '/v1/verdicts/:digest/sarif.json',
      {
        schema: {
          tags: ['verdicts'],
          summary: 'The findings as SARIF 2.1.0, for code scanning',
          params: DigestParams,
          response: answersWith(SARIF_MEDIA_TYPE, 'not signed: made of the signed verdict, the same bytes each time'),
        },
      },
      async (request, reply) => {
        const { digest } = request.params;
        const record = await within(deps.patience, 'database-unavailable', deps.records.verdict(digest as Digest));
        if (record === undefined) throw new Problem('not-found', `there is no verdict ${digest}`);
        if (notModified(request, reply, `"${digest}.sarif"`, 'public, max-age=86400')) return reply.send();
        return reply
          .type(SARIF_MEDIA_TYPE)
          .header('content-disposition', `inline; filename="${hexOf(record.digest).slice(0, 12)}.sarif"`)
          .send(Buffer.from(writeSarif(record.digest, statementOf(record))));
      },
    );
  };
