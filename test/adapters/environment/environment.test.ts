import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runInEnvironment, type EnvironmentOrder } from '../../../src/adapters/environment/environment.ts';
import { sweepJobs } from '../../../src/adapters/environment/jobs.ts';
import { usableProcessors } from '../../../src/adapters/environment/machine.ts';
import { ids, LIMITS, temporaryFolder, temporaryJob } from './support.ts';

async function run(script: string, more: Partial<EnvironmentOrder> = {}) {
  await using temporary = await temporaryJob();
  let output = '';
  const ended = await runInEnvironment({
    job: temporary.job,
    limits: LIMITS,
    mounts: [],
    command: ['sh', '-c', script],
    onOutput: (chunk) => (output += chunk.toString()),
    ...more,
  });
  return { ended, output };
}

async function processesNamed(marker: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (text.split('\0').includes(marker)) found.push(pid);
  }
  return found;
}

describe('the clean environment', { concurrency: true }, () => {
  it('maps subordinate ids alone, so that root in there is nobody the service knows', async () => {
    const { output } = await run('cat /proc/self/uid_map /proc/self/gid_map; id -u');
    const lines = output
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    assert.deepEqual(lines, [['0', '1', '65536'], ['0', '1', '65536'], ['0']]);
  });

  it('shows none of the machine beyond its programs', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'secret'), 'of the service');
    const { output } = await run(
      `ls / /home /tmp /root; cat ${folder.path}/secret /etc/shadow; ls /proc | grep -c '^[0-9]'; touch /usr/x /etc/x`,
    );
    assert.doesNotMatch(output, /of the service|root:\*/);
    assert.match(output, /cannot touch '\/usr\/x'/);
    assert.match(output, /cannot touch '\/etc\/x'/);
    const processes = Number(/^(\d+)$/m.exec(output)?.[1]);
    assert.ok(processes < 8, `${processes} processes are seen`);
  });

  it('has a network of loopback alone, and not the loopback of the machine', async () => {
    const server = createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { output } = await run(
      `busybox nc -w 2 127.0.0.1 ${port}; busybox nc -w 2 169.254.169.254 80; busybox ip -o link | grep -vc ' lo:'; cat /proc/net/route | wc -l; busybox ip link set lo down`,
    );
    server.close();
    assert.doesNotMatch(output, /reached/);
    assert.match(output, /^0\n1$/m);
    assert.match(output, /Operation not permitted/);
  });

  it('gives no second user namespace and no way to load a file system of its own', async () => {
    const { output } = await run('unshare --user --map-root-user id; mkdir /root/m; mount -t ext4 /dev/zero /root/m; echo done');
    assert.match(output, /unshare failed/);
    assert.match(output, /done/);
    assert.doesNotMatch(output, /uid=0/);
  });

  it('ends what takes too long', async () => {
    assert.deepEqual((await run('sleep 60', { limits: { ...LIMITS, seconds: 1 } })).ended, { kind: 'limit', limit: 'seconds' });
  });

  it('ends what takes too much memory', async () => {
    assert.deepEqual((await run('tail /dev/zero', { limits: { ...LIMITS, memoryBytes: 100 * 1024 ** 2 } })).ended, {
      kind: 'limit',
      limit: 'memory',
    });
  });

  it('ends what fills the disk, whether with one file or with many, on disk or in memory', async () => {
    const limits = { ...LIMITS, diskBytes: 64 * 1024 ** 2 };
    const one = 'cat /dev/zero > /job/out/file; sleep 60';
    const many = 'i=0; while :; do head -c 1000000 /dev/zero > /job/out/$i; i=$((i + 1)); done 2>/dev/null';
    for (const script of [one, many]) {
      await using temporary = await temporaryJob();
      const from = await temporary.job.innerFolder('out');
      const mounts = [{ access: 'write' as const, from, to: '/job/out' }];
      assert.deepEqual((await run(script, { job: temporary.job, limits, mounts })).ended, { kind: 'limit', limit: 'disk' });
    }
    const mounts = [{ access: 'memory' as const, bytes: limits.diskBytes, to: '/job/out' }];
    assert.deepEqual((await run(many, { limits, mounts })).ended, { kind: 'limit', limit: 'disk' });
  });

  it('ends a fork bomb', async () => {
    const { ended } = await run('i=0; while [ $i -lt 400 ]; do sleep 60 & i=$((i + 1)); done; wait', {
      limits: { ...LIMITS, processes: 100 },
    });
    assert.deepEqual(ended, { kind: 'limit', limit: 'processes' });
    const bomb = await run('f() { f | f & }; f; sleep 3; false', { limits: { ...LIMITS, processes: 100, seconds: 20 } });
    assert.deepEqual(bomb.ended, { kind: 'limit', limit: 'processes' });
  });

  it('ends an endless log, and keeps no more of it than the limit', async () => {
    const { ended, output } = await run('yes', { limits: { ...LIMITS, logBytes: 100_000 } });
    assert.deepEqual(ended, { kind: 'limit', limit: 'log' });
    assert.ok(output.length <= 100_000);
  });

  it('takes every process along when the program ends, also one that cut all ties', async () => {
    const marker = `7${Date.now()}`;
    const { ended } = await run(`setsid sleep ${marker} < /dev/null > /dev/null 2>&1 & sleep 0.2`);
    assert.deepEqual(ended, { kind: 'exit', code: 0 });
    assert.deepEqual(await processesNamed(marker), []);
  });

  it('has the name and the processors that it is given', async () => {
    const [first = 0] = await usableProcessors();
    const { output } = await run('hostname; nproc; env', { hostName: 'another', processors: [first] });
    const [name, processors, ...variables] = output.toString().split('\n');
    assert.deepEqual([name, processors], ['another', '1']);
    assert.ok(!variables.some((one) => one.startsWith('HOST_NAME')));
    assert.match((await run('hostname')).output.toString(), /^localhost\n/);
  });

  it('stops at once when it is told to', async () => {
    const marker = `8${Date.now()}`;
    await assert.rejects(run(`sleep ${marker}`, { signal: AbortSignal.timeout(500) }), { name: 'TimeoutError' });
    assert.deepEqual(await processesNamed(marker), []);
  });

  it('leaves no process behind when the worker is killed, and the next worker removes the folder', async () => {
    await using folder = await temporaryFolder();
    const marker = `9${Date.now()}`;
    const from = new URL('../../../src/adapters/environment/', import.meta.url).href;
    const program = `
      const { createJob } = await import('${from}jobs.ts');
      const { runInEnvironment } = await import('${from}environment.ts');
      const job = await createJob(${JSON.stringify(folder.path)}, ${JSON.stringify(ids)});
      const out = await job.innerFolder('out');
      await runInEnvironment({ job, limits: ${JSON.stringify(LIMITS)}, mounts: [{ access: 'write', from: out, to: '/job/out' }],
        command: ['sh', '-c', 'touch /job/out/file; setsid sleep ${marker} & sleep ${marker}'], onOutput() {} });`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
    while ((await processesNamed(marker)).length < 2) await sleep(50);
    assert.equal(await sweepJobs(folder.path, ids), 0, 'a job that is under way stays');
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    for (let wait = 0; wait < 40 && (await processesNamed(marker)).length > 0; wait += 1) await sleep(50);
    assert.deepEqual(await processesNamed(marker), []);
    const [left = ''] = await readdir(folder.path);
    assert.equal(await sweepJobs(folder.path, ids), 1);
    assert.equal((await readFile('/proc/self/mountinfo', 'utf8')).includes(left), false);
    const groups = await readdir('/sys/fs/cgroup', { recursive: true }).catch(() => []);
    assert.deepEqual(
      groups.filter((group) => group.includes(left)),
      [],
    );
    assert.deepEqual(await readdir(folder.path), []);
  });
});
