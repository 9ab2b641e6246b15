import { existsSync, readFileSync } from 'node:fs';

/** Peak memory of this process in bytes. `resourceUsage` would count what the parent had when it forked. */
export function peakMemory(): number {
  const status = '/proc/self/status';
  if (!existsSync(status)) return 1024 * process.resourceUsage().maxRSS;
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]);
}
