import { rowMajorStrides, type Tensor } from '../../ir/tensor.js';
import { type Quant, zeroPointAt } from '../../ir/type.js';
import { toReal } from '../../quant/tensors.js';
import { eraseKernel, kernelKey, type TensorStorage } from '../kernel.js';
import type { PackedWeights } from '../kernels/packed-weights.js';
import { widen } from '../kernels/widen.js';
import type { Ref, View, WeightMaker } from '../lowering.js';
import { rowMajorView } from './layout.js';
import { type Buffer, type Call, isRef } from './plan.js';

/** The constants of a module. Equal content is stored once. */
export class DataPool {
  /** Calls that produce packed weights from data. */
  readonly init: Call[] = [];
  private readonly buffers: Buffer[];
  private readonly known = new Map<string, number[]>();
  /** Packed weights by their source and the call that makes them. */
  private readonly made = new Map<string, Ref>();

  constructor(buffers: Buffer[]) {
    this.buffers = buffers;
  }

  /** Constant bytes, at the start of a buffer of their own. */
  add(content: ArrayBufferView, label: string): Ref {
    const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    const key = `${bytes.length} ${digest(bytes)}`;
    const twin = this.known.get(key)?.find((i) => equalBytes(this.buffers[i]?.content as Uint8Array, bytes));
    if (twin !== undefined) return { buffer: twin, offset: 0 };
    this.buffers.push({ kind: 'data', bytes: Math.max(bytes.length, 1), label, content: bytes });
    const buffer = this.buffers.length - 1;
    this.known.set(key, [...(this.known.get(key) ?? []), buffer]);
    return { buffer, offset: 0 };
  }

  /**
   * Packed weights. Reals and int8 are used as they lie in the file. Centred i16 (a multiple of 16 of them) that span at most
   * 256 values are stored in one byte each, shifted into int8, and `init` widens them.
   */
  addWeights(packed: PackedWeights): Ref {
    if (!(packed instanceof Int16Array)) return this.add(packed, 'weights');
    const source = this.addBytes(packed);
    if (!source) return this.add(packed, 'weights (16 bit)');
    const args = [packed.length, source.shift];
    return this.prepared(source.bytes, packed.byteLength, {
      kernel: eraseKernel(widen),
      params: { source: 'i8' },
      args,
    });
  }

  /** Weights that a kernel makes of reals or one-byte codes: see `LowerContext.transformedWeights`. */
  addTransformed(packed: Int16Array | Float32Array, bytes: number, make: WeightMaker): Ref | null {
    if (packed instanceof Float32Array) return this.prepared(this.add(packed, 'weights'), bytes, make);
    const source = this.addBytes(packed);
    return source && this.prepared(source.bytes, bytes, { ...make, args: [...make.args, source.shift] });
  }

  /** What a kernel makes of constants: see `LowerContext.prepared`. */
  addPrepared(content: Int16Array, bytes: number, make: WeightMaker): Ref {
    return this.prepared(this.add(content, 'extra steps'), bytes, make);
  }

  /** Codes shifted into int8: the stored byte is code + shift. Null where they span more than 256 values. */
  private addBytes(codes: Int16Array): { bytes: Ref; shift: number } | null {
    let min = 0;
    let max = 0;
    for (const v of codes) {
      if (v < min) min = v;
      if (v > max) max = v;
    }
    if (max - min > 255) return null;
    const shift = max > 127 ? 127 - max : min < -128 ? -128 - min : 0;
    const bytes = new Int8Array(codes).map((v) => v + shift); // both steps wrap, and the result fits
    return { bytes: this.add(bytes, 'weights'), shift };
  }

  /** What a call of `init` makes of bytes, once. */
  private prepared(source: Ref, bytes: number, call: WeightMaker): Ref {
    const args = call.args.map((arg) => (isRef(arg) ? `${arg.buffer}+${arg.offset}` : arg)).join(' ');
    const key = `${source.buffer} ${kernelKey(call.kernel, call.params)} ${args}`;
    const done = this.made.get(key);
    if (done) return done;
    this.buffers.push({ kind: 'packed', bytes, label: 'packed weights' });
    const target = { buffer: this.buffers.length - 1, offset: 0 };
    this.init.push({ ...call, args: [source, target, ...call.args], node: -1 });
    this.made.set(key, target);
    return target;
  }

  /** A constant operand: plain values row-major, or centred codes. Images lie channels innermost. */
  constantView(t: Tensor, storage: TensorStorage): View {
    const { shape } = t.type;
    const inner = shape.length === 4 ? nhwcOrder(shape) : null;
    const { buffer } = this.add(contentOf(t, storage, inner?.order), 'constant');
    return { ...rowMajorView(buffer, storage, shape), strides: inner?.strides ?? rowMajorStrides(shape) };
  }
}

/** The elements of a constant as they are stored, in an order. */
function contentOf(t: Tensor, storage: TensorStorage, order?: readonly number[]): ArrayBufferView {
  const pick = <T>(list: ArrayLike<T>): T[] => (order ? order.map((i) => list[i] as T) : Array.from(list));
  if (storage === 'i64') return BigInt64Array.from(pick<number | bigint>(t.data), BigInt);
  if (storage === 'f32') return Float32Array.from(pick(toReal(t).data as ArrayLike<number>), Number);
  return Int16Array.from(pick(centred(t, t.type.quant as Quant)));
}

const centred = (t: Tensor, q: Quant): Int16Array =>
  Int16Array.from(t.data as Int8Array, (v) => Number(v) - zeroPointAt(q, 0));

function nhwcOrder(shape: readonly number[]): { order: number[]; strides: number[] } {
  const [n, c, h, w] = shape as [number, number, number, number];
  const order: number[] = [];
  for (let i = 0; i < n; i++)
    for (let p = 0; p < h * w; p++) for (let ch = 0; ch < c; ch++) order.push((i * c + ch) * h * w + p);
  return { order, strides: [c * h * w, 1, w * c, c] };
}

function digest(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((v, i) => v === b[i]);
