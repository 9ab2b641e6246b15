import { arrayFromBytes, byteSize, type Tensor } from '../ir/tensor.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import { modelError, QcError } from '../support/errors.js';
import { isNpy, tensorFromNpy } from './npy.js';
import { decodeTensorProto, type NamedTensor } from './pb.js';

/** A type for messages. */
const text = ({ dtype, shape }: TensorType): string => `${dtype} [${shape.join(', ')}]`;

/** Reads a .npy or .pb file; undefined where it is neither, and so raw data. Errors name the file. */
export function readNamedTensor(file: string, bytes: Uint8Array): NamedTensor | undefined {
  try {
    if (isNpy(bytes) || /\.npy$/i.test(file)) return { name: '', tensor: tensorFromNpy(bytes) };
    return /\.pb$/i.test(file) ? decodeTensorProto(bytes) : undefined;
  } catch (error) {
    throw error instanceof QcError ? new QcError(error.kind, error.message, { file, ...error.where }) : error;
  }
}

/** Raw little-endian elements of the wanted type, one item or several. */
export function tensorFromRaw(file: string, bytes: Uint8Array, wanted: TensorType): Tensor {
  const itemBytes = sizeOf(wanted.shape) * byteSize(wanted.dtype);
  const items = itemBytes ? bytes.length / itemBytes : 1;
  if (!Number.isInteger(items) || items < 1 || items * itemBytes !== bytes.length)
    throw modelError(
      `${bytes.length} bytes are not raw data of ${text(wanted)}, which has ${itemBytes} bytes an item`,
      {
        file,
        remedy: 'Data is read from .npy, from .pb (ONNX TensorProto), or raw in little-endian order.',
      },
    );
  const type = { dtype: wanted.dtype, shape: batchShape(wanted.shape, items) };
  return { type, data: arrayFromBytes(wanted.dtype, bytes) };
}

/** The shape of k items: the first dimension k times as long; a scalar gets one. */
export function batchShape(shape: readonly number[], items: number): number[] {
  if (items === 1) return [...shape];
  return shape.length === 0 ? [items] : [(shape[0] as number) * items, ...shape.slice(1)];
}

/** Leading dimensions of 1 say nothing. */
function core(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((d) => d !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** How many items of the wanted type a tensor holds. Throws where it does not fit; equal sizes are not enough. */
export function itemsIn(file: string, { type }: Tensor, wanted: TensorType, name: string): number {
  const sameCore = core(type.shape).join() === core(wanted.shape).join();
  const [first = 1, ...rest] = wanted.shape;
  const [given = 1, ...givenRest] = type.shape;
  const batch = rest.join() === givenRest.join() && given > 0 && given % first === 0;
  if (type.dtype === wanted.dtype && (sameCore || batch)) return sameCore ? 1 : given / first;
  const what = type.dtype === wanted.dtype ? 'shape' : 'type';
  throw modelError(`holds ${text(type)}, but input "${name}" takes ${text(wanted)}`, {
    file,
    remedy: `Convert the data to that ${what}.${what === 'shape' ? ' A batch is a multiple of the first dimension.' : ''}`,
  });
}
