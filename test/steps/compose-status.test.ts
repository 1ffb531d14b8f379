import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Forge } from '../../src/model/forge.ts';
import type { Auditable, Result } from '../../src/model/verdict.ts';
import type { VerificationJob } from '../../src/model/verification.ts';
import { composeStatus } from '../../src/steps/compose-status.ts';
import type { Ending } from '../../src/steps/compose-event.ts';
import { someJob, someRecord } from '../support/verification.ts';

const FORGES: Forge[] = [
  { kind: 'github', host: 'github.test', api: 'https://api.github.test', tokenFile: '/t' },
  { kind: 'gitlab', host: 'gitlab.test:8443', api: 'https://gitlab.test:8443/api/v4', tokenFile: '/t' },
];
const COMMIT = 'a'.repeat(40);
const record = someRecord(someJob('v'));
const verdictOf = (auditable: Auditable, summary = 'Everything is accounted for.', result: Result = 'equivalent'): Ending => ({
  digest: record.digest,
  verdict: { ...record.verdict, auditable, summary, result },
});
const jobOf = (git: string, more: { ref?: string; commit?: string } = { commit: COMMIT }): VerificationJob => {
  const job = someJob('v');
  const { commit, ref } = more;
  const source = { git, ...(ref === undefined ? {} : { ref }) };
  return { ...job, request: { ...job.request, source }, ...(commit === undefined ? {} : { commit }) };
};
const statusOf = (job: VerificationJob, ending = verdictOf('yes')) => composeStatus('https://c.test', FORGES, job, ending);

describe('the status of a commit', () => {
  it('has the form of its forge', () => {
    const about = { description: 'Everything is accounted for.', target_url: 'https://c.test/verifications/v' };
    const github = statusOf(jobOf('https://github.test/example/app.git'));
    assert.equal(github?.url, `https://api.github.test/repos/example/app/statuses/${COMMIT}`);
    assert.deepEqual(JSON.parse(github.body), { state: 'success', context: 'conforme example.test/v:1', ...about });
    const gitlab = statusOf(jobOf('https://gitlab.test:8443/group/sub/app/'));
    assert.equal(gitlab?.url, `https://gitlab.test:8443/api/v4/projects/group%2Fsub%2Fapp/statuses/${COMMIT}`);
    assert.deepEqual(JSON.parse(gitlab.body), { state: 'success', name: 'conforme example.test/v:1', ...about });
  });

  it('is good only for what can be audited, and tells what could not be judged apart', () => {
    const problem: Ending = { problem: { type: '', title: 'The image is gone', status: 404, detail: 'secret', code: 'image-not-found' } };
    for (const [ending, github, gitlab] of [
      [verdictOf('yes'), 'success', 'success'],
      [verdictOf('partly'), 'failure', 'failed'],
      [verdictOf('no'), 'failure', 'failed'],
      [verdictOf('unknown'), 'error', 'failed'],
      [verdictOf('yes', '', 'explained'), 'success', 'success'],
      // Debian's packages alone, with nothing of the commit in them: no commit is to be told that it made these.
      [verdictOf('yes', '', 'different'), 'failure', 'failed'],
      [verdictOf('yes', '', 'suspicious'), 'failure', 'failed'],
      [verdictOf('yes', '', 'not-comparable'), 'error', 'failed'],
      [problem, 'error', 'failed'],
    ] as const) {
      const states = ['https://github.test/a/b', 'https://gitlab.test:8443/a/b'].map((git) => statusOf(jobOf(git), ending)?.body ?? '{}');
      assert.deepEqual(states.map((body) => (JSON.parse(body) as { state: string }).state), [github, gitlab]); // prettier-ignore
      assert.ok(states.every((body) => !body.includes('secret')));
    }
  });

  it('is cut to what a forge takes', () => {
    const { body = '' } = statusOf(jobOf('https://github.test/a/b'), verdictOf('no', 'x'.repeat(300))) ?? {};
    assert.equal((JSON.parse(body) as { description: string }).description.length, 140);
  });

  it('goes to the commit that was asked for, and to none that is not named', () => {
    const git = 'https://github.test/a/b';
    assert.match(statusOf(jobOf(git, { ref: COMMIT }))?.url ?? '', /a{40}$/);
    for (const more of [{}, { ref: 'main' }, { ref: `${COMMIT}/../../x` }]) assert.equal(statusOf(jobOf(git, more)), undefined);
    assert.equal(statusOf(someJob('v')), undefined, 'no source, whatever the provenance of the image names');
  });

  it('never leaves the place of statuses', () => {
    for (const git of [
      'https://other.test/a/b',
      'https://gitlab.test/a/b',
      'https://github.test/a',
      'https://github.test/a/b/c',
      'https://github.test/a/..%2f..',
      'https://github.test/a/%zz',
      'https://gitlab.test:8443/a/%2e%2e/b',
      'https://gitlab.test:8443/a/b?c',
    ])
      assert.ok([undefined, `https://gitlab.test:8443/api/v4/projects/a%2Fb/statuses/${COMMIT}`].includes(statusOf(jobOf(git))?.url), git);
  });
});
