import type { Loader, LoadOptions, Net, Source } from './net.js';

// Becomes the text of NAME.worker.mjs: it stands alone, as loader.ts does.

/** What a pool asks: to load first, then to run. */
type Request =
  | { readonly source: Source | undefined; readonly options: LoadOptions }
  | { readonly inputs: Parameters<Net['run']>[0] };

interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: { data: Request }) => void) | null;
}

/** Serves a pool: answers each message with `{ value }` or `{ error }`, in order. */
export function servePool(load: Loader['load']): void {
  const host = globalThis as unknown as Partial<Port> & {
    process?: { getBuiltinModule?(id: string): { parentPort?: Port } };
  };
  // worker_threads has its port elsewhere than workers of pages
  const port = (host.postMessage ? host : host.process?.getBuiltinModule?.('node:worker_threads').parentPort) as Port;
  let net: Net;
  const answer = async (request: Request): Promise<void> => {
    try {
      if ('inputs' in request) {
        const value = await net.run(request.inputs);
        port.postMessage({ value }, [...new Set(Object.values(value).map((data) => data.buffer as ArrayBuffer))]);
        return;
      }
      net = await load(request.source, request.options);
      port.postMessage({ value: null });
    } catch (error) {
      port.postMessage({ error: (error as Error)?.message ?? String(error) });
    }
  };
  port.onmessage = ({ data }) => void answer(data);
}
