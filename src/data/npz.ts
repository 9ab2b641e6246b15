import type { Tensor } from '../ir/tensor.js';
import { modelError, QcError } from '../support/errors.js';
import { tensorFromNpy } from './npy.js';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
/** More than this times its compressed size is no array: deflate cannot reach it. */
const MAX_RATIO = 1032;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly size: number;
  readonly content: Uint8Array;
}

const damaged = (what: string): QcError => modelError(`the .npz file is damaged: ${what}`);

/** Finds the end record, which stands before a comment of at most 65535 bytes. */
function findEnd(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 65535); at--)
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  throw damaged('it has no directory; it may be truncated');
}

/** The files in a ZIP archive by its central directory (PKWARE APPNOTE 4.3), without ZIP64. */
function readDirectory(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: count }, () => {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== DIRECTORY_ENTRY) throw damaged('its directory is cut');
    const [method, packed, size] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
    ];
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => view.getUint16(at + o, true)) as [
      number,
      number,
      number,
    ];
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (packed === 0xffffffff || size === 0xffffffff || local === 0xffffffff)
      throw modelError(`"${name}" in the .npz file is larger than 4 GiB`, { remedy: 'Save it as .npy files.' });
    at += 46 + nameLength + extra + comment;
    if (local + 30 > bytes.length || view.getUint32(local, true) !== LOCAL_HEADER)
      throw damaged(`"${name}" is missing`);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packed > bytes.length) throw damaged(`"${name}" is truncated`);
    if (size > Math.max(1, packed) * MAX_RATIO) throw damaged(`"${name}" cannot have ${size} bytes`);
    return { name, method, size, content: bytes.subarray(start, start + packed) };
  });
}

async function inflate({ name, content, size }: Entry): Promise<Uint8Array> {
  try {
    const stream = new Blob([content as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream('deflate-raw'));
    const out = new Uint8Array(await new Response(stream).arrayBuffer());
    if (out.length !== size) throw new Error(`${out.length} bytes instead of ${size}`);
    return out;
  } catch (cause) {
    throw modelError(`the .npz file is damaged: "${name}" does not decompress`, { cause });
  }
}

/** Whether a file starts like a ZIP archive, which .npz files are. */
export const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3;

/** Reads the arrays of a .npz file (numpy.savez or savez_compressed) by name, in order. Throws model errors. */
export async function decodeNpz(bytes: Uint8Array): Promise<Map<string, Tensor>> {
  const arrays = new Map<string, Tensor>();
  for (const entry of readDirectory(bytes).filter((e) => e.name.endsWith('.npy'))) {
    if (entry.method !== STORED && entry.method !== DEFLATED)
      throw modelError(`"${entry.name}" in the .npz file is compressed by method ${entry.method}`, {
        remedy: 'numpy.savez and savez_compressed write what is read.',
      });
    const npy = entry.method === STORED ? entry.content : await inflate(entry);
    try {
      arrays.set(entry.name.slice(0, -4), tensorFromNpy(npy));
    } catch (error) {
      throw error instanceof QcError ? modelError(`"${entry.name}": ${error.message}`, error.where) : error;
    }
  }
  if (arrays.size === 0) throw modelError('the .npz file holds no arrays');
  return arrays;
}
