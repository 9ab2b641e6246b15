import type { DataType, EntryInfo, ModuleInfo, TensorInfo } from './abi.js';
import { LOADER_TEXTS } from './loader-text.js';
import { type PartEntry, partsFor } from './parts.js';
import { quote, spawnText, urlOf } from './source-text.js';

const ARRAY_TYPES: Record<DataType, string> = {
  f32: 'Float32Array',
  i8: 'Int8Array',
  u8: 'Uint8Array',
  i32: 'Int32Array',
  i64: 'BigInt64Array',
  bool: 'Uint8Array',
};

/** What a person wants to know about a tensor, for a comment. */
function describe({ dtype, shape, scale, zeroPoint, image }: TensorInfo): string {
  const size = shape.reduce((n, d) => n * d, 1);
  if (image) {
    const other = image.resize === 'none' ? '' : `, resized to ${image.width} x ${image.height}`;
    return `RGBA bytes, pictures of up to ${size / 4} pixels${other}`;
  }
  const grid = scale === undefined ? '' : `; the network quantizes it: scale ${scale}, zero point ${zeroPoint ?? 0}`;
  return `${dtype}, shape [${shape.join(', ')}], ${size} element${size === 1 ? '' : 's'}${grid}`;
}

/** Base64 without Buffer; chunks are multiples of 3 bytes, so that their texts join. */
function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  const step = 3 * 4096;
  for (let i = 0; i < bytes.length; i += step) parts.push(btoa(String.fromCharCode(...bytes.subarray(i, i + step))));
  return parts.join('');
}

/** What a loader has to know of its package besides the module's description. */
export interface LoaderOptions {
  readonly binaries?: Binaries;
  /** Puts the files into the text. */
  readonly inline?: boolean;
}

/** The binary files of a package; `relaxed` is the delta to the module of the relaxed target. */
export interface Binaries {
  readonly wasm: Uint8Array;
  readonly relaxed?: Uint8Array;
}

/**
 * The text of NAME.mjs. It reads everything about the model from the module itself; `inline` has the files that are to be
 * part of the text. `new URL(literal, import.meta.url)` is the form that bundlers recognize.
 */
export function loaderSource(name: string, meta: ModuleInfo, { binaries, inline }: LoaderOptions = {}): string {
  const entry = meta.entries[0] as EntryInfo;
  const sourceOf = (bytes: Uint8Array | undefined, file: string): string =>
    inline && bytes
      ? `Uint8Array.from(atob(${quote(base64(bytes))}), (c) => c.charCodeAt(0))`
      : `new URL(${quote(urlOf(file))}, import.meta.url)`;
  const beside = sourceOf(binaries?.wasm, `${name}.wasm`);
  const files = {
    ...(binaries?.relaxed && { relaxed: sourceOf(binaries.relaxed, `${name}.relaxed.bin`) }),
    ...(meta.threads && { thread: spawnText(name, threadFile(name)) }),
  };
  const parts = partsFor(meta, files);
  const used = parts.map((part) => part.use?.(files) ?? part.name);
  return [
    `// Made by qc ${meta.compiler}. import { load } from ${quote(`./${name}.mjs`)}; const net = await load(); net.run({ name: data })`,
    ...entry.inputs.map((t) => `// in  ${quote(t.name)}: ${ARRAY_TYPES[t.dtype]}, ${describe(t)}`),
    ...entry.outputs.map((t) => `// out ${quote(t.name)}: ${ARRAY_TYPES[t.dtype]}, ${describe(t)}`),
    LOADER_TEXTS.createLoader,
    ...parts.map((part) => LOADER_TEXTS[part.name]),
    `export const { load, loadSync } = createLoader(${quote(name)}, () => ${beside}, [${used.join(', ')}]);`,
    '',
  ].join('\n');
}

const threadFile = (name: string): string => `${name}.thread.mjs`;

/**
 * NAME.thread.mjs, which a thread runs. It has the loader and those parts that compute in it, so that it does not import
 * NAME.mjs, which names it: bundlers refuse circles of workers.
 */
export function threadFiles(name: string, meta: ModuleInfo): { readonly name: string; readonly data: string }[] {
  if (!meta.threads) return [];
  const parts = partsFor(meta).filter((part) => part.inThreads);
  const list = parts.map((part) => part.use?.({}) ?? part.name).join(', ');
  const data = [
    `// Made by qc ${meta.compiler}: a thread of ./${quote(`${name}.mjs`).slice(1, -1)}, which starts it.`,
    LOADER_TEXTS.createLoader,
    ...parts.map((part) => LOADER_TEXTS[part.name]),
    LOADER_TEXTS.serveThread,
    `serveThread(createLoader(${quote(name)}, () => '', [${list}]).load);`,
    '',
  ].join('\n');
  return [{ name: threadFile(name), data }];
}

/** An interface with one property per tensor, names verbatim. */
function tensorInterface(name: string, doc: string, tensors: readonly TensorInfo[], pictures = ''): string {
  const typeOf = (t: TensorInfo): string => (t.image && pictures) || ARRAY_TYPES[t.dtype];
  const fields = tensors.map((t) => `    /** ${describe(t)} */\n    readonly ${quote(t.name)}: ${typeOf(t)};\n`);
  return `  /** ${doc} */\n  export interface ${name} {\n${fields.join('')}  }\n`;
}

/** The members of a net. */
const netMembers = (parts: readonly PartEntry[], views: string): string => `
    readonly inputs: readonly TensorDescription<keyof Inputs>[];
    readonly outputs: readonly TensorDescription<keyof Outputs>[];
    readonly memoryBytes: number;
    /** Copies the inputs in, computes, copies the outputs out. Inputs of k items, one after another, give outputs of k items. */
    run(inputs: Inputs): Outputs;
    /** Computes on what the input views hold; the results are in the output views. A run may overwrite its inputs. */
    runInPlace(): void;
    /** View of an input's buffer, without a copy. */
    input<Name extends keyof Inputs>(name: Name): ${views}[Name];
    /** View of an output's buffer, without a copy; the next run overwrites it. */
    output<Name extends keyof Outputs>(name: Name): Outputs[Name];
    /** Lets go of the memory; the net cannot be used any more. */
    free(): void;
${parts.map((part) => part.net ?? '').join('')}`;

/** The types of a net that threads share; what computes gives promises. */
const threadedTypes = (members: string): string => `
  /** How a ThreadedNet is asked for. */
  export interface Threads {
    readonly threads: number | true;
  }

  /** An instance that several threads compute. Runs are done in the order in which they were asked for. */
  export interface ThreadedNet {
    /** How many threads there are: 1 without SharedArrayBuffer. */
    readonly threads: number;${members
      .replace(/\): (Outputs|void|Class\[\]);/g, '): Promise<$1>;')
      .replace('free(): Promise<void>', 'free(): void')
      .replace('Pick<Net,', 'Pick<ThreadedNet,')}  }
`;

/** The types of the loaded net; parts of the loader add members. */
const netTypes = (
  parts: readonly PartEntry[],
  views: string,
  threads: boolean,
): string => `  /** An input or output, in the model's order. */
  export interface TensorDescription<Name> {
    readonly name: Name;
    readonly dtype: 'f32' | 'i8' | 'u8' | 'i32' | 'i64' | 'bool';
    readonly shape: readonly number[];
  }

  /** One instance of the network with its own memory. */
  export interface Net {${netMembers(parts, views)}  }
${threads ? threadedTypes(netMembers(parts, views)) : ''}
  export interface LoadOptions {
    /** Used in place of the global fetch, for instance to add headers. */
    readonly fetch?: (url: string | URL) => Promise<Response>;
${parts.map((part) => part.loadOptions ?? '').join('')}  }

  /** Where the module comes from; a string is a URL, or a path where there is a file system. */
  export type Source = string | URL | Response | ArrayBuffer | ArrayBufferView | WebAssembly.Module;
${parts.map((part) => part.types ?? '').join('')}`;

/**
 * The text of NAME.d.ts. TypeScript looks for the types of NAME.mjs in NAME.d.mts only, so this file declares them for
 * every import that ends in /NAME.mjs; it has to be part of the program, as files beside the sources are.
 */
export function declarations(name: string, meta: ModuleInfo): string {
  const entry = meta.entries[0] as EntryInfo;
  const hasImages = entry.inputs.some((input) => input.image);
  const source = 'The .wasm beside the .mjs where no source is given.';
  return [
    `// Types of ${quote(`./${name}.mjs`)}, made by qc ${meta.compiler}. They apply where this file is part of the program:`,
    '// covered by "include" of tsconfig.json, or named in a /// <reference path="..." />.\n',
    `declare module ${quote(`*/${name}.mjs`)} {`,
    tensorInterface(
      'Inputs',
      'What `run` takes: row-major data in the order of the shape.',
      entry.inputs,
      'Picture | readonly Picture[]',
    ),
    ...(hasImages ? [tensorInterface('InputViews', 'Buffers of the inputs.', entry.inputs)] : []),
    tensorInterface('Outputs', 'What `run` gives.', entry.outputs),
    netTypes(partsFor(meta), hasImages ? 'InputViews' : 'Inputs', meta.threads !== undefined),
    `  /** Loads the network. ${source} */`,
    ...(meta.threads
      ? [
          '  export function load(options: LoadOptions & Threads): Promise<ThreadedNet>;',
          '  export function load(source: Source | Promise<Source>, options: LoadOptions & Threads): Promise<ThreadedNet>;',
        ]
      : []),
    '  export function load(source?: Source | Promise<Source> | LoadOptions, options?: LoadOptions): Promise<Net>;\n',
    '  /** Loads the network at once, from bytes or a compiled module. */',
    '  export function loadSync(source: ArrayBuffer | ArrayBufferView | WebAssembly.Module, options?: LoadOptions): Net;',
    '}\n',
  ].join('\n');
}
