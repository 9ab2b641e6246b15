/** What Web Workers and those of node:worker_threads have in common, and where they differ. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): unknown;
  on?(event: 'message' | 'error', listener: (value: unknown) => void): void;
  /** Whether the worker keeps the process alive: only in Node. */
  ref?(): void;
  unref?(): void;
  onmessage?: ((event: { data: unknown }) => void) | null;
  onerror?: ((event: unknown) => void) | null;
}

/** Listens to a worker of either kind. */
export function listen(worker: WorkerLike, answer: (data: unknown) => void, failed: (error: unknown) => void): void {
  if (worker.on) {
    worker.on('message', answer);
    worker.on('error', failed);
  } else {
    worker.onmessage = ({ data }) => answer(data);
    worker.onerror = failed;
  }
}
