import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

/** buildah makes folders in its temporary folder even for this: it is given one that goes. */
export async function buildahVersion(folder: string): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder };
  const child = spawn('buildah', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'], env });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  try {
    await once(child, 'close');
  } catch (cause) {
    throw new Problem('environment-missing', 'buildah is not installed', { cause });
  }
  return /buildah version (\S+)/.exec(text)?.[1] ?? 'unknown';
}
