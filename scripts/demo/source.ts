import { execFileSync } from 'node:child_process';
import { TestRepository } from '../../test/support/repository.ts';

/** The publisher's repository: a web server with a page, and a script beside it. */
export type DemoSource = { folder: string; bare: string; released: string; later: string };

const page = (words: string): string => `<!doctype html>
<html lang="en">
<title>Shop</title>
<h1>${words}</h1>
`;

const script = (unit: string): string => `#!/usr/bin/python3
"""Prints how long the machine has been up."""
import pathlib

seconds = float(pathlib.Path('/proc/uptime').read_text().split()[0])
print(f'up for {seconds / ${unit === 'hours' ? 3600 : 60}:.1f} ${unit}')
`;

/** Two commits: what is released, tagged `v1`, and what came after it. */
export function makeSource(folder: string, baseReference: string): DemoSource {
  const repository = new TestRepository(folder);
  const released = repository.commit('Release 1', {
    Dockerfile: `FROM ${baseReference}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends nginx python3-minimal \\
 && rm -rf /var/lib/apt/lists/*
COPY page/index.html /var/www/html/index.html
COPY bin/uptime.py /usr/local/bin/uptime.py
EXPOSE 80
CMD ["nginx", "-g", "daemon off;"]
`,
    'page/index.html': page('Welcome'),
    'bin/uptime.py': { executable: script('hours') },
    README: 'A shop. Not part of the image.\n',
  });
  repository.git('tag', 'v1');
  const later = repository.commit('New words, other unit', {
    'page/index.html': page('Welcome back'),
    'bin/uptime.py': { executable: script('minutes') },
  });
  const bare = `${folder}.git`;
  execFileSync('git', ['clone', '--quiet', '--bare', folder, bare], { stdio: 'ignore' });
  return { folder, bare, released, later };
}
