import type { ModuleInfo } from './abi.js';
import type { LoadOptions, Source } from './net.js';
import { classOf, isBytes, isModule, reason } from './values.js';

interface FileSystem {
  readFileSync(path: string | URL): Uint8Array<ArrayBuffer>;
}

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

/** A source without URLs: bytes, a response or a module. */
export async function openSource(
  name: string,
  source: Source,
  options: LoadOptions,
): Promise<BufferSource | Response | WebAssembly.Module> {
  const opened = typeof source === 'string' || source instanceof URL ? await open(name, source, options) : source;
  if (!isModule(opened) && !isBytes(opened) && !(opened as Response).arrayBuffer)
    throw new TypeError(`${name}: load takes a URL, a Response, bytes or a WebAssembly.Module, not ${classOf(source)}`);
  return opened as BufferSource | Response | WebAssembly.Module;
}

/** The module of a source. */
export async function compileSource(name: string, source: Source, options: LoadOptions): Promise<WebAssembly.Module> {
  const opened = await openSource(name, source, options);
  return isModule(opened) ? opened : compile(name, opened);
}

/** The module of bytes, or the module itself. */
export function compileSync(name: string, source: unknown): WebAssembly.Module {
  if (isModule(source)) return source;
  if (!isBytes(source))
    throw new TypeError(`${name}: loadSync takes bytes or a WebAssembly.Module, not ${classOf(source)}`);
  checkMagic(name, source);
  try {
    return new WebAssembly.Module(source);
  } catch (cause) {
    throw compileError(name, cause);
  }
}

/** The description in the custom section, if it is one that this loader understands. */
export function readInfo(name: string, module: WebAssembly.Module): ModuleInfo {
  const section = WebAssembly.Module.customSections(module, 'qc')[0];
  if (!section) throw new Error(`${name}: not a module made by qc: it has no section "qc"`);
  const info = JSON.parse(new TextDecoder().decode(section)) as ModuleInfo;
  if (info.version !== 1)
    throw new Error(
      `${name}: made by qc ${info.compiler} in format ${info.version}, this loader reads format 1; use the .mjs that was emitted with it`,
    );
  return info;
}
