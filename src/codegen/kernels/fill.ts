import type { I32, Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES, type Storage } from '../kernel.js';

/** Zeroes memory. Arguments: [target], the byte address of the first byte (halo: of the whole padded tensor). */
export type FillParams =
  | { readonly kind: 'all'; readonly bytes: number }
  | {
      /** The border of a padded NHWC tensor: the pixels inside stay as they are. */
      readonly kind: 'halo';
      readonly storage: Storage;
      /** Pixels of the inner image. */
      readonly height: number;
      readonly width: number;
      /** Element strides between pixels and rows of the padded tensor; row >= (left + width + right) * pix. */
      readonly pix: number;
      readonly row: number;
      /** [top, left, bottom, right] in pixels. */
      readonly pads: readonly [number, number, number, number];
    };

type Halo = Extract<FillParams, { kind: 'halo' }>;

/** Larger areas are filled by memory.fill, which costs a call. */
const STORED_BYTES = 256;

/** Zeroes a constant number of bytes. */
function zeroBytes(f: FunctionBuilder, zero: Local<'v128'>, ptr: I32, bytes: number): Stmt[] {
  if (bytes > STORED_BYTES) return [f.fill(ptr, 0, bytes)];
  const out: Stmt[] = [];
  let done = 0;
  for (; bytes - done >= 16; done += 16) out.push(f.store(ptr, zero, done));
  for (const size of [8, 4, 2, 1] as const) {
    if (!((bytes - done) & size)) continue;
    out.push(f.storeLane((8 * size) as 8 | 16 | 32 | 64, ptr, zero, 0, done));
    done += size;
  }
  return out;
}

/** A run of zeros in every image row or around them: `count` times `bytes`, `step` bytes apart, from `start`. */
interface Run {
  readonly start: number;
  readonly bytes: number;
  readonly step: number;
  readonly count: number;
}

/** The runs of a halo, without overlaps. */
function haloRuns(p: Halo): Run[] {
  const size = STORAGE_BYTES[p.storage];
  const [pix, row] = [p.pix * size, p.row * size];
  const [top, left, bottom, right] = p.pads;
  const used = (left + p.width + right) * pix;
  const inner = top * row + (left + p.width) * pix;
  if (row === used)
    // the right border of a row and the left border of the next one touch
    return [
      { start: 0, bytes: top * row + left * pix, step: 0, count: 1 },
      { start: inner, bytes: (right + left) * pix, step: row, count: p.height - 1 },
      { start: inner + (p.height - 1) * row, bytes: right * pix + bottom * row, step: 0, count: 1 },
    ];
  return [
    { start: 0, bytes: used, step: row, count: top },
    { start: top * row, bytes: left * pix, step: row, count: p.height },
    { start: inner, bytes: right * pix, step: row, count: p.height },
    { start: (top + p.height) * row, bytes: used, step: row, count: bottom },
  ];
}

const runsOf = (p: FillParams): Run[] =>
  (p.kind === 'all' ? [{ start: 0, bytes: p.bytes, step: 0, count: 1 }] : haloRuns(p)).filter(
    (r) => r.bytes > 0 && r.count > 0,
  );

function emit(f: FunctionBuilder, p: FillParams): Stmt[] {
  const target = f.param(0, 'i32');
  const ptr = f.local('i32');
  const zero = f.local('v128');
  return [
    zero.set(f.zero()),
    ...runsOf(p).flatMap((r) => [
      ptr.set(f.add(target, r.start)),
      f.repeat(r.count, [...zeroBytes(f, zero, ptr, r.bytes), f.advance(ptr, r.step)]),
    ]),
  ];
}

function reference(p: FillParams, memory: ArrayBuffer, [target]: readonly number[]): void {
  const bytes = new Uint8Array(memory, target!);
  if (p.kind === 'all') {
    bytes.fill(0, 0, p.bytes);
    return;
  }
  const [top, left, bottom, right] = p.pads;
  const pix = p.pix * STORAGE_BYTES[p.storage];
  for (let y = 0; y < top + p.height + bottom; y++)
    for (let x = 0; x < left + p.width + right; x++) {
      const inside = y >= top && y < top + p.height && x >= left && x < left + p.width;
      const at = y * p.row * STORAGE_BYTES[p.storage] + x * pix;
      if (!inside) bytes.fill(0, at, at + pix);
    }
}

/** Zeroes a buffer or a halo; see `FillParams`. */
export const fillKernel: KernelDef<FillParams> = {
  name: (p) => `${p.kind === 'all' ? 'bytes' : p.storage}-fill-${p.kind}-simd`,
  signature: () => ({ params: ['i32'] }),
  emit,
  reference,
};
