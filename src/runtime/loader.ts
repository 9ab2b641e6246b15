import type { EntryInfo, ModuleInfo, TensorInfo } from './abi.js';
import type { Loader, LoadOptions, Net, Source, TensorDescription, TypedArray } from './net.js';

// This file becomes the text of every emitted NAME.mjs (tools/embed-loader.ts): it must stand alone, run in every
// JavaScript engine, stay small, and use no eval, no dynamic import and no builtin by import.

export type { Loader, LoadOptions, Net, Source, TensorDescription, TypedArray } from './net.js';

type Exports = Record<string, (() => void) | undefined> & { memory?: WebAssembly.Memory };
interface FileSystem {
  readFileSync(path: string | URL): Uint8Array<ArrayBuffer>;
}

const ARRAYS = {
  f32: Float32Array,
  i8: Int8Array,
  u8: Uint8Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** Name of the class of any object, also one of another realm. */
const classOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
const isBytes = (value: unknown): value is BufferSource =>
  ArrayBuffer.isView(value) || /ArrayBuffer$/.test(classOf(value));
const isModule = (value: unknown): value is WebAssembly.Module => classOf(value) === 'WebAssembly.Module';
const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
const reason = (error: unknown): string => (error as Error)?.message ?? String(error);
const describe = ({ name, dtype, shape }: TensorInfo): string =>
  `"${name}" (${ARRAYS[dtype].name} of ${count(shape)}, shape [${shape}])`;

/** Throws unless the bytes start like a wasm file: a server's error page gets a better message than the engine's. */
function checkMagic(name: string, source: BufferSource): void {
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  if (!head.startsWith('\0asm'))
    throw new Error(
      `${name}: not a WebAssembly module: ${head ? `it starts with ${JSON.stringify(head)}` : 'it is empty'}`,
    );
}

const compileError = (name: string, cause: unknown): Error =>
  new Error(`${name}: truncated or damaged, or this engine has no WebAssembly SIMD: ${reason(cause)}`, { cause });

/** Reads a file: URL or a path where the host has a file system; null where it has none. */
function readFile(name: string, path: string | URL): Uint8Array<ArrayBuffer> | null {
  const host = globalThis as { process?: { getBuiltinModule?(id: string): unknown } };
  const fs = host.process?.getBuiltinModule?.('node:fs') as FileSystem | undefined;
  if (!fs?.readFileSync) return null;
  try {
    return fs.readFileSync(path);
  } catch (cause) {
    throw new Error(`${name}: cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

/** Gets bytes or a streamed response from a URL or path. */
async function open(name: string, url: string | URL, options: LoadOptions): Promise<BufferSource | Response> {
  const text = String(url);
  // One letter before the colon is a drive of Windows.
  const scheme = /^([a-z][a-z\d+.-]+):/i.exec(text)?.[1];
  if (!options.fetch && (scheme ? scheme === 'file' : !('location' in globalThis))) {
    const bytes = readFile(name, scheme ? new URL(text) : text);
    if (bytes) return bytes;
  }
  try {
    return await (options.fetch ?? fetch)(url);
  } catch (cause) {
    throw new Error(`${name}: cannot fetch ${text}: ${reason(cause)}`, { cause });
  }
}

/** Compiles bytes or a response; streams only where the server names the right type, which streaming insists on. */
async function compile(name: string, from: BufferSource | Response): Promise<WebAssembly.Module> {
  let bytes = from as BufferSource;
  if (!isBytes(from)) {
    if (from.ok === false) throw new Error(`${name}: cannot fetch ${from.url}: ${from.status} ${from.statusText}`);
    if (from.bodyUsed) throw new Error(`${name}: the body of the Response was already read`);
    const streams = from.headers?.get('content-type')?.trim().toLowerCase() === 'application/wasm';
    if (streams && WebAssembly.compileStreaming)
      return WebAssembly.compileStreaming(from).catch((cause) => Promise.reject(compileError(name, cause)));
    bytes = await from.arrayBuffer();
  }
  checkMagic(name, bytes);
  return WebAssembly.compile(bytes).catch((cause) => Promise.reject(compileError(name, cause)));
}

/** The description in the custom section, if it is one that this loader understands. */
function readInfo(name: string, module: WebAssembly.Module): ModuleInfo {
  const section = WebAssembly.Module.customSections(module, 'qc')[0];
  if (!section) throw new Error(`${name}: not a module made by qc: it has no section "qc"`);
  const info = JSON.parse(new TextDecoder().decode(section)) as ModuleInfo;
  if (info.version !== 1)
    throw new Error(
      `${name}: made by qc ${info.compiler} in format ${info.version}, this loader reads format 1; use the .mjs that was emitted with it`,
    );
  return info;
}

/** Throws unless `data` is what the input wants; gives the number of items. */
function checkInput(name: string, input: TensorInfo, data: unknown): number {
  const wanted = ARRAYS[input.dtype].name;
  const given = classOf(data);
  const fits = given === wanted || (given === 'Uint8ClampedArray' && input.dtype === 'u8');
  if (!fits) {
    const what =
      data === undefined ? 'nothing' : data === null ? 'null' : `${/^[AEIOU]/.test(given) ? 'an' : 'a'} ${given}`;
    throw new TypeError(`${name}: input ${describe(input)} was given ${what}`);
  }
  const { length } = data as TypedArray;
  const size = count(input.shape);
  const items = size ? length / size : 1;
  if (!Number.isInteger(items) || items < 1 || items * size !== length)
    throw new RangeError(
      `${name}: input ${describe(input)} was given ${length} elements; a batch of k items has k x ${size}`,
    );
  return items;
}

/** Throws unless there is one piece of data for each input; gives the number of items. */
function checkInputs(name: string, entry: EntryInfo, feeds: Readonly<Record<string, unknown>>): number {
  const list = entry.inputs.map(describe).join(', ');
  if (classOf(feeds) !== 'Object') throw new TypeError(`${name}: run takes an object with the inputs ${list}`);
  for (const key of Object.keys(feeds))
    if (!entry.inputs.some((input) => input.name === key))
      throw new TypeError(`${name}: there is no input "${key}"; the inputs are ${list}`);
  const items = entry.inputs.map((input) => checkInput(name, input, feeds[input.name]));
  if (items.some((n) => n !== items[0]))
    throw new RangeError(`${name}: inputs of different batch sizes: ${items.join(', ')}`);
  return items[0] ?? 1;
}

/** Makes the network that callers use from an instance. */
function makeNet(name: string, info: ModuleInfo, instance: WebAssembly.Instance): Net {
  let exports = instance.exports as Exports | null;
  const entry = info.entries[0] as EntryInfo;
  const alive = (): Exports => {
    if (!exports) throw new Error(`${name}: the net was freed`);
    return exports;
  };
  const execute = (): void => alive()[entry.export]?.();
  const view = ({ dtype, offset, shape }: TensorInfo): TypedArray =>
    new ARRAYS[dtype]((alive().memory as WebAssembly.Memory).buffer, offset, count(shape));
  const find = (kind: string, list: readonly TensorInfo[], key: string): TypedArray => {
    const info = list.find((t) => t.name === key);
    if (!info)
      throw new TypeError(`${name}: there is no ${kind} "${key}"; the ${kind}s are ${list.map(describe).join(', ')}`);
    return view(info);
  };
  const publicOf = (list: readonly TensorInfo[]): TensorDescription[] =>
    list.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  alive().init?.();
  return {
    inputs: publicOf(entry.inputs),
    outputs: publicOf(entry.outputs),
    memoryBytes: (alive().memory as WebAssembly.Memory).buffer.byteLength,
    run(feeds) {
      alive();
      const items = checkInputs(name, entry, feeds);
      const sources = entry.inputs.map((input) => feeds[input.name] as Uint8Array);
      const targets = entry.inputs.map((input) => view(input) as Uint8Array);
      const results = entry.outputs.map((output) => view(output) as Uint8Array);
      const copies = results.map((from, i) => new ARRAYS[entry.outputs[i]!.dtype](items * from.length) as Uint8Array);
      for (let k = 0; k < items; k++) {
        for (const [i, to] of targets.entries()) to.set(sources[i]!.subarray(k * to.length, (k + 1) * to.length));
        execute();
        for (const [i, from] of results.entries()) copies[i]!.set(from, k * from.length);
      }
      return Object.fromEntries(entry.outputs.map((o, i) => [o.name, copies[i] as TypedArray]));
    },
    runInPlace: execute,
    input: (key) => find('input', entry.inputs, key),
    output: (key) => find('output', entry.outputs, key),
    free() {
      exports = null;
    },
  };
}

/**
 * The functions that an emitted package exports. `name` starts every message; `beside` gives the source where the
 * caller names none.
 */
export function createLoader(name: string, beside: () => Source): Loader {
  const instantiate = (cause: unknown): Error =>
    new Error(`${name}: cannot be instantiated: ${reason(cause)}`, { cause });
  return {
    async load(source, options = {}) {
      let from = await source;
      if (from && Object.getPrototypeOf(from) === Object.prototype) {
        options = from as LoadOptions;
        from = undefined;
      }
      const given = (from ?? beside()) as Source;
      const opened = typeof given === 'string' || given instanceof URL ? await open(name, given, options) : given;
      if (!isModule(opened) && !isBytes(opened) && !(opened as Response).arrayBuffer)
        throw new TypeError(
          `${name}: load takes a URL, a Response, bytes or a WebAssembly.Module, not ${classOf(given)}`,
        );
      const module = isModule(opened) ? opened : await compile(name, opened as BufferSource | Response);
      const info = readInfo(name, module);
      const instance = await WebAssembly.instantiate(module).catch((cause) => Promise.reject(instantiate(cause)));
      return makeNet(name, info, instance);
    },
    loadSync(source) {
      let module = source as WebAssembly.Module;
      if (!isModule(source)) {
        if (!isBytes(source))
          throw new TypeError(`${name}: loadSync takes bytes or a WebAssembly.Module, not ${classOf(source)}`);
        checkMagic(name, source);
        try {
          module = new WebAssembly.Module(source);
        } catch (cause) {
          throw compileError(name, cause);
        }
      }
      const info = readInfo(name, module);
      let instance: WebAssembly.Instance;
      try {
        instance = new WebAssembly.Instance(module);
      } catch (cause) {
        throw instantiate(cause);
      }
      return makeNet(name, info, instance);
    },
  };
}
