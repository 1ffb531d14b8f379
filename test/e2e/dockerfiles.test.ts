/** What Dockerfiles are made of: each is published by a real BuildKit, and judged by its reference alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { needsBuildkit, publishWithBuildkit } from '../support/buildkit.ts';
import { startServer, type TestServer } from '../support/http.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type Files, TestRepository } from '../support/repository.ts';
import { member, tar } from '../support/tar.ts';
import { judged, startAsUser, type Started } from './world.ts';

type Row = { what: string; lines: string[]; files?: Files; opts?: Record<string, string>; reason?: string; detail?: RegExp };

describe('Dockerfiles that people write', needsBuildkit, () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-dockerfiles-'));
  let registry: TestRegistry;
  let web: TestServer;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let service: Started;
  let repository: TestRepository;

  const reference = (name: string): string => `${registry.host}/kinds/${name}`;
  let committed: string[] = [];
  const publish = (name: string, files: Files, opts: Record<string, string> = {}) => {
    // Each commit holds what its Dockerfile needs, and nothing of the one before.
    const commit = repository.commit(name, { ...Object.fromEntries(committed.map((path) => [path, undefined])), ...files });
    committed = Object.keys(files);
    return publishWithBuildkit({
      context: repository.folder,
      reference: reference(name),
      opts: { context: `${git.address}/kinds/.git#${commit}`, 'attest:provenance': 'mode=max', ...opts },
    });
  };

  before(async () => {
    registry = await startRegistry();
    git = await startGitServer(join(folder, 'repositories'));
    web = await startServer((_request, response) => response.writeHead(200, { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }).end('fetched\n')); // prettier-ignore
    repository = new TestRepository(join(folder, 'repositories/kinds'));
    const folders = ['dev', 'etc', 'mnt', 'proc', 'run', 'sys', 'tmp'].map((name) => [`rootfs/${name}/.keep`, '']);
    const applets = ['echo', 'cat', 'mkdir', 'touch', 'ls', 'test', 'cp'].map((name) => [`rootfs/bin/${name}`, { symlink: 'sh' }]);
    const base: Files = Object.fromEntries([...folders, ...applets]) as Files;
    base['rootfs/bin/sh'] = { executable: readFileSync('/bin/busybox') };
    base['Dockerfile'] = 'FROM scratch\nCOPY rootfs /\nENV PATH=/bin\n';
    await publish('base:1', base);
    await publish('triggers:1', {
      Dockerfile: `FROM ${reference('base:1')}\nONBUILD COPY page.html /srv/onbuild.html\nONBUILD RUN echo built > /onbuild\n`,
    });
    // Programs in Go never ask a proxy for what they take for loopback; this address they do not.
    service = await startAsUser(join(folder, 'service'), registry.host, { CONFORME_ALLOW_ADDRESSES: '127.0.0.0/8,0.0.0.0/32' });
  });
  after(async () => {
    await service?.stop();
    await git?.stop();
    await web?.stop();
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const page = { 'page.html': '<h1>Page</h1>\n' };
  const rows: Row[] = [
    { what: 'FROM scratch', lines: ['FROM scratch', 'COPY page.html /'] },
    {
      what: 'COPY --from a stage by name and by number, and from an image',
      lines: ['FROM BASE AS one', 'RUN echo one > /one', 'FROM BASE', 'RUN echo two > /two', 'FROM BASE', 'COPY --from=one /one /', 'COPY --from=1 /two /', 'COPY --from=BASE /bin/sh /opt/sh'], // prettier-ignore
    },
    { what: 'ARG before FROM', lines: ['ARG NAME=kinds/base', 'ARG TAG=none', 'FROM REGISTRY/${NAME}:${TAG:-1}', 'ARG TAG', 'RUN echo "$TAG" > /tag'], opts: { 'build-arg:TAG': '1' } }, // prettier-ignore
    { what: 'FROM --platform', lines: ['FROM --platform=$BUILDPLATFORM BASE', 'ARG TARGETARCH', 'RUN echo "$TARGETARCH" > /arch'] },
    {
      what: 'a named context that is an image',
      lines: ['FROM tools', 'COPY --from=tools /bin/sh /opt/sh'],
      opts: { 'context:tools': 'docker-image://BASE' },
    },
    { what: 'a named context that is a repository', lines: ['FROM BASE', 'COPY --from=more page.html /'], opts: { 'context:more': 'GIT' }, reason: 'unsupported', detail: /named context more/ }, // prettier-ignore
    { what: '.dockerignore', lines: ['FROM BASE', 'COPY . /srv/'], files: { '.dockerignore': '*\n!page.html\n!kept\nkept/not\n', 'kept/yes': 'yes\n', 'kept/not': 'not\n', other: 'other\n' } }, // prettier-ignore
    { what: 'ADD of an address', lines: ['FROM BASE', 'ADD http://WEB/file /srv/file'] },
    { what: 'ADD of an archive', lines: ['FROM BASE', 'ADD files.tar.gz /srv/'], files: { 'files.tar.gz': gzipSync(tar(member({ name: 'in/', type: '5', mode: 0o755 }), member({ name: 'in/one' }, 'one'))) } }, // prettier-ignore
    {
      what: 'RUN --mount of cache, bind and tmpfs',
      lines: ['FROM BASE AS made', 'RUN echo made > /made', 'FROM BASE', 'RUN --mount=type=cache,target=/cache touch /cache/x && ls /cache > /listed', 'RUN --mount=type=bind,from=made,source=/made,target=/mnt/made cat /mnt/made > /copied', 'RUN --mount=type=bind,target=/ctx cat /ctx/page.html > /page', 'RUN --mount=type=tmpfs,target=/fast touch /fast/x && echo done > /done'], // prettier-ignore
    },
    { what: 'ONBUILD of the base', lines: ['FROM REGISTRY/kinds/triggers:1', 'RUN cat /onbuild > /seen'] },
    { what: 'ONBUILD of its own', lines: ['FROM BASE', 'ONBUILD RUN echo later > /later', 'COPY page.html /'] },
    { what: 'HEALTHCHECK', lines: ['FROM BASE', 'HEALTHCHECK --interval=5s --retries=2 CMD ["/bin/test", "-f", "/page.html"]', 'COPY page.html /'] }, // prettier-ignore
    { what: 'SHELL', lines: ['FROM BASE', 'SHELL ["/bin/sh", "-e", "-c"]', 'RUN echo "in a shell" > /shell'] },
    {
      what: 'what the configuration holds',
      lines: ['FROM BASE', 'LABEL maker="somebody else"', 'WORKDIR /work', 'RUN echo here > here', 'USER 1000:1000', 'VOLUME /data', 'EXPOSE 80/tcp 53/udp', 'STOPSIGNAL SIGINT', 'ENTRYPOINT ["/bin/sh"]', 'CMD ["-c", "echo"]'], // prettier-ignore
    },
    { what: 'a secret', lines: ['FROM BASE', 'RUN --mount=type=secret,id=token,required=false echo x > /x'], reason: 'secret-required', detail: /type=secret,id=token/ }, // prettier-ignore
    { what: 'an SSH agent', lines: ['FROM BASE', 'RUN --mount=type=ssh echo x > /x'], reason: 'secret-required', detail: /type=ssh/ },
  ];

  for (const { what, lines, files = {}, opts = {}, reason, detail } of rows) {
    it(reason === undefined ? `rebuilds ${what}` : `refuses ${what} by name`, async () => {
      const fill = (text: string): string =>
        text.replaceAll('BASE', reference('base:1')).replaceAll('REGISTRY', registry.host).replaceAll('WEB', web.host.replace('127.0.0.1', '0.0.0.0')).replaceAll('GIT', `${git.address}/kinds/.git`); // prettier-ignore
      const name = what
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-|-$/g, '');
      await publish(`${name}:1`, { ...page, ...files, Dockerfile: `${lines.map(fill).join('\n')}\n` }, Object.fromEntries(Object.entries(opts).map(([key, value]) => [key, fill(value)]))); // prettier-ignore
      const view = await judged(service, { image: reference(`${name}:1`) });
      const verdict: Verdict | undefined = view.verdict;
      assert.ok(verdict !== undefined, JSON.stringify(view.problem));
      if (reason !== undefined) {
        assert.deepEqual([verdict.result, verdict.reason], ['not-comparable', reason], verdict.summary);
        assert.match(verdict.summary, detail ?? /./);
        return;
      }
      const { predicate } = (await (await fetch(view.links.verdict ?? '')).json()) as Statement;
      const why = `${verdict.summary} ${JSON.stringify(predicate.differences.listed)}`;
      assert.ok(['identical', 'layers-identical', 'equivalent'].includes(verdict.result), why);
    });
  }
});
