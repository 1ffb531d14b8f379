import { statfs } from 'node:fs/promises';
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

/** A build that fails because this machine is full says nothing about the image. */
export async function throwWhenMachineIsFull(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < FULL_BYTES) throw new Problem('disk-full', 'the disk was full during the build');
}
