import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type KernelDef, STORAGE_BYTES, type Storage } from '../kernel.js';
import { type Stream, storeReals } from './lanes.js';
import { emitNest, type NestShape, walk } from './nest.js';

/**
 * Picks slices along one axis: target slice i is source slice index[i], or a weighted sum of several (f32 only).
 * A slice is a nest of contiguous runs. Arguments: [source, target, table, ...weights], byte addresses:
 *
 * - constant indices: the table holds int32 byte offsets, `taps` for every output; with `weighted`, weights f32[outputs][taps]
 *   follow, and the sum runs over the taps in order.
 * - computed indices: the table holds f32[outputs]; a negative one counts from the end, and all are limited to the source.
 */
export interface ResampleParams {
  readonly storage: Storage;
  /** The dimensions around the axis, without the run: element strides of source and target. */
  readonly outer: NestShape;
  /** Outputs along the axis, and elements between them. */
  readonly count: number;
  readonly step: number;
  /** Elements of a run. */
  readonly run: number;
  readonly index:
    | { readonly kind: 'constant'; readonly taps: number; readonly weighted: boolean }
    | { readonly kind: 'computed'; readonly extent: number; readonly step: number };
}

/** Longer runs are copied by memory.copy, which costs a call. */
const COPY_BYTES = 256;

/** Copies a constant number of bytes. */
function copyRun(f: FunctionBuilder, target: I32, source: I32, bytes: number): Stmt[] {
  if (bytes > COPY_BYTES) return [f.copy(target, source, bytes)];
  const out: Stmt[] = [];
  let done = 0;
  for (; bytes - done >= 16; done += 16) out.push(f.store(target, f.load(source, done), done));
  for (const size of [8, 4, 2, 1] as const) {
    if (!((bytes - done) & size)) continue;
    if (size === 8) out.push(f.storeLane(64, target, f.loadAs('load64_zero', source, done), 0, done));
    else if (size === 4) out.push(f.storeLane(32, target, f.loadAs('load32_zero', source, done), 0, done));
    else if (size === 2) out.push(f.storeI16(target, f.loadI16(source, done), done));
    else out.push(f.storeI8(target, f.loadI8(source, done), done));
    done += size;
  }
  return out;
}

/** Sets `from` to the source address of a computed index. */
function computedSource(f: FunctionBuilder, p: ResampleParams, at: Pointers, from: Local<'i32'>): Stmt[] {
  if (p.index.kind !== 'computed') return [from.set(f.add(at.source, f.loadI32(at.entry)))];
  const { extent, step } = p.index;
  const given = f.local('v128');
  const wrapped = f.bitwise('and', f.op('f32x4', 'lt', given, f.zero()), f.splatF32(extent));
  const raised = f.op('f32x4', 'pmax', f.op('f32x4', 'add', given, wrapped), f.zero());
  const index = f.unary('i32x4', 'trunc_sat_f32x4_s', f.op('f32x4', 'pmin', raised, f.splatF32(extent - 1)));
  return [
    given.set(f.loadAs('load32_splat', at.entry)),
    from.set(f.add(at.source, f.mul(f.extractI32(index, 0), step * STORAGE_BYTES[p.storage]))),
  ];
}

/** One output as a weighted sum of its taps. */
function weightedRun(f: FunctionBuilder, p: ResampleParams, at: Pointers, taps: number): Stmt[] {
  const sources = Array.from({ length: taps }, () => f.local('i32'));
  const weights = f.vectors(taps);
  const sum = f.local('v128');
  const out = f.local('i32');
  const target: Stream = { ptr: out, storage: 'f32', stride: 1 };
  const step = (count: number): Stmt[] => {
    const terms = sources.map((s, t): V128 => f.op('f32x4', 'mul', f.load(s), weights[t]!));
    return [
      sum.set(terms.reduce((a, b) => f.op('f32x4', 'add', a, b))),
      ...storeReals(f, target, sum, 0, count),
      ...[...sources, out].map((ptr) => f.advance(ptr, 4 * count)),
    ];
  };
  const tail = p.run % 4;
  return [
    ...sources.map((s, t) => s.set(f.add(at.source, f.loadI32(at.entry, 4 * t)))),
    ...weights.map((w, t) => w.set(f.loadAs('load32_splat', at.weights, 4 * t))),
    out.set(at.target),
    f.repeat(Math.floor(p.run / 4), step(4)),
    ...(tail ? step(tail) : []),
  ];
}

interface Pointers {
  readonly source: Local<'i32'>;
  readonly target: Local<'i32'>;
  readonly entry: Local<'i32'>;
  readonly weights: Local<'i32'>;
}

const isWeighted = (p: ResampleParams): boolean => p.index.kind === 'constant' && p.index.weighted;

function emit(f: FunctionBuilder, p: ResampleParams): Stmt[] {
  const bytes = STORAGE_BYTES[p.storage];
  const taps = p.index.kind === 'constant' ? p.index.taps : 1;
  const weighted = isWeighted(p);
  const at = { source: f.param(0, 'i32'), target: f.param(1, 'i32'), entry: f.local('i32'), weights: f.local('i32') };
  const from = f.local('i32');
  const one = weighted
    ? weightedRun(f, p, at, taps)
    : [...computedSource(f, p, at, from), ...copyRun(f, at.target, from, p.run * bytes)];
  const body = [
    at.entry.set(f.param(2, 'i32')),
    ...(weighted ? [at.weights.set(f.param(3, 'i32'))] : []),
    f.repeat(p.count, [
      ...one,
      f.advance(at.entry, 4 * taps),
      ...(weighted ? [f.advance(at.weights, 4 * taps)] : []),
      f.advance(at.target, p.step * bytes),
    ]),
  ];
  const strides = p.outer.strides.map((list) => list.map((s) => s * bytes));
  const pointers = [
    { ptr: at.source, strides: strides[0]! },
    { ptr: at.target, strides: strides[1]!, moved: p.count * p.step * bytes },
  ];
  return [emitNest(f, p.outer.dims, pointers, body)];
}

const f32 = Math.fround;

function reference(p: ResampleParams, memory: ArrayBuffer, args: readonly number[]): void {
  const bytes = STORAGE_BYTES[p.storage];
  const [source, target, table, weightTable] = args as [number, number, number, number];
  const all = new Uint8Array(memory);
  const reals = new Float32Array(memory);
  const offsets = new Int32Array(memory);
  const { index } = p;
  const offset = (i: number): number => {
    if (index.kind === 'constant') return offsets[table / 4 + i * index.taps]!;
    const given = reals[table / 4 + i]!;
    const wrapped = given < 0 ? f32(given + index.extent) : given;
    return Math.trunc(Math.min(Math.max(wrapped, 0), index.extent - 1)) * index.step * bytes;
  };
  walk(p.outer, ([s, t]) => {
    for (let i = 0; i < p.count; i++) {
      const to = target + (t! + i * p.step) * bytes;
      const from = source + s! * bytes;
      if (index.kind === 'computed' || !index.weighted) {
        all.copyWithin(to, from + offset(i), from + offset(i) + p.run * bytes);
        continue;
      }
      for (let r = 0; r < p.run; r++) {
        let sum = 0;
        for (let k = 0; k < index.taps; k++) {
          const entry = i * index.taps + k;
          const term = f32(reals[(from + offsets[table / 4 + entry]!) / 4 + r]! * reals[weightTable / 4 + entry]!);
          sum = k === 0 ? term : f32(sum + term);
        }
        reals[to / 4 + r] = sum;
      }
    }
  });
}

/** Slices along an axis; see `ResampleParams`. */
export const resampleKernel: KernelDef<ResampleParams> = {
  name: (p) => `${p.storage}-resample-${p.index.kind}${isWeighted(p) ? '-weighted' : ''}-simd`,
  signature: (p) => ({ params: isWeighted(p) ? ['i32', 'i32', 'i32', 'i32'] : ['i32', 'i32', 'i32'] }),
  emit,
  reference,
};
