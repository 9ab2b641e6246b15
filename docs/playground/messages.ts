/** What the page asks of the worker: to compile a model and to time it. */
export interface Job {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One compiled and timed build. */
export interface Timed {
  readonly build: 'FP32' | 'INT8';
  readonly target: string;
  readonly moduleBytes: number;
  readonly memoryBytes: number;
  /** Milliseconds. */
  readonly compiling: number;
  readonly running: number;
}

/** What the worker answers, in order: progress, then the result or an error. */
export type Answer =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | {
      readonly kind: 'done';
      readonly times: readonly Timed[];
      readonly ops: string;
      readonly files: readonly { readonly name: string; readonly data: Uint8Array | string }[];
      /** The explorer of the graphs, an HTML page. */
      readonly explorer: string;
    };
