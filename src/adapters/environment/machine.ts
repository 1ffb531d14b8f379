import { readFile, statfs } from 'node:fs/promises';
import { arch } from 'node:os';
import { Problem } from '../../problem.ts';

const FULL_BYTES = 64 * 1024 ** 2;
const ARCHITECTURES: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loong64',
};

/** This machine's processor, in OCI's words. */
export function machineArchitecture(): string {
  return ARCHITECTURES[arch()] ?? arch();
}

/** Debian's names of what a processor runs without emulation, its 32-bit kin included. */
const RUNS: Record<string, readonly string[]> = {
  amd64: ['amd64', 'i386'],
  arm64: ['arm64', 'armhf', 'armel'],
  ppc64le: ['ppc64el'],
};

/** Whether programs of this architecture (in Debian's words) can be run here. */
export function runsHere(architecture: string): boolean {
  const own = machineArchitecture();
  return (RUNS[own] ?? [own]).includes(architecture);
}

/** Numbers of the processors that this process may use: proc(5), `Cpus_allowed_list`. */
export async function usableProcessors(): Promise<number[]> {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_one, index) => first + index);
  });
}

/** A build that fails because this machine is full says nothing about the image. */
export async function throwWhenMachineIsFull(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < FULL_BYTES) throw new Problem('disk-full', 'the disk was full during the build');
}
