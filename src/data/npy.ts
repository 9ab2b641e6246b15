import { arrayFromBytes, byteSize, type FileDType, type Tensor, type TensorData } from '../ir/tensor.js';
import { type DType, sizeOf } from '../ir/type.js';
import { modelError } from '../support/errors.js';

/** The content of a .npy file, row-major. bool is one byte, 0 or 1. */
export interface NpyArray {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly data: TensorData | Float64Array;
}

const MAGIC = '\x93NUMPY';
const DESCR: Record<FileDType, string> = {
  f32: '<f4',
  f64: '<f8',
  i8: '|i1',
  u8: '|u1',
  i32: '<i4',
  i64: '<i8',
  bool: '|b1',
};

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Whether a file starts like a .npy file. */
export const isNpy = (bytes: Uint8Array): boolean => latin1(bytes.subarray(0, MAGIC.length)) === MAGIC;

/** The header's text and where the data starts. */
function readHeader(bytes: Uint8Array): { header: string; start: number } {
  if (!isNpy(bytes)) throw modelError('not a .npy file');
  const major = bytes[6];
  if (major !== 1 && major !== 2 && major !== 3) throw modelError(`.npy version ${major ?? '?'} is not supported`);
  const wide = major > 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fixed = wide ? 12 : 10;
  if (bytes.length < fixed) throw modelError('the .npy file is truncated in its header');
  const start = fixed + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (bytes.length < start) throw modelError('the .npy file is truncated in its header');
  return { header: new TextDecoder().decode(bytes.subarray(fixed, start)), start };
}

/** One entry of the header, a Python dictionary that NumPy writes in one form. */
function field(header: string, name: string, value: RegExp): string {
  const match = new RegExp(`['"]${name}['"]\\s*:\\s*(?:${value.source})`).exec(header);
  if (match?.[1] === undefined)
    throw modelError(`the .npy header has no readable ${name}: ${header.trim().slice(0, 200)}`);
  return match[1];
}

function dtypeOf(descr: string): FileDType {
  if (descr.startsWith('>') && descr.length > 2)
    throw modelError(`big-endian .npy data (${descr}) is not supported`, {
      remedy: "Save it with array.astype(array.dtype.newbyteorder('<')).",
    });
  const code = descr.replace(/^[<>|=]/, '');
  const found = (Object.keys(DESCR) as FileDType[]).find((dtype) => DESCR[dtype].slice(1) === code);
  if (!found)
    throw modelError(`.npy element type ${descr} is not supported`, {
      remedy: 'Supported are float32, float64, int8, uint8, int32, int64 and bool.',
    });
  return found;
}

function shapeOf(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map(Number);
  if (
    !shape.every((d, i) => parts[i] !== '' && Number.isSafeInteger(d) && d >= 0) ||
    !Number.isSafeInteger(sizeOf(shape))
  )
    throw modelError(`the .npy header has no valid shape: (${text})`);
  return shape;
}

/** Reads a .npy file (format 1 to 3, little-endian, C order). The data is a copy. */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  const { header, start } = readHeader(bytes);
  const dtype = dtypeOf(field(header, 'descr', /['"]([^'"]*)['"]/));
  const shape = shapeOf(field(header, 'shape', /\(([^)]*)\)/));
  const fortran = field(header, 'fortran_order', /(True|False)/) === 'True';
  if (fortran && shape.filter((d) => d > 1).length > 1)
    throw modelError('.npy data in Fortran order is not supported', {
      remedy: 'Save it with np.ascontiguousarray(array).',
    });
  const size = sizeOf(shape) * byteSize(dtype);
  const content = bytes.subarray(start);
  if (content.length !== size)
    throw modelError(`the .npy file holds ${content.length} bytes of data, its shape [${shape}] needs ${size}`);
  const data = arrayFromBytes(dtype, content);
  return { dtype, shape, data: dtype === 'bool' ? (data as Uint8Array).map((v) => (v ? 1 : 0)) : data };
}

/** Writes a .npy file in format 1, as NumPy does: C order, data aligned to 64 bytes. */
export function encodeNpy({ dtype, shape, data }: NpyArray): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const out = new Uint8Array(length + data.byteLength);
  const head = `${MAGIC}\x01\x00${String.fromCharCode((length - 10) & 255, (length - 10) >> 8)}${dictionary}`;
  for (let i = 0; i < length; i++) out[i] = i < head.length ? head.charCodeAt(i) : i === length - 1 ? 10 : 32;
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), length);
  return out;
}

/** The content of a .npy file as a tensor; float64, NumPy's default, is rounded to float32. */
export function tensorFromNpy(bytes: Uint8Array): Tensor {
  const { dtype, shape, data } = decodeNpy(bytes);
  if (data instanceof Float64Array) return { type: { dtype: 'f32', shape }, data: Float32Array.from(data) };
  return { type: { dtype: dtype as DType, shape }, data };
}

/** A tensor as a .npy file. */
export const npyFromTensor = ({ type, data }: Tensor): Uint8Array =>
  encodeNpy({ dtype: type.dtype, shape: type.shape, data });
