import { existsSync, readFileSync } from 'node:fs';

/** Peak memory of this process in MB. `resourceUsage` would count what the parent had when it forked. */
export function peakMemory(): number {
  const status = '/proc/self/status';
  if (!existsSync(status)) return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]) / 1024;
}
