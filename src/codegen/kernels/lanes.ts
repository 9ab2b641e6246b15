import type { Rounding } from '../../ir/type.js';
import { assert } from '../../support/errors.js';
import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type CodeStorage, holdsCodes, STORAGE_BYTES, type Storage } from '../kernel.js';
import { loadCodes4, loadCodes8, packCodes, storeCodeVectors, storeLanes } from './codes.js';
import { CodeRounder } from './epilogue-emit.js';
import { emitNest, moveInner, type NestShape, outerNest } from './nest.js';

/** Elements that a step of a run works on: two f32x4 or one i16x8. */
const STEP = 8;

type Lane = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** One operand of an elementwise kernel along the innermost loop. */
export interface Stream {
  readonly ptr: Local<'i32'>;
  readonly storage: Storage;
  /** Elements between neighbours; 0 repeats one element. */
  readonly stride: number;
  /** The elements of a step as reals, by half, where they have been loaded. */
  readonly registers?: readonly V128[];
}

/** A stream of codes. */
export interface CodeStream extends Stream {
  readonly storage: CodeStorage;
}

/** Whether a stream holds codes. */
export const isCodeStream = (s: Stream): s is CodeStream => holdsCodes(s.storage);

/** An address at a constant distance: offsets of wasm instructions cannot be negative. */
export const at = (f: FunctionBuilder, ptr: I32, offset: number): [I32, number] =>
  offset < 0 ? [f.add(ptr, offset), 0] : [ptr, offset];

const LOAD_LANE = { i8: 'load8_lane', i16: 'load16_lane', f32: 'load32_lane' } as const;
const LOAD_SPLAT = { i8: 'load8_splat', i16: 'load16_splat', f32: 'load32_splat' } as const;

/** `count` elements from element `first` of the stream, one lane each from lane 0; the other lanes are anything. */
function gather(f: FunctionBuilder, s: Stream, first: number, count: number): V128 {
  const step = s.stride * STORAGE_BYTES[s.storage];
  let value = f.loadAs(LOAD_SPLAT[s.storage], ...at(f, s.ptr, first * step));
  if (s.stride !== 0)
    for (let i = 1; i < count; i++) {
      const [ptr, offset] = at(f, s.ptr, (first + i) * step);
      value = f.loadLane(LOAD_LANE[s.storage], ptr, value, i, offset);
    }
  return s.storage === 'i8' ? f.unary('i16x8', 'extend_low_i8x16_s', value) : value;
}

/** Eight codes of a stream as i16x8, of which `count` are used. May read past the last one where the stride is 1. */
export const loadCodes = (f: FunctionBuilder, s: CodeStream, count = STEP): V128 =>
  s.stride === 1 ? loadCodes8(f, s.storage, s.ptr) : gather(f, s, 0, count);

/** Elements 4 * half .. 4 * half + 3 of the step as f32x4 (codes converted), of which `count` are used. */
export function loadReals(f: FunctionBuilder, s: Stream, half: number, count = 4): V128 {
  if (s.registers) return s.registers[half] as V128;
  if (!isCodeStream(s)) return s.stride === 1 ? f.load(s.ptr, 16 * half) : gather(f, s, 4 * half, count);
  const codes =
    s.stride === 1
      ? loadCodes4(f, s.storage, s.ptr, 4 * half * STORAGE_BYTES[s.storage])
      : f.unary('i32x4', 'extend_low_i16x8_s', gather(f, s, 4 * half, count));
  return f.unary('f32x4', 'convert_i32x4_s', codes);
}

/** All elements of a step as f32x4, a vector per half that has any; bytes are loaded and widened together. */
export function loadHalves(f: FunctionBuilder, s: Stream, count: number): { setup: Stmt[]; reals: V128[] } {
  const used = halves(count);
  if (s.storage !== 'i8' || s.stride !== 1 || used.length < 2)
    return { setup: [], reals: used.map(({ half, part }) => loadReals(f, s, half, part)) };
  const codes = f.local('v128');
  const real = (extend: 'extend_low_i16x8_s' | 'extend_high_i16x8_s'): V128 =>
    f.unary('f32x4', 'convert_i32x4_s', f.unary('i32x4', extend, codes));
  const reals = [real('extend_low_i16x8_s'), real('extend_high_i16x8_s')];
  return { setup: [codes.set(loadCodes8(f, s.storage, s.ptr))], reals };
}

/** Stores the first `count` 16-bit lanes as codes; the value is used once. */
export function storeCodes(f: FunctionBuilder, s: CodeStream, value: V128, count = STEP): Stmt[] {
  if (s.stride === 1) return [storeCodeVectors(f, s.storage, [value], count, s.ptr)];
  const packed = f.local('v128');
  const bits = (8 * STORAGE_BYTES[s.storage]) as 8 | 16;
  return [packed.set(packCodes(f, s.storage, value)), ...scatter(f, s, bits, 0, packed, count)];
}

/** Stores the first `count` floats as elements 4 * half and on. */
export function storeReals(f: FunctionBuilder, s: Stream, value: V128, half: number, count = 4): Stmt[] {
  if (s.stride !== 1) return scatter(f, s, 32, 4 * half, value, count);
  return [storeLanes(f, 32, value, count, s.ptr, 16 * half)];
}

function scatter(f: FunctionBuilder, s: Stream, bits: 8 | 16 | 32, first: number, value: V128, count: number): Stmt[] {
  const step = (s.stride * bits) / 8;
  return Array.from({ length: count }, (_, i) => {
    const [ptr, offset] = at(f, s.ptr, (first + i) * step);
    return f.storeLane(bits, ptr, value, i as Lane, offset);
  });
}

/** The halves of a step of `count` elements that have any, and how many. */
export const halves = (count: number): { half: number; part: number }[] =>
  [0, 1].map((half) => ({ half, part: Math.min(4, count - 4 * half) })).filter(({ part }) => part > 0);

/** Relative cost of one vector access with a stride. */
const accessCost = (stride: number, count: number): number => (stride === 1 ? 1 : stride === 0 ? 0 : count);

/**
 * The nest with the dimension innermost along which vectors are cheapest: the one that most operands run through
 * contiguously, long rather than short. The result has at least one dimension.
 */
export function vectorNest(shape: NestShape): NestShape {
  if (shape.dims.length === 0) return { dims: [1], strides: shape.strides.map(() => [1]) };
  const cost = (d: number): number => {
    const n = shape.dims[d]!;
    const step = (count: number): number => shape.strides.reduce((sum, s) => sum + accessCost(s[d]!, count), 4);
    const tail = n % STEP;
    return (Math.floor(n / STEP) * step(STEP) + (tail ? step(tail) + 3 : 0)) / n;
  };
  let best = shape.dims.length - 1;
  for (let d = best - 1; d >= 0; d--) if (cost(d) < cost(best)) best = d;
  return moveInner(shape, best);
}

/** What an element of an elementwise kernel costs, in multiply-accumulates of a matrix product: it is bound by memory. */
export const ELEMENT_WORK = 16;

/** An operand of `emitElementwise`. */
export interface ElementwiseOperand {
  readonly ptr: Local<'i32'>;
  readonly storage: Storage;
}

/**
 * Loops over a nest in steps of up to eight elements along its innermost dimension (see `vectorNest`).
 * `before` runs at the start of every innermost run, `step` emits the work on `count` elements at the streams.
 */
export function emitElementwise(
  f: FunctionBuilder,
  shape: NestShape,
  operands: readonly ElementwiseOperand[],
  step: (streams: readonly Stream[], count: number) => readonly Stmt[],
  before: (streams: readonly Stream[]) => readonly Stmt[] = () => [],
): Stmt {
  const n = shape.dims.at(-1)!;
  const streams = operands.map((o, i) => ({ ...o, stride: shape.strides[i]!.at(-1)! }));
  const bytes = streams.map((s) => s.stride * STORAGE_BYTES[s.storage]);
  const steps = Math.floor(n / STEP);
  const tail = n % STEP;
  const advances = steps > 1 || tail ? streams.map((s, i) => f.advance(s.ptr, STEP * bytes[i]!)) : [];
  const body = [...before(streams)];
  if (steps) body.push(f.repeat(steps, [...step(streams, STEP), ...advances]));
  if (tail) body.push(...step(streams, tail));
  const outer = outerNest(shape);
  const pointers = streams.map((s, i) => ({
    ptr: s.ptr,
    strides: outer.strides[i]!.map((stride) => stride * STORAGE_BYTES[s.storage]),
    moved: advances.length ? steps * STEP * bytes[i]! : 0,
  }));
  return emitNest(f, outer.dims, pointers, body);
}

/** What is known of values that are rounded: see `Epilogue`. */
export interface KnownValues {
  readonly proven?: boolean | undefined;
  readonly saturates?: boolean | undefined;
}

/** The rounding to codes within run-time bounds, for values that may be anything unless they are known not to be. */
export const codeRounder = (
  f: FunctionBuilder,
  rounding: Rounding,
  lo: I32,
  hi: I32,
  { proven = false, saturates }: KnownValues = {},
): CodeRounder => new CodeRounder(f, { rounding, proven, saturates, lo, hi });

/** Rounds the values of a step (one or two vectors) in output quanta and stores `count` codes. */
export function storeRounded(
  f: FunctionBuilder,
  rounder: CodeRounder,
  s: Stream,
  values: readonly Local<'v128'>[],
  count: number,
): Stmt[] {
  assert(isCodeStream(s), 'codes go to a stream of codes');
  const [low, high = f.zero()] = values.map((v) => rounder.round(v));
  return storeCodes(f, s, rounder.narrow(low!, high), count);
}
