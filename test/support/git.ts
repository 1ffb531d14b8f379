import { makeGit, type GitOptions } from '../../src/adapters/git/git.ts';
import { makeGuard } from '../../src/adapters/network/guard.ts';
import { makeProxy } from '../../src/adapters/network/proxy.ts';
import type { Git } from '../../src/ports.ts';

/** The real git behind the real proxy, which lets it reach servers of a test. */
export function makeLoopbackGit(workDir: string, allow: string[] = ['127.0.0.0/8'], more: Partial<GitOptions> = {}): Git {
  return makeGit({
    workDir,
    async openProxy() {
      const proxy = makeProxy({ guard: makeGuard({ allow, hosts: [] }), secret: 'sesame' });
      const address = (await proxy.listen({ host: '127.0.0.1', port: 0 })) ?? '';
      return {
        address,
        refusals: () => proxy.requests().flatMap(({ refused, error }) => (refused === 'address' ? [error ?? refused] : [])),
        close: () => proxy.close(),
      };
    },
    ...more,
  });
}
