// Types of `import net from './model.onnx?qc'`: name them in the "types" of tsconfig.json as "qc-compiler/client", or by
// /// <reference types="qc-compiler/client" />. The types of one model, with its names, are those of NAME.d.ts.

declare module '*?qc' {
  /** A tensor at the border of the network. */
  export type TypedArray = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

  /** An input or output, in the model's order. */
  export interface TensorDescription {
    readonly name: string;
    readonly dtype: 'f32' | 'i8' | 'u8' | 'i32' | 'i64' | 'bool';
    readonly shape: readonly number[];
  }

  /** A picture: ImageData of a canvas, or RGBA bytes row by row. */
  export interface Picture {
    readonly data: Uint8Array | Uint8ClampedArray;
    readonly width: number;
    readonly height: number;
  }

  /** One instance of the network with its own memory. */
  export interface Net {
    readonly inputs: readonly TensorDescription[];
    readonly outputs: readonly TensorDescription[];
    readonly memoryBytes: number;
    run(inputs: Readonly<Record<string, TypedArray | Picture | readonly Picture[]>>): Record<string, TypedArray>;
    runInPlace(): void;
    input(name: string): TypedArray;
    output(name: string): TypedArray;
    free(): void;
    /** With an image input or labels. */
    classify?(
      given: unknown,
      options?: { readonly topK?: number },
    ): { readonly index: number; readonly score: number; readonly label?: string }[];
  }

  export interface LoadOptions {
    readonly fetch?: (url: string | URL) => Promise<Response>;
    readonly warmUp?: boolean;
  }

  export type Source = string | URL | Response | ArrayBuffer | ArrayBufferView | WebAssembly.Module;

  export function load(source?: Source | Promise<Source> | LoadOptions, options?: LoadOptions): Promise<Net>;
  export function loadSync(source: ArrayBuffer | ArrayBufferView | WebAssembly.Module, options?: LoadOptions): Net;

  const network: { readonly load: typeof load; readonly loadSync: typeof loadSync };
  export default network;
}
