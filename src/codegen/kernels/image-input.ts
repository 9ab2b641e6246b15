import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES, type Storage } from '../kernel.js';

/** Bits behind the point of the weights of both axes; the two passes are rounded once, at the end. */
const BITS = 11;
const ONE = 1 << BITS;

/**
 * RGBA bytes of any size to the tensor of a network: bilinear resize, then one table per channel for normalization and
 * quantization.
 *
 * Arguments: [pixels, size, tables, columns, target], byte addresses:
 * - pixels: RGBA, row by row; up to 4 bytes behind the last pixel are read;
 * - size: two i32, width and height of the picture, both at least 1; zeros mean the largest ones;
 * - tables: 256 elements of `storage` per channel;
 * - columns: memory for 8 bytes per output column;
 * - target: the element of channel 0 at the top left.
 *
 * Output pixel i of n along an axis of m pixels lies at (i + 0.5) m / n - 0.5 (half-pixel centres), in integers
 *
 *     t = max(0, (2i + 1) m - n),  low = floor(t / 2n),  part = floor((2048 (t mod 2n) + n) / 2n),
 *
 * and low = m - 1, part = 0 where low >= m - 1. A byte of the result is
 *
 *     ((a (2048 - px) + b px) (2048 - py) + (c (2048 - px) + d px) py + 2^21) >> 22
 *
 * of its neighbours a, b above and c, d below. A picture of the output's size stays as it is. Alpha is not looked at.
 */
export interface ImageInputParams {
  /** Output size. */
  readonly width: number;
  readonly height: number;
  /** 1: luminance, (19595 R + 38470 G + 7471 B + 2^15) >> 16 (ITU-R 601-2). */
  readonly channels: 1 | 3;
  readonly order: 'rgb' | 'bgr';
  readonly storage: Storage;
  /** Element strides of the target. */
  readonly channelStride: number;
  readonly rowStride: number;
  readonly pixStride: number;
  /** The size that stands for zeros. */
  readonly largest: readonly [width: number, height: number];
}

const LUMINANCE = [19595, 38470, 7471] as const;

/** Sides beyond this could overflow the arithmetic of positions. */
export const MAX_SIDE = 32768;
export const MAX_OUTPUT_SIDE = 8192;

/** Where an output pixel lies: sets `low` and `part`. */
function locate(f: FunctionBuilder, i: I32, n: number, m: I32, low: Local<'i32'>, part: Local<'i32'>): Stmt[] {
  const t = f.local('i32');
  const wide = (v: I32) => f.extendI32(v);
  const double = f.i64(BigInt(2 * n));
  const rest = f.i64Op('rem_s', wide(t), double);
  const scaled = f.i64Op('add', f.i64Op('shl', rest, f.i64(BigInt(BITS))), f.i64(BigInt(n)));
  return [
    t.set(f.sub(f.mul(f.add(f.shl(i, 1), 1), m), n)),
    t.set(f.choose(f.ltS(t, 0), f.i32(0), t)),
    low.set(f.lowI32(f.i64Op('div_s', wide(t), double))),
    part.set(f.lowI32(f.i64Op('div_s', scaled, double))),
    f.when(f.equalsZero(f.ltS(low, f.sub(m, 1))), [low.set(f.sub(m, 1)), part.set(f.i32(0))]),
  ];
}

/** Fills the table of columns: byte offset of the left neighbour, and the two weights as a pair of i16. */
function emitColumns(f: FunctionBuilder, p: ImageInputParams, columns: I32, width: I32): Stmt[] {
  const [i, at, low, part] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  return [
    i.set(f.i32(0)),
    at.set(columns),
    f.countDown(f.i32(p.width), [
      ...locate(f, i, p.width, width, low, part),
      f.storeI32(at, f.shl(low, 2)),
      f.storeI16(at, f.sub(f.i32(ONE), part), 4),
      f.storeI16(at, part, 6),
      f.advance(at, 8),
      f.advance(i, 1),
    ]),
  ];
}

const loadOf = (f: FunctionBuilder, storage: Storage, ptr: I32, offset: number): I32 => {
  if (storage === 'i8') return f.loadI8(ptr, offset);
  return storage === 'i16' ? f.loadI16(ptr, offset) : f.loadI32(ptr, offset);
};

const storeOf = (f: FunctionBuilder, storage: Storage, ptr: I32, value: I32, offset: number): Stmt => {
  if (storage === 'i8') return f.storeI8(ptr, value, offset);
  return storage === 'i16' ? f.storeI16(ptr, value, offset) : f.storeI32(ptr, value, offset);
};

/** Looks the bytes of a pixel (lanes R, G, B) up and stores them. */
function emitPixel(f: FunctionBuilder, p: ImageInputParams, rgb: Local<'v128'>, tables: I32, target: I32): Stmt[] {
  const size = STORAGE_BYTES[p.storage];
  const lookUp = (byte: I32, channel: number): Stmt => {
    const entry = loadOf(f, p.storage, f.add(tables, f.mul(byte, size)), channel * 256 * size);
    return storeOf(f, p.storage, target, entry, channel * p.channelStride * size);
  };
  const lane = (i: number): I32 => f.extractI32(rgb, i);
  if (p.channels === 1) {
    const [r, g, b] = LUMINANCE.map((factor, i) => f.mul(lane(i), factor)) as [I32, I32, I32];
    return [lookUp(f.shrU(f.add(f.add(r, g), f.add(b, f.i32(1 << 15))), 16), 0)];
  }
  return [0, 1, 2].map((channel) => lookUp(lane(p.order === 'bgr' ? 2 - channel : channel), channel));
}

function emit(f: FunctionBuilder, p: ImageInputParams): Stmt[] {
  const [pixels, size, tables, columns, target] = [0, 1, 2, 3, 4].map((i) => f.param(i, 'i32')) as [
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
  ];
  const [width, height, y, low, part] = Array.from({ length: 5 }, () => f.local('i32')) as Local<'i32'>[];
  const [upper, lower, column, out] = Array.from({ length: 4 }, () => f.local('i32')) as Local<'i32'>[];
  const [above, below, half, weights, rgb] = f.vectors(5) as Local<'v128'>[];
  const bytes = STORAGE_BYTES[p.storage];
  // R R' G G' B B' A A' of two neighbours, times their weights
  const mixed = (row: I32): V128 => {
    const pair = f.loadAs('load64_zero', f.add(row, f.loadI32(column!)));
    const woven = f.shuffle(pair, pair, [0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1, 5, 2, 6, 3, 7]);
    return f.op('i32x4', 'dot_i16x8_s', f.unary('i16x8', 'extend_low_i8x16_u', woven), weights!);
  };
  const sum = f.op(
    'i32x4',
    'add',
    f.op('i32x4', 'mul', mixed(upper!), above!),
    f.op('i32x4', 'mul', mixed(lower!), below!),
  );
  return [
    width!.set(f.loadI32(size)),
    height!.set(f.loadI32(size, 4)),
    f.when(f.equalsZero(width!), [width!.set(f.i32(p.largest[0])), height!.set(f.i32(p.largest[1]))]),
    ...emitColumns(f, p, columns, width!),
    half!.set(f.splatI32(1 << (2 * BITS - 1))),
    y!.set(f.i32(0)),
    f.countDown(f.i32(p.height), [
      ...locate(f, y!, p.height, height!, low!, part!),
      upper!.set(f.add(pixels, f.mul(f.shl(width!, 2), low!))),
      lower!.set(f.add(upper!, f.choose(f.equalsZero(part!), f.i32(0), f.shl(width!, 2)))),
      above!.set(f.splat('i32x4', f.sub(f.i32(ONE), part!))),
      below!.set(f.splat('i32x4', part!)),
      column!.set(columns),
      out!.set(target),
      f.countDown(f.i32(p.width), [
        weights!.set(f.loadAs('load32_splat', column!, 4)),
        rgb!.set(f.shift('i32x4', 'shr_u', f.op('i32x4', 'add', sum, half!), 2 * BITS)),
        ...emitPixel(f, p, rgb!, tables, out!),
        f.advance(column!, 8),
        f.advance(out!, p.pixStride * bytes),
      ]),
      f.advance(target, p.rowStride * bytes),
      f.advance(y!, 1),
    ]),
  ];
}

/** Position of output pixel `i` of `n` along an axis of `m` pixels; see `ImageInputParams`. */
export function locatePixel(i: number, n: number, m: number): { readonly low: number; readonly part: number } {
  const t = Math.max(0, (2 * i + 1) * m - n);
  const low = Math.floor(t / (2 * n));
  if (low >= m - 1) return { low: m - 1, part: 0 };
  return { low, part: Math.floor((ONE * (t % (2 * n)) + n) / (2 * n)) };
}

/**
 * Resizes RGBA bytes to RGB bytes, row by row, in the arithmetic of the kernel: the specification of `resize=bilinear`.
 */
export function resizeImage(
  rgba: Uint8Array,
  width: number,
  height: number,
  to: readonly [number, number],
): Uint8Array {
  const [outWidth, outHeight] = to;
  const out = new Uint8Array(3 * outWidth * outHeight);
  const columns = Array.from({ length: outWidth }, (_, x) => locatePixel(x, outWidth, width));
  let i = 0;
  for (let y = 0; y < outHeight; y++) {
    const row = locatePixel(y, outHeight, height);
    // a neighbour of weight 0 may not be there
    const down = row.part ? 4 * width : 0;
    for (const { low, part } of columns) {
      const at = 4 * (row.low * width + low);
      const right = part ? 4 : 0;
      for (let c = 0; c < 3; c++) {
        const [a, b] = [rgba[at + c] as number, rgba[at + right + c] as number];
        const [below, beside] = [rgba[at + down + c] as number, rgba[at + down + right + c] as number];
        const upper = (a * (ONE - part) + b * part) * (ONE - row.part);
        const lower = (below * (ONE - part) + beside * part) * row.part;
        out[i++] = (upper + lower + (1 << (2 * BITS - 1))) >> (2 * BITS);
      }
    }
  }
  return out;
}

function reference(p: ImageInputParams, memory: ArrayBuffer, args: readonly number[]): void {
  const [pixels, size, tables, columns, target] = args as [number, number, number, number, number];
  const view = new DataView(memory);
  let [width, height] = [view.getInt32(size, true), view.getInt32(size + 4, true)];
  if (width === 0) [width, height] = p.largest;
  for (let i = 0; i < p.width; i++) {
    const { low, part } = locatePixel(i, p.width, width);
    view.setInt32(columns + 8 * i, 4 * low, true);
    view.setInt16(columns + 8 * i + 4, ONE - part, true);
    view.setInt16(columns + 8 * i + 6, part, true);
  }
  const rgb = resizeImage(new Uint8Array(memory, pixels, 4 * width * height), width, height, [p.width, p.height]);
  const bytes = new Uint8Array(memory);
  const element = STORAGE_BYTES[p.storage];
  for (let i = 0; i < p.width * p.height; i++) {
    const [r, g, b] = rgb.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    const luminance = (LUMINANCE[0] * r + LUMINANCE[1] * g + LUMINANCE[2] * b + (1 << 15)) >> 16;
    const values = p.channels === 1 ? [luminance] : p.order === 'bgr' ? [b, g, r] : [r, g, b];
    const start = Math.floor(i / p.width) * p.rowStride + (i % p.width) * p.pixStride;
    for (const [c, value] of values.entries()) {
      const from = tables + (256 * c + value) * element;
      bytes.copyWithin(target + (start + c * p.channelStride) * element, from, from + element);
    }
  }
}

/** Pixels in; see `ImageInputParams`. */
export const imageInput: KernelDef<ImageInputParams> = {
  name: (p) => `${p.storage}-image-${p.channels === 1 ? 'gray' : p.order}-simd`,
  signature: () => ({ params: ['i32', 'i32', 'i32', 'i32', 'i32'] }),
  emit,
  reference,
};
