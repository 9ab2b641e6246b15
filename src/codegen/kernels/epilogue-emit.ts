import type { Rounding } from '../../ir/type.js';
import { assert } from '../../support/errors.js';
import type { I32, Local, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import { type Epilogue, holdsCodes, STORAGE_BYTES } from '../kernel.js';
import { emitActivation } from './activation.js';
import { loadCodes4, storeCodeVectors, storeLanes } from './codes.js';
import { type EpilogueArgument, epilogueArgumentNames, startsAtBias } from './epilogue.js';
import type { Walk } from './walk.js';

const MAGIC_BITS = 0x4b400000; // the float 12582912: adding it leaves the nearest integer in the low mantissa bits
const BELOW_HALF_BITS = 0x3effffff; // the largest float below 0.5
const SIGN_BITS = -0x80000000;

/** Addresses of the first column and pixel of a tile; only those that the epilogue has. */
export interface EpiloguePointers {
  readonly bias?: I32 | undefined;
  readonly scale?: I32 | undefined;
  readonly residual?: I32 | undefined;
}

/** Bytes that a pointer moves per iteration of each loop of a walk. */
type Steps = readonly [number, number, number];

/**
 * Lets the pointers of an epilogue walk along with `lanes` columns at a time. `loops` puts the steps per block of
 * columns, per row and per pixel in the order of the walk's loops.
 */
export function walkEpilogue(
  walk: Walk,
  { residual }: Epilogue,
  addresses: EpilogueEmitter['addresses'],
  lanes: number,
  loops: (columns: number, row: number, pix: number) => Steps,
): EpiloguePointers {
  const innermost = (start: Local<'i32'> | undefined, steps: Steps) => start && walk.add(start, steps)[2];
  const bytes = residual ? STORAGE_BYTES[residual.storage] : 0;
  return {
    bias: innermost(addresses.bias, loops(lanes * 4, 0, 0)),
    scale: innermost(addresses.scale, loops(lanes * 4, 0, 0)),
    residual: residual
      ? innermost(addresses.residual, loops(lanes * bytes, residual.row * bytes, residual.pix * bytes))
      : undefined,
  };
}

/** A tile of finished sums. */
export interface EpilogueTile {
  /** [pixel][vector of 4 columns]; every sum is used once. */
  readonly sums: readonly (readonly V128[])[];
  /** Columns that are stored, at most 4 per vector. */
  readonly columns: number;
  readonly pointers: EpiloguePointers;
  readonly out: I32;
  /** Elements between neighbouring output pixels. */
  readonly outPix: number;
}

/** Rounds vectors of values in output quanta to centred i16 codes. */
export class CodeRounder {
  /** To run once, before the first use: bounds in locals. */
  readonly setup: Stmt[] = [];
  private readonly f: FunctionBuilder;
  private readonly rounding: Rounding;
  private readonly proven: boolean;
  private readonly saturates: boolean;
  private readonly magic: V128;
  private readonly lo: Local<'v128'>;
  private readonly hi: Local<'v128'>;
  private readonly sign: V128 | undefined;
  private readonly belowHalf: V128 | undefined;

  /**
   * `lo` and `hi` are the centred bounds; `proven`: all |values| are below 2^22; `saturates`: the codes are stored as i8, and `hi`
   * is 127.
   */
  constructor(
    f: FunctionBuilder,
    options: { rounding: Rounding; proven: boolean; saturates?: boolean | undefined; lo: I32; hi: I32 },
  ) {
    const { rounding, proven, saturates = false, lo, hi } = options;
    this.f = f;
    this.rounding = rounding;
    this.proven = proven;
    this.saturates = saturates;
    this.magic = f.kept(MAGIC_BITS);
    if (rounding === 'away') {
      this.sign = f.kept(SIGN_BITS);
      this.belowHalf = f.kept(BELOW_HALF_BITS);
    }
    const bound = (value: I32): V128 =>
      proven ? f.splat('i16x8', value) : f.unary('f32x4', 'convert_i32x4_s', f.splat('i32x4', value));
    this.lo = this.constant(bound(lo));
    this.hi = this.constant(bound(hi));
  }

  private constant(value: V128): Local<'v128'> {
    const local = this.f.local('v128');
    this.setup.push(local.set(value));
    return local;
  }

  /** Four floats to four i32: rounded, and within the bounds unless that is left to `narrow`. */
  round(x: V128): V128 {
    const f = this.f;
    let t = x;
    // integer bounds commute with rounding, so clamping first keeps the magic sum in range; NaN becomes lo
    if (!this.proven) t = f.op('f32x4', 'pmin', this.hi, f.op('f32x4', 'pmax', this.lo, t));
    if (this.rounding === 'away') t = this.truncatedAway(t);
    return f.op('i32x4', 'sub', f.op('f32x4', 'add', t, this.magic), this.magic);
  }

  /** Adding just less than a half and truncating is rounding half away from zero; the sum itself rounds up ties. */
  private truncatedAway(x: V128): V128 {
    const f = this.f;
    assert(this.sign && this.belowHalf, 'constants of the rounding');
    const t = f.local('v128');
    const half = f.bitwise('or', f.bitwise('and', t.tee(x), this.sign), this.belowHalf);
    return f.unary('f32x4', 'trunc', f.op('f32x4', 'add', half, t));
  }

  /** Two rounded vectors to eight codes within the bounds, but for an upper one where storing saturates. */
  narrow(low: V128, high: V128): V128 {
    const f = this.f;
    const codes = f.op('i16x8', 'narrow_i32x4_s', low, high);
    if (!this.proven) return codes;
    const least = f.op('i16x8', 'max_s', codes, this.lo);
    return this.saturates ? least : f.op('i16x8', 'min_s', least, this.hi);
  }
}

/** Emits one epilogue: the start of accumulators, and the way of finished sums to memory. */
export class EpilogueEmitter {
  /** To run once, at the start of the function. */
  readonly setup: Stmt[] = [];
  /** The address arguments, as locals that the kernel may move. */
  readonly addresses: { readonly [K in 'bias' | 'scale' | 'residual']?: Local<'i32'> };
  private readonly f: FunctionBuilder;
  private readonly e: Epilogue;
  private readonly rounder: CodeRounder | undefined;
  private readonly residualScale: V128 | undefined;
  private readonly outputScale: V128 | undefined;
  private readonly scales: Local<'v128'>[] = [];

  /** `first` is the index of the epilogue's first parameter in the function. */
  constructor(f: FunctionBuilder, e: Epilogue, first: number) {
    assert(e.bias !== 'i32' || e.sum === 'i32', 'an i32 bias starts i32 sums');
    this.f = f;
    this.e = e;
    const names = epilogueArgumentNames(e);
    const index = (name: EpilogueArgument): number => first + names.indexOf(name);
    const address = (name: 'bias' | 'scale' | 'residual') =>
      names.includes(name) ? { [name]: f.param(index(name), 'i32') } : {};
    this.addresses = { ...address('bias'), ...address('scale'), ...address('residual') };
    const splat = (name: 'residualScale' | 'outputScale'): V128 | undefined => {
      if (!names.includes(name)) return undefined;
      const local = f.local('v128');
      this.setup.push(local.set(f.splat('f32x4', f.param(index(name), 'f32'))));
      return local;
    };
    this.residualScale = splat('residualScale');
    this.outputScale = splat('outputScale');
    if (e.output.storage !== 'f32') {
      const { rounding, proven, saturates } = e.output;
      this.rounder = new CodeRounder(f, {
        rounding,
        proven,
        saturates,
        lo: f.param(index('lo'), 'i32'),
        hi: f.param(index('hi'), 'i32'),
      });
      this.setup.push(...this.rounder.setup);
    }
  }

  /** The first value of the accumulators of a vector of 4 columns. */
  start(pointers: EpiloguePointers, vector: number): V128 {
    return startsAtBias(this.e) && pointers.bias ? this.f.load(pointers.bias, vector * 16) : this.f.zero();
  }

  /** Scales, adds, activates, rounds and stores a tile. */
  finish(tile: EpilogueTile): Stmt[] {
    const vectors = tile.sums[0]?.length ?? 0;
    const { scale } = tile.pointers;
    const out: Stmt[] = [];
    if (scale) {
      while (this.scales.length < vectors) this.scales.push(this.f.local('v128'));
      for (let v = 0; v < vectors; v++) out.push((this.scales[v] as Local<'v128'>).set(this.f.load(scale, v * 16)));
    }
    tile.sums.forEach((sums, pixel) => {
      const values = sums.map((sum, v) => this.value(tile, out, sum, pixel, v));
      out.push(
        ...(this.rounder ? [this.storeCodes(this.rounder, tile, values, pixel)] : this.storeReals(tile, values, pixel)),
      );
    });
    return out;
  }

  /** The activated value of one vector; statements that it needs first go to `out`. */
  private value(tile: EpilogueTile, out: Stmt[], sum: V128, pixel: number, v: number): V128 {
    const { f, e } = this;
    let x = sum;
    const scale = this.scales[v];
    if (e.sum === 'i32' && scale) {
      x = f.op('f32x4', 'mul', f.unary('f32x4', 'convert_i32x4_s', x), scale);
      if (e.bias === 'f32' && tile.pointers.bias) x = f.op('f32x4', 'add', x, f.load(tile.pointers.bias, v * 16));
    }
    if (e.residual && tile.pointers.residual && this.residualScale) {
      const offset = (pixel * e.residual.pix + v * 4) * STORAGE_BYTES[e.residual.storage];
      const operand =
        e.residual.storage === 'f32'
          ? f.load(tile.pointers.residual, offset)
          : f.unary('f32x4', 'convert_i32x4_s', loadCodes4(f, e.residual.storage, tile.pointers.residual, offset));
      x = f.op('f32x4', 'add', x, f.op('f32x4', 'mul', operand, this.residualScale));
    }
    if (e.activation === null) return x;
    const active = emitActivation(f, e.activation, x);
    out.push(...active.setup);
    const how = e.output.storage !== 'f32' && e.output.reciprocal ? 'mul' : 'div';
    return this.outputScale ? f.op('f32x4', how, active.value, this.outputScale) : active.value;
  }

  private storeCodes(rounder: CodeRounder, tile: EpilogueTile, values: readonly V128[], pixel: number): Stmt {
    const { storage } = this.e.output;
    assert(holdsCodes(storage), 'only codes are rounded');
    const codes: V128[] = [];
    for (let v = 0; v < values.length; v += 2) {
      const next = values[v + 1];
      // the upper half of a lone vector is never stored
      codes.push(rounder.narrow(rounder.round(values[v] as V128), next ? rounder.round(next) : this.f.zero()));
    }
    return storeCodeVectors(
      this.f,
      storage,
      codes,
      tile.columns,
      tile.out,
      pixel * tile.outPix * STORAGE_BYTES[storage],
    );
  }

  private storeReals(tile: EpilogueTile, values: readonly V128[], pixel: number): Stmt[] {
    return values.map((value, v) =>
      storeLanes(this.f, 32, value, Math.min(4, tile.columns - v * 4), tile.out, (pixel * tile.outPix + v * 4) * 4),
    );
  }
}
