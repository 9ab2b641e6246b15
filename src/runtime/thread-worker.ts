import type { EntryNet, Loader, Net } from './net.js';

// Becomes the text of NAME.thread.mjs: it stands alone, as loader.ts does.

/** What a worker is asked: first to start, with its number, then, of the first worker, to run. */
type Request =
  | { readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory; readonly index: number }
  | { readonly index?: undefined; readonly entry?: number; readonly inputs?: Parameters<Net['run']>[0] };

interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: { data: Request }) => void) | null;
  close(): void;
}

/** Serves as a thread: the first one runs the net, the others help it until the net is freed. */
export function serveThread(load: Loader['load']): void {
  const host = globalThis as unknown as Partial<Port> & {
    process?: { getBuiltinModule?(id: string): { parentPort?: Port } };
  };
  // worker_threads has its port elsewhere than workers of pages
  const port = (host.postMessage ? host : host.process?.getBuiltinModule?.('node:worker_threads').parentPort) as Port;
  let net: Net & { readonly entries?: readonly EntryNet[] };
  const answer = async (request: Request): Promise<void> => {
    try {
      if (request.index === undefined) {
        const { inputs, entry } = request;
        const target = (entry === undefined ? net : net.entries?.[entry]) as EntryNet;
        const value = 'inputs' in request ? target.run(inputs as Parameters<Net['run']>[0]) : target.runInPlace();
        const buffers = Object.values(value ?? {}).map((data) => data.buffer as ArrayBuffer);
        port.postMessage({ value }, [...new Set(buffers)]);
        return;
      }
      const { module, memory, index } = request;
      if (index === 0) net = await load(module, { memory });
      const instance = index > 0 && (await WebAssembly.instantiate(module, { env: { memory } }));
      port.postMessage({ value: null });
      if (instance) {
        (instance.exports.help as (index: number) => void)(index);
        port.close();
      }
    } catch (error) {
      const { name, message } = error as Error;
      port.postMessage({ error: { name, message: message ?? String(error) } });
    }
  };
  port.onmessage = ({ data }) => void answer(data);
}
