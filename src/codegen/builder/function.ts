import { assert } from '../../support/errors.js';
import { SharedWords } from './atomics.js';
import { type ByteType, loadByte, storeByte } from './convert.js';
import type { Expr, F32, I32, I64, Local, Stmt, V128, WasmType } from './expr.js';
import { floatBits, KeptVectors } from './kept.js';
import type { Binaryen, Signature } from './module.js';
import { emulatedDot8, relaxedDot8, relaxedMadd } from './relaxed.js';

type Module = InstanceType<Binaryen['Module']>;
type Shape = 'i8x16' | 'i16x8' | 'i32x4' | 'f32x4' | 'f64x2';
type Lane = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

/** Names of the methods of one lane shape that take two vectors and give one. */
type BinaryOp<S extends Shape> = {
  [K in keyof Module[S]]: Module[S][K] extends (a: number, b: number) => number ? K : never;
}[keyof Module[S]];
/** Instructions of two 64-bit integers. */
export type I64Op = 'add' | 'sub' | 'mul' | 'div_s' | 'rem_s' | 'and' | 'or' | 'xor' | 'shl' | 'shr_s' | 'shr_u';
/** Names of the methods that take one vector. */
type UnaryOp<S extends Shape> = {
  [K in keyof Module[S]]: Module[S][K] extends (a: number) => number ? K : never;
}[keyof Module[S]];

/** How instructions beyond fixed-width SIMD are written. */
export interface Style {
  /** Relaxed instructions are written with fixed-width ones: slow, with equal results. */
  readonly emulates: boolean;
  /** Sums of real products may be fused, so that their last bits depend on the engine. */
  readonly fastMath: boolean;
}

/**
 * Builds the body of one function. Every method returns a recipe (expr.ts): nothing is emitted until the
 * statements are made, and operand types are checked by TypeScript.
 */
export class FunctionBuilder {
  /** Instructions on shared memory. */
  readonly atomic: SharedWords;
  private readonly m: Module;
  private readonly binaryen: Binaryen;
  private readonly params: readonly Expr[];
  private readonly locals: WasmType[] = [];
  private labels = 0;
  private readonly style: Style;
  readonly keptVectors = new KeptVectors(this);

  constructor(binaryen: Binaryen, module: Module, signature: Signature, style: Style) {
    this.m = module;
    this.atomic = new SharedWords(module);
    this.style = style;
    this.binaryen = binaryen;
    this.params = signature.params.map((type, i) => ({ type, make: () => module.local.get(i, binaryen[type]) }));
  }

  /** See `KeptVectors`. */
  kept(bits: number): V128 {
    return bits === 0 ? this.zero() : this.keptVectors.get(bits);
  }

  /** The lanes of `kept` as a float. */
  keptF32(value: number): V128 {
    return this.kept(floatBits(value));
  }

  /** The trailing zeros of an integer; 32 for 0. */
  ctz(a: I32): I32 {
    return { type: 'i32', make: () => this.m.i32.ctz(a.make()) };
  }

  /** Types of the declared locals, parameters not included. */
  localTypes(): readonly WasmType[] {
    return this.locals;
  }

  /** Parameter `i` as a local, for pointers that a kernel advances. */
  param<T extends 'i32' | 'f32'>(i: number, type: T): Local<T> {
    assert(this.params[i]?.type === type, `parameter ${i} is not ${type}`);
    return this.localAt(i, type);
  }

  /** A new local of a type. */
  local<T extends WasmType>(type: T): Local<T> {
    this.locals.push(type);
    return this.localAt(this.params.length + this.locals.length - 1, type);
  }

  private localAt<T extends WasmType>(index: number, type: T): Local<T> {
    const t = this.binaryen[type];
    return {
      type,
      make: () => this.m.local.get(index, t),
      set: (value) => ({ make: () => this.m.local.set(index, value.make()) }),
      tee: (value) => ({ type, make: () => this.m.local.tee(index, value.make(), t) }),
    };
  }

  /** `n` new v128 locals. */
  vectors(n: number): Local<'v128'>[] {
    return Array.from({ length: n }, () => this.local('v128'));
  }

  // --- scalars

  i32(value: number): I32 {
    return { type: 'i32', make: () => this.m.i32.const(value | 0) };
  }

  f32(value: number): F32 {
    return { type: 'f32', make: () => this.m.f32.const(value) };
  }

  add(a: I32, b: I32 | number): I32 {
    return this.scalar((x, y) => this.m.i32.add(x, y), a, b);
  }

  sub(a: I32, b: I32 | number): I32 {
    return this.scalar((x, y) => this.m.i32.sub(x, y), a, b);
  }

  mul(a: I32, b: I32 | number): I32 {
    return this.scalar((x, y) => this.m.i32.mul(x, y), a, b);
  }

  shl(a: I32, b: I32 | number): I32 {
    return this.scalar((x, y) => this.m.i32.shl(x, y), a, b);
  }

  shrU(a: I32, b: I32 | number): I32 {
    return this.scalar((x, y) => this.m.i32.shr_u(x, y), a, b);
  }

  ltU(a: I32, b: I32 | number): I32 {
    return this.scalar((x, y) => this.m.i32.lt_u(x, y), a, b);
  }

  ltS(a: I32, b: I32 | number): I32 {
    return this.scalar((x, y) => this.m.i32.lt_s(x, y), a, b);
  }

  /** 1 where `a` is 0, else 0. */
  equalsZero(a: I32): I32 {
    return { type: 'i32', make: () => this.m.i32.eqz(a.make()) };
  }

  private scalar(emit: (a: number, b: number) => number, a: I32, b: I32 | number): I32 {
    const right = typeof b === 'number' ? this.i32(b) : b;
    return { type: 'i32', make: () => emit(a.make(), right.make()) };
  }

  /** One of Binaryen's two-operand f32 instructions. */
  f32Op(op: 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max', a: F32, b: F32): F32 {
    return { type: 'f32', make: () => this.m.f32[op](a.make(), b.make()) };
  }

  // --- 64-bit integers

  i64(value: bigint): I64 {
    return { type: 'i64', make: () => this.m.i64.const(value) };
  }

  /** One of Binaryen's two-operand i64 instructions. */
  i64Op(op: I64Op, a: I64, b: I64): I64 {
    return { type: 'i64', make: () => this.m.i64[op](a.make(), b.make()) };
  }

  /** 1 where a comparison of integers holds, else 0. */
  i64Compare(op: 'eq' | 'ne' | 'lt_s' | 'le_s' | 'gt_s' | 'le_u', a: I64, b: I64): I32 {
    return { type: 'i32', make: () => this.m.i64[op](a.make(), b.make()) };
  }

  /** The low 32 bits. */
  lowI32(a: I64): I32 {
    return { type: 'i32', make: () => this.m.i32.wrap(a.make()) };
  }

  /** A signed 32-bit integer in 64 bits. */
  extendI32(a: I32): I64 {
    return { type: 'i64', make: () => this.m.i64.extend_s(a.make()) };
  }

  /** The nearest float. */
  i64ToF32(a: I64): F32 {
    return { type: 'f32', make: () => this.m.f32.convert_s.i64(a.make()) };
  }

  /** A float cut to an integer, saturated to 32 or 64 bits; NaN is 0. */
  f32ToI64(a: F32, bits: 32 | 64): I64 {
    if (bits === 64) return { type: 'i64', make: () => this.m.i64.trunc_s_sat.f32(a.make()) };
    return this.extendI32({ type: 'i32', make: () => this.m.i32.trunc_s_sat.f32(a.make()) });
  }

  /** `a` where the condition is not 0, else `b`; both are computed. */
  choose<T extends 'i32' | 'i64' | 'f32'>(condition: I32, a: Expr<T>, b: Expr<T>): Expr<T> {
    return { type: a.type, make: () => this.m.select(condition.make(), a.make(), b.make()) };
  }

  /** 1 where a comparison of floats holds, else 0. */
  f32Compare(op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge', a: F32, b: F32): I32 {
    return { type: 'i32', make: () => this.m.f32[op](a.make(), b.make()) };
  }

  // --- memory; offsets are in bytes and constant

  loadI64(ptr: I32, offset = 0): I64 {
    return { type: 'i64', make: () => this.m.i64.load(offset, 1, ptr.make()) };
  }

  storeI64(ptr: I32, value: I64, offset = 0): Stmt {
    return { make: () => this.m.i64.store(offset, 1, ptr.make(), value.make()) };
  }

  loadI32(ptr: I32, offset = 0): I32 {
    return { type: 'i32', make: () => this.m.i32.load(offset, 1, ptr.make()) };
  }

  loadI16(ptr: I32, offset = 0): I32 {
    return { type: 'i32', make: () => this.m.i32.load16_s(offset, 1, ptr.make()) };
  }

  loadI8(ptr: I32, offset = 0): I32 {
    return { type: 'i32', make: () => this.m.i32.load8_s(offset, 1, ptr.make()) };
  }

  loadU8(ptr: I32, offset = 0): I32 {
    return { type: 'i32', make: () => this.m.i32.load8_u(offset, 1, ptr.make()) };
  }

  loadF32(ptr: I32, offset = 0): F32 {
    return { type: 'f32', make: () => this.m.f32.load(offset, 1, ptr.make()) };
  }

  storeI32(ptr: I32, value: I32, offset = 0): Stmt {
    return { make: () => this.m.i32.store(offset, 1, ptr.make(), value.make()) };
  }

  storeI16(ptr: I32, value: I32, offset = 0): Stmt {
    return { make: () => this.m.i32.store16(offset, 1, ptr.make(), value.make()) };
  }

  storeI8(ptr: I32, value: I32, offset = 0): Stmt {
    return { make: () => this.m.i32.store8(offset, 1, ptr.make(), value.make()) };
  }

  storeF32(ptr: I32, value: F32, offset = 0): Stmt {
    return { make: () => this.m.f32.store(offset, 1, ptr.make(), value.make()) };
  }

  /** A byte or boolean in memory as a float. */
  loadByte(type: ByteType, ptr: I32): F32 {
    return { type: 'f32', make: () => loadByte(this.m, type, ptr.make()) };
  }

  /** Stores a float as a byte or boolean, towards zero. */
  storeByte(type: ByteType, ptr: I32, value: F32): Stmt {
    return { make: () => storeByte(this.m, type, ptr.make(), value.make()) };
  }

  load(ptr: I32, offset = 0): V128 {
    return this.vector(() => this.m.v128.load(offset, 1, ptr.make()));
  }

  store(ptr: I32, value: V128, offset = 0): Stmt {
    return { make: () => this.m.v128.store(offset, 1, ptr.make(), value.make()) };
  }

  /** Loads one element and repeats it in all lanes, or loads 8 bytes and widens them. */
  loadAs(
    kind:
      | 'load8_splat'
      | 'load16_splat'
      | 'load32_splat'
      | 'load64_splat'
      | 'load32_zero'
      | 'load64_zero'
      | 'load8x8_s'
      | 'load8x8_u'
      | 'load16x4_s',
    ptr: I32,
    offset = 0,
  ): V128 {
    return this.vector(() => this.m.v128[kind](offset, 1, ptr.make()));
  }

  /** Replaces one lane of a vector by an element from memory. */
  loadLane(kind: 'load8_lane' | 'load16_lane' | 'load32_lane', ptr: I32, value: V128, lane: number, offset = 0): V128 {
    return this.vector(() => this.m.v128[kind](offset, 1, lane, ptr.make(), value.make()));
  }

  /** Stores one lane of a vector. */
  storeLane(bits: 8 | 16 | 32 | 64, ptr: I32, value: V128, lane: Lane, offset = 0): Stmt {
    const names = { 8: 'store8_lane', 16: 'store16_lane', 32: 'store32_lane', 64: 'store64_lane' } as const;
    return { make: () => this.m.v128[names[bits]](offset, 1, lane, ptr.make(), value.make()) };
  }

  /** Fills `bytes` bytes from `ptr` with a byte value. */
  fill(ptr: I32, value: number, bytes: I32 | number): Stmt {
    const size = typeof bytes === 'number' ? this.i32(bytes) : bytes;
    return { make: () => this.m.memory.fill(ptr.make(), this.m.i32.const(value), size.make()) };
  }

  /** Copies `bytes` bytes. */
  copy(to: I32, from: I32, bytes: I32 | number): Stmt {
    const size = typeof bytes === 'number' ? this.i32(bytes) : bytes;
    return { make: () => this.m.memory.copy(to.make(), from.make(), size.make()) };
  }

  // --- vectors

  private vector(make: () => number): V128 {
    return { type: 'v128', make };
  }

  /** A constant vector from 16 bytes. V8 rebuilds it at every use: keep it in a local. */
  bytes(lanes: ArrayLike<number>): V128 {
    assert(lanes.length === 16, 'a vector has 16 bytes');
    return this.vector(() => this.m.v128.const(Array.from(lanes)));
  }

  /** All lanes equal to a 32-bit integer. */
  splatI32(value: number): V128 {
    return this.bytes(new Uint8Array(Int32Array.of(value, value, value, value).buffer));
  }

  /** All lanes equal to a 16-bit integer. */
  splatI16(value: number): V128 {
    return this.bytes(new Uint8Array(new Int16Array(8).fill(value).buffer));
  }

  /** All lanes equal to a float. */
  splatF32(value: number): V128 {
    return this.bytes(new Uint8Array(Float32Array.of(value, value, value, value).buffer));
  }

  zero(): V128 {
    return this.bytes(new Uint8Array(16));
  }

  /** All lanes equal to a scalar expression. */
  splat(shape: 'i8x16' | 'i16x8' | 'i32x4', value: I32): V128;
  splat(shape: 'f32x4', value: F32): V128;
  splat(shape: Shape, value: Expr): V128 {
    return this.vector(() => this.m[shape].splat(value.make()));
  }

  /** A two-operand instruction of a lane shape, e.g. `op('i32x4', 'dot_i16x8_s', a, b)`. */
  op<S extends Shape>(shape: S, name: BinaryOp<S>, a: V128, b: V128): V128 {
    const emit = this.m[shape][name] as unknown as (a: number, b: number) => number;
    return this.vector(() => emit(a.make(), b.make()));
  }

  /** A one-operand instruction of a lane shape, e.g. `unary('f32x4', 'convert_i32x4_s', a)`. */
  unary<S extends Shape>(shape: S, name: UnaryOp<S>, a: V128): V128 {
    const emit = this.m[shape][name] as unknown as (a: number) => number;
    return this.vector(() => emit(a.make()));
  }

  /** Shifts every lane by a constant. */
  shift(shape: 'i8x16' | 'i16x8' | 'i32x4', name: 'shl' | 'shr_s' | 'shr_u', a: V128, bits: number): V128 {
    return this.vector(() => this.m[shape][name](a.make(), this.m.i32.const(bits)));
  }

  /** Bitwise operations; `andnot` is a & ~b. */
  bitwise(name: 'and' | 'or' | 'xor' | 'andnot', a: V128, b: V128): V128 {
    return this.vector(() => this.m.v128[name](a.make(), b.make()));
  }

  /** Lanes of `a` where `mask` is ones, of `b` elsewhere. */
  select(mask: V128, a: V128, b: V128): V128 {
    return this.vector(() => this.m.v128.bitselect(a.make(), b.make(), mask.make()));
  }

  /** Byte shuffle: indices 0..15 take from `a`, 16..31 from `b`. */
  shuffle(a: V128, b: V128, indices: readonly number[]): V128 {
    return this.vector(() => this.m.i8x16.shuffle(a.make(), b.make(), [...indices]));
  }

  /** One lane of a vector as a scalar. */
  extractF32(a: V128, lane: number): F32 {
    return { type: 'f32', make: () => this.m.f32x4.extract_lane(a.make(), lane) };
  }

  extractI32(a: V128, lane: number): I32 {
    return { type: 'i32', make: () => this.m.i32x4.extract_lane(a.make(), lane) };
  }

  extractI16(a: V128, lane: number): I32 {
    return { type: 'i32', make: () => this.m.i16x8.extract_lane_s(a.make(), lane) };
  }

  /** `i16x8.relaxed_dot_i8x16_i7x16_s(a, b)`: exact and equal on all engines only where `b` is in 0..127. */
  relaxedDot8(a: V128, b: V128): V128 {
    if (this.style.emulates) return this.vector(() => emulatedDot8(this.m, a.make, b.make));
    return this.vector(() => relaxedDot8(this.binaryen, this.m, a.make(), b.make()));
  }

  /** sum + a * b of reals: two roundings, or with fast math whatever the engine does fastest. */
  multiplyAdd(sum: V128, a: V128, b: V128): V128 {
    if (!this.style.fastMath) return this.op('f32x4', 'add', sum, this.op('f32x4', 'mul', a, b));
    return this.vector(() => relaxedMadd(this.binaryen, this.m, a.make(), b.make(), sum.make()));
  }

  // --- control

  /** Several statements as one. */
  seq(statements: readonly Stmt[]): Stmt {
    return {
      make: () =>
        this.m.block(
          null,
          statements.map((s) => s.make()),
          this.binaryen.none,
        ),
    };
  }

  /** Adds a number of bytes to a pointer; nothing for 0. */
  advance(ptr: Local<'i32'>, bytes: number): Stmt {
    return bytes === 0 ? this.seq([]) : ptr.set(this.add(ptr, bytes));
  }

  /** Runs the body `count` times (a constant; 0 emits nothing, 1 no loop). */
  repeat(count: number, body: readonly Stmt[]): Stmt {
    if (count <= 0) return this.seq([]);
    if (count === 1) return this.seq(body);
    return this.countDown(this.i32(count), body);
  }

  /**
   * Runs the body `count` times (a constant), in which `ptr` moves on by `bytes`: the pointer is the counter, which saves
   * an instruction and a register.
   */
  repeatAlong(ptr: Local<'i32'>, count: number, bytes: number, body: readonly Stmt[]): Stmt {
    if (count <= 1) return this.repeat(count, body);
    const end = this.local('i32');
    const onTheWay: I32 = { type: 'i32', make: () => this.m.i32.ne(ptr.make(), end.make()) };
    return this.seq([end.set(this.add(ptr, count * bytes)), this.repeatWhile(body, onTheWay)]);
  }

  /** Runs the body `count` times, `count` >= 1 at run time. */
  countDown(count: I32, body: readonly Stmt[]): Stmt {
    const left = this.local('i32');
    return this.seq([left.set(count), this.repeatWhile(body, left.tee(this.sub(left, 1)))]);
  }

  /** `if` with an optional `else`. */
  when(condition: I32, then: readonly Stmt[], otherwise?: readonly Stmt[]): Stmt {
    return {
      make: () =>
        otherwise
          ? this.m.if(condition.make(), this.seq(then).make(), this.seq(otherwise).make())
          : this.m.if(condition.make(), this.seq(then).make()),
    };
  }

  /** Runs the body once, and again while the condition is not 0. */
  repeatWhile(body: readonly Stmt[], condition: I32): Stmt {
    const label = `loop${this.labels++}`;
    const { none } = this.binaryen;
    const again = (): number => this.m.br(label, condition.make());
    return { make: () => this.m.loop(label, this.m.block(null, [...body.map((s) => s.make()), again()], none)) };
  }

  /** Calls a function of the module. */
  call(name: string, args: readonly Expr[]): Stmt {
    return {
      make: () =>
        this.m.call(
          name,
          args.map((a) => a.make()),
          this.binaryen.none,
        ),
    };
  }
}
