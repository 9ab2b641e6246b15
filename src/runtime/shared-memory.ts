import type { ModuleInfo } from './abi.js';

const PAGE = 65536;

/**
 * What an instance of a module imports: nothing, or the memory that it shares with those of other threads, large enough for
 * `threads` of them.
 */
export function sharedImports({ memory, threads: info }: ModuleInfo, threads = 1): WebAssembly.Imports {
  if (!info) return {};
  const more = Math.ceil(((threads - 1) * info.perThread) / PAGE);
  const pages = Math.min(memory.pages + more, info.maxPages);
  return { env: { memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }) } };
}
