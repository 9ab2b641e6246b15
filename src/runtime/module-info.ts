import { ABI_VERSION, type ModuleInfo, SECTION_NAME } from './abi.js';

/** Sizes of the parts of a module, in bytes. */
export interface ModuleSizes {
  readonly total: number;
  readonly code: number;
  /** Weights and tables. */
  readonly data: number;
  /** The custom section: what `inspect` shows. */
  readonly info: number;
}

const CODE = 10;
const DATA = 11;
const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Whether a file is WebAssembly, whole or not. */
export const isWasm = (bytes: Uint8Array): boolean => MAGIC.slice(0, 4).every((byte, i) => bytes[i] === byte);

/** An unsigned LEB128 number and where it ends. */
function readUnsigned(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0, i = at; shift < 35; shift += 7, i++) {
    const byte = bytes[i];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, next: i + 1 };
  }
  throw new Error('the WebAssembly module is truncated or damaged');
}

/** The sections of a module: id, and content without the header. */
function* sections(bytes: Uint8Array): Generator<{ id: number; content: Uint8Array }> {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw new Error('not a WebAssembly module');
  let at = MAGIC.length;
  while (at < bytes.length) {
    const id = bytes[at] as number;
    const { value: size, next } = readUnsigned(bytes, at + 1);
    if (next + size > bytes.length) throw new Error('the WebAssembly module is truncated');
    yield { id, content: bytes.subarray(next, next + size) };
    at = next + size;
  }
}

function parseInfo(content: Uint8Array): ModuleInfo {
  let info: ModuleInfo;
  try {
    info = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content)) as ModuleInfo;
  } catch (cause) {
    throw new Error(`its section "${SECTION_NAME}" is damaged`, { cause });
  }
  if (info?.version !== ABI_VERSION)
    throw new Error(
      `made by qc ${info?.compiler} in format ${info?.version}; this qc reads format ${ABI_VERSION}: compile the model again`,
    );
  return info;
}

/**
 * Reads the description of a module from its bytes, without compiling it: that also works where the engine does not
 * know the module's instructions. Throws a plain Error with a short message.
 */
export function readModuleInfo(bytes: Uint8Array): { readonly info: ModuleInfo; readonly sizes: ModuleSizes } {
  let info: ModuleInfo | undefined;
  const sizes = { total: bytes.length, code: 0, data: 0, info: 0 };
  for (const { id, content } of sections(bytes)) {
    if (id === CODE) sizes.code += content.length;
    if (id === DATA) sizes.data += content.length;
    if (id !== 0) continue;
    const { value: length, next } = readUnsigned(content, 0);
    const name = new TextDecoder().decode(content.subarray(next, next + length));
    if (name !== SECTION_NAME) continue;
    sizes.info = content.length;
    info = parseInfo(content.subarray(next + length));
  }
  if (!info) throw new Error(`not a module made by qc: it has no section "${SECTION_NAME}"`);
  return { info, sizes };
}
