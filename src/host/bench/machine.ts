import { readFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import type { Machine } from '../../tasks/bench.js';

/** Names of /proc/cpuinfo on x86 and Arm. */
const FEATURES = [
  'ssse3',
  'sse4_1',
  'avx',
  'avx2',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx_vnni',
  'avx_vnni_int8',
  'amx_int8',
  'asimd',
  'asimddp',
  'i8mm',
];

/** This machine. */
export function describeMachine(): Machine {
  const [first] = cpus();
  let flags: string[] = [];
  try {
    flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(/\s+/) ?? [];
  } catch {
    // not a Linux
  }
  return {
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    platform: `${platform()} ${arch()}`,
    memory: totalmem(),
    features: FEATURES.filter((name) => flags.includes(name)),
  };
}
