import { modelError } from '../support/errors.js';
import type { Fit, Size } from './image/preprocess.js';
import type { Interpolation } from './image/resize.js';

/**
 * Files of preprocessed pictures with labels, little-endian.
 *
 * f32, the layout of Paddle's full_ILSVRC2012_val_preprocess.py: int64 N; N pictures of 3 x H x W float32 (RGB
 * planes, normalized); N labels int64. 8 + N * (12 * H * W + 8) bytes; nothing tells H and W but the size of the file.
 *
 * u8, ours: a head of 64 bytes (magic number; u32 version, channels, height, width; u64 N, byte offset and length of a JSON
 * text, `DataSetHeader`); N pictures of 3 x H x W bytes (RGB planes); N labels int64; the text. 3 * H * W + 8 bytes a
 * picture instead of 12 * H * W + 8.
 */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x51, 0x43, 0x44, 0x41, 0x54, 0x41, 0x31); // \x89QCDATA1

/** What is known of a data set: the header of the u8 form, a file beside the f32 form. */
export interface DataSetHeader {
  readonly format: 'qc-data-set';
  readonly version: 1;
  readonly dtype: 'f32' | 'u8';
  readonly count: number;
  readonly channels: 3;
  readonly height: number;
  readonly width: number;
  /** Who decoded the pictures: decoders differ by a level or two. */
  readonly decoder: string;
  readonly resize: number;
  readonly fit: Fit;
  readonly interpolation: Interpolation;
  readonly range: 1 | 255;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** The seed by which the order was shuffled. */
  readonly shuffled?: number;
  /** Pictures that could not be read and are left out. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** The pictures' paths as the list has them. */
  readonly names: readonly string[];
}

/** A file that is read in parts. */
export interface RandomAccess {
  readonly length: number;
  read(offset: number, length: number): Uint8Array;
}

/** A data set that has been checked: everything but the pictures is in memory. */
export interface DataSet {
  readonly dtype: 'f32' | 'u8';
  readonly size: Size;
  readonly count: number;
  readonly labels: readonly number[];
  readonly header: DataSetHeader | undefined;
  /** The elements of one picture, 3 x H x W. */
  picture(index: number): Float32Array | Uint8Array;
}

const BYTES = { f32: 4, u8: 1 } as const;
const MAX_HEADER = 1 << 28;
const MAX_LABEL = 2 ** 31 - 1;

/** Bytes of one picture. */
export const pictureBytes = (dtype: 'f32' | 'u8', { height, width }: Size): number => 3 * height * width * BYTES[dtype];

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const sizeText = ({ height, width }: Size): string => `${height}x${width}`;

/** Bytes in front of the pictures. */
export const HEAD_BYTES = { f32: 8, u8: 64 } as const;

const headerText = (header: DataSetHeader): Uint8Array => new TextEncoder().encode(JSON.stringify(header));
const textStart = (header: DataSetHeader): number => HEAD_BYTES.u8 + header.count * (pictureBytes('u8', header) + 8);

/** What stands before the pictures. */
export function dataSetStart(header: DataSetHeader): Uint8Array {
  const { dtype, count, channels, height, width, version } = header;
  const start = new Uint8Array(HEAD_BYTES[dtype]);
  const to = view(start);
  if (dtype === 'f32') {
    to.setBigInt64(0, BigInt(count), true);
    return start;
  }
  start.set(MAGIC);
  for (const [i, v] of [version, channels, height, width].entries()) to.setUint32(8 + 4 * i, v, true);
  for (const [i, v] of [count, textStart(header), headerText(header).length].entries())
    to.setBigUint64(24 + 8 * i, BigInt(v), true);
  return start;
}

/** What stands behind the pictures. */
export function dataSetEnd(header: DataSetHeader, labels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(BigInt64Array.from(labels, BigInt).buffer);
  if (header.dtype === 'f32') return bytes;
  const text = headerText(header);
  const end = new Uint8Array(bytes.length + text.length);
  end.set(bytes);
  end.set(text, bytes.length);
  return end;
}

/** Checks a header that came from a file, as far as it is relied on. */
export function checkHeader(value: unknown, file: string): DataSetHeader {
  const header = value as DataSetHeader;
  const whole = (n: unknown, most: number): boolean =>
    Number.isSafeInteger(n) && (n as number) >= 1 && (n as number) <= most;
  const numbers = (list: unknown): boolean => Array.isArray(list) && list.length === 3 && list.every(Number.isFinite);
  const valid =
    header?.format === 'qc-data-set' &&
    header.version === 1 &&
    (header.dtype === 'f32' || header.dtype === 'u8') &&
    whole(header.count, 2 ** 40) &&
    whole(header.height, 65536) &&
    whole(header.width, 65536) &&
    header.channels === 3 &&
    (header.range === 1 || header.range === 255) &&
    numbers(header.mean) &&
    numbers(header.std) &&
    header.std.every((v) => v > 0);
  if (!valid) throw modelError('the header of the data set is damaged', { file });
  return header;
}

/** The head of a u8 file and its header, which must agree. */
function readHeader(access: RandomAccess, file: string): DataSetHeader {
  if (access.length < HEAD_BYTES.u8) throw modelError('the data set is truncated in its head', { file });
  const head = view(access.read(0, HEAD_BYTES.u8));
  const [version, channels, height, width] = [8, 12, 16, 20].map((at) => head.getUint32(at, true));
  const [count, at, length] = [24, 32, 40].map((offset) => Number(head.getBigUint64(offset, true))) as [
    number,
    number,
    number,
  ];
  if (version !== 1) throw modelError(`the data set has version ${version}, this qc reads version 1`, { file });
  if (length < 2 || length > MAX_HEADER || at > access.length || at + length > access.length)
    throw modelError(`truncated: ${access.length} bytes instead of ${at + length} for ${count} pictures`, { file });
  if (at + length < access.length)
    throw modelError(`too long: ${access.length} bytes instead of ${at + length}`, { file });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(access.read(at, length)));
  } catch (cause) {
    throw modelError('the header of the data set is damaged', { file, cause });
  }
  const header = checkHeader(value, file);
  const agree =
    [header.count, header.channels, header.height, header.width].join() === [count, channels, height, width].join();
  if (!agree || header.dtype !== 'u8' || textStart(header) !== at)
    throw modelError('the header of the data set is damaged', { file });
  return header;
}

/** The side of the square pictures that make a file of this size, if one does. */
function squareSide(length: number, count: number): number | undefined {
  const side = Math.sqrt(((length - 8) / count - 8) / 12);
  return Number.isInteger(side) && side > 0 ? side : undefined;
}

/** The number of pictures of an f32 file and their size: the wanted one, else the square that fits. */
function readCount(access: RandomAccess, file: string, wanted: Size | undefined): { count: number; size: Size } {
  if (access.length < 8) throw modelError(`no data set: it has ${access.length} bytes`, { file });
  const stated = view(access.read(0, 8)).getBigInt64(0, true);
  if (stated < 1n || stated > BigInt(Math.floor((access.length - 8) / 20)))
    throw modelError(`no data set, or a damaged one: it claims ${stated} pictures in ${access.length} bytes`, {
      file,
      remedy: 'qc preprocess writes such files: int64 count, pictures as float32, labels as int64.',
    });
  const count = Number(stated);
  const side = squareSide(access.length, count);
  const size = wanted ?? (side === undefined ? undefined : { height: side, width: side });
  if (!size)
    throw modelError(`the file of ${access.length} bytes does not hold ${count} square pictures with labels`, {
      file,
      remedy: 'It is truncated or damaged, or the pictures are not square.',
    });
  const expected = 8 + count * (pictureBytes('f32', size) + 8);
  if (expected === access.length) return { count, size };
  if (side !== undefined)
    throw modelError(`its pictures are ${side}x${side}, the network takes ${sizeText(size)}`, { file });
  throw modelError(
    `${access.length < expected ? 'truncated' : 'too long'}: ${access.length} bytes, but ${count} pictures of ${sizeText(size)} with labels take ${expected}`,
    { file },
  );
}

function readLabels(access: RandomAccess, at: number, count: number, file: string): number[] {
  const bytes = access.read(at, 8 * count);
  return Array.from(new BigInt64Array(new Uint8Array(bytes).buffer), (label, i) => {
    if (label < 0n || label > BigInt(MAX_LABEL))
      throw modelError(`label ${label} of picture ${i} is out of range`, { file });
    return Number(label);
  });
}

/**
 * Opens a data set in either form and checks it. `wanted` is the size that the network takes; `beside` the header that
 * belongs to an f32 file, where there is one. Throws model errors that name the file.
 */
export function readDataSet(file: string, access: RandomAccess, wanted?: Size, beside?: DataSetHeader): DataSet {
  const compact = access.length >= 8 && access.read(0, 8).every((byte, i) => byte === MAGIC[i]);
  const own = compact ? readHeader(access, file) : undefined;
  const { count, size } = own
    ? { count: own.count, size: { height: own.height, width: own.width } }
    : readCount(access, file, wanted);
  if (wanted && (size.height !== wanted.height || size.width !== wanted.width))
    throw modelError(`its pictures are ${sizeText(size)}, the network takes ${sizeText(wanted)}`, { file });
  const dtype = compact ? 'u8' : 'f32';
  const start = HEAD_BYTES[dtype];
  const bytes = pictureBytes(dtype, size);
  const fits = beside?.dtype === 'f32' && beside.count === count && beside.height === size.height;
  const header = own ?? (fits ? beside : undefined);
  return {
    dtype,
    size,
    count,
    labels: readLabels(access, start + count * bytes, count, file),
    header,
    picture(index) {
      const raw = access.read(start + index * bytes, bytes);
      return dtype === 'u8' ? raw : new Float32Array(new Uint8Array(raw).buffer);
    },
  };
}
