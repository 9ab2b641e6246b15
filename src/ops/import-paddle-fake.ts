/**
 * Paddle's fake quantization. A stored scale is a threshold: step = threshold / 127, symmetric, zero point 0. Some ops
 * give real numbers again, others give the codes as plain numbers, which a product and a fake_dequantize turn back.
 * Source: fake_quantize_op.h, fake_dequantize_op.h and quantize_linear_op.h of Paddle.
 */
import type { Value } from '../ir/graph.js';
import { allocate, f32, numbers, rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { type Quant, type Rounding, sameQuant, thresholdGrid } from '../ir/type.js';
import { quantizeTensor } from '../quant/tensors.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { quantAttr } from './import-helpers.js';
import { binary, reshape } from './import-paddle.js';
import { normalizeAxis, show } from './shapes.js';

const BIN = 127;

/** The rounding of an op: round_type 0 to even; 1, and files from before there was a choice, half away from zero. */
function roundingOf(context: PaddleContext): Rounding {
  const bits = context.attrs.int('bit_length', 8);
  if (bits !== 8) context.unsupported(`${context.type} to ${bits} bits`, 'Quantize to 8 bits.');
  return context.attrs.int('round_type', 1) === 0 ? 'even' : 'away';
}

/** The thresholds of a slot as float32 numbers. */
function thresholdsOf(context: PaddleContext, slot: string): number[] {
  const list = numbers(context.constant(slot)).map(Math.fround);
  const bad = list.find((t) => !(t >= 0 && Number.isFinite(t)));
  if (bad !== undefined) throw new Error(`${slot} holds ${bad}, which is no threshold`);
  return list;
}

/** The greatest magnitude of a constant, of each slice along an axis where there is one. */
function greatest({ type, data }: Tensor, axis: number | null): number[] {
  const step = axis === null ? 1 : (rowMajorStrides(type.shape)[axis] as number);
  const extent = axis === null ? 1 : (type.shape[axis] as number);
  const most = new Float32Array(extent);
  for (let i = 0; i < data.length; i++) {
    const c = Math.floor(i / step) % extent;
    most[c] = Math.max(most[c] as number, Math.abs(Number(data[i])));
  }
  return Array.from(most);
}

/** Constant codes on a grid; those of dead slices, whose real numbers are 0, become 0. */
function constantCodes(
  context: PaddleContext,
  name: string,
  codes: Tensor,
  thresholds: readonly number[],
  grid: Quant,
): Value {
  const data = allocate('i8', codes.data.length);
  const step = grid.axis === null ? 1 : (rowMajorStrides(codes.type.shape)[grid.axis] as number);
  let least = grid.min;
  for (let i = 0; i < data.length; i++) {
    const threshold = thresholds[grid.axis === null ? 0 : Math.floor(i / step) % thresholds.length] as number;
    data[i] = threshold <= 1e-30 ? 0 : Number(codes.data[i]);
    least = Math.min(least, data[i] as number);
  }
  const quant = { ...grid, min: least, max: BIN };
  return context.literal(name, { type: { dtype: 'i8', shape: codes.type.shape, quant }, data });
}

/** Whether a constant holds codes as numbers: every one an integer of 8 bits. */
const holdsCodes = ({ data }: Tensor): boolean =>
  data.every((v: number | bigint) => Number.isInteger(Number(v)) && Math.abs(Number(v)) <= 128);

const dequantized = (context: PaddleContext, codes: Value): Value => context.add('dequantize', {}, [codes]);

/** X on a grid of thresholds that are known; constants become codes at once. */
function onGrid(context: PaddleContext, x: Value, thresholds: readonly number[], axis: number | null): Value {
  const grid = thresholdGrid(thresholds, axis, roundingOf(context));
  if (axis !== null && thresholds.length !== x.type.shape[axis])
    throw new Error(`${thresholds.length} scales along axis ${axis} of ${show(x.type.shape)}`);
  if (!x.data) return context.add('quantize', { quant: quantAttr(grid) }, [x]);
  return constantCodes(context, `${x.name}/codes`, quantizeTensor(x.data, grid), thresholds, grid);
}

/** The same thresholds for every slice along an axis count as one. */
const axisOf = (context: PaddleContext, x: Value, count: number, fallback: number): number | null =>
  count === 1 ? null : normalizeAxis(context.attrs.int('quant_axis', fallback), x.type.shape.length);

/** Round half away from zero in float ops: |x| is split exactly, so that ties are seen as such. */
export function roundAway(context: Pick<PaddleContext, 'add' | 'literal'>, x: Value): Value {
  const size = context.add('abs', {}, [x]);
  const whole = context.add('floor', {}, [size]);
  const rest = binary(context, 'elementwise_sub', size, whole);
  const up = context.add('floor', {}, [binary(context, 'elementwise_add', rest, rest)]);
  return binary(
    context,
    'elementwise_mul',
    context.add('sign', {}, [x]),
    binary(context, 'elementwise_add', whole, up),
  );
}

/** Codes as plain numbers and thresholds of X, computed at run time: in float, since the grid is not known before. */
function dynamicCodes(context: PaddleContext, x: Value, axis: number | null): { codes: Value; threshold: Value } {
  const rounding = roundingOf(context);
  const literal = (v: number): Value => context.literal('constant', f32([], [v]));
  const axes = x.type.shape.map((_, d) => d).filter((d) => d !== axis);
  const threshold = context.add('reduce_max', { axes, keepDims: true }, [context.add('abs', {}, [x])]);
  const safe = binary(context, 'elementwise_max', threshold, literal(1e-30));
  const factor = binary(context, 'elementwise_mul', literal(BIN), context.add('reciprocal', {}, [safe]));
  const quanta = binary(context, 'elementwise_mul', x, factor);
  const rounded = rounding === 'even' ? context.add('round', {}, [quanta]) : roundAway(context, quanta);
  return { codes: context.add('clip', { min: -BIN - (rounding === 'even' ? 1 : 0), max: BIN }, [rounded]), threshold };
}

/** What the op says of its scale as an output, which hardly anybody reads. */
const scaleOutput = (context: PaddleContext, thresholds: readonly number[]): Value =>
  context.literal('scale', f32([thresholds.length], thresholds));

/** Quantizes and dequantizes with stored (InScale) or found thresholds: the result is real. */
const importFakePair =
  (perChannel: boolean): PaddleImporter =>
  (context) => {
    const x = context.input('X');
    const axis = perChannel ? normalizeAxis(context.attrs.int('quant_axis', 0), x.type.shape.length) : null;
    const stored = perChannel ? null : context.optional('InScale');
    if (!stored && !x.data) {
      const { codes, threshold } = dynamicCodes(context, x, axis);
      const step = binary(context, 'elementwise_mul', codes, threshold);
      const y = binary(context, 'elementwise_div', step, context.literal('bin', f32([], [BIN])));
      return { Out: y, OutScale: reshape(context, threshold, [axis === null ? 1 : (x.type.shape[axis] as number)]) };
    }
    const thresholds = stored ? thresholdsOf(context, 'InScale') : greatest(x.data as Tensor, axis);
    return {
      Out: dequantized(context, onGrid(context, x, thresholds, axis)),
      OutScale: scaleOutput(context, thresholds),
    };
  };

/** Quantizes only: the result holds codes as plain numbers. */
const importFakeCodes =
  (perChannel: boolean): PaddleImporter =>
  (context) => {
    const x = context.input('X');
    const axis = perChannel ? normalizeAxis(context.attrs.int('quant_axis', 0), x.type.shape.length) : null;
    const stored = perChannel ? null : context.optional('InScale');
    if (!stored && !x.data) {
      const { codes, threshold } = dynamicCodes(context, x, axis);
      return {
        Out: codes,
        OutScale: reshape(context, threshold, [axis === null ? 1 : (x.type.shape[axis] as number)]),
      };
    }
    const thresholds = stored ? thresholdsOf(context, 'InScale') : greatest(x.data as Tensor, axis);
    const real = dequantized(context, onGrid(context, x, thresholds, axis));
    return {
      Out: inQuanta(
        context,
        real,
        thresholds.map((t) => (t <= 1e-30 ? 1 : t / BIN)),
        axis ?? 0,
      ),
      OutScale: scaleOutput(context, thresholds),
    };
  };

/** A real value divided by the steps of its codes, remembered as such. */
function inQuanta(context: PaddleContext, real: Value, units: readonly number[], axis: number): Value {
  const value = times(
    context,
    real,
    units.map((u) => 1 / u),
    axis,
  );
  context.noteCodes(value, { real, units });
  return value;
}

/** A value times a factor per tensor or per slice along an axis. */
function times(context: PaddleContext, x: Value, factors: readonly number[], axis: number): Value {
  if (factors.every((f) => Math.abs(f - 1) < 1e-6)) return x;
  const shape = factors.length === 1 ? [] : [factors.length, ...x.type.shape.slice(axis + 1).map(() => 1)];
  return binary(context, 'elementwise_mul', x, context.literal('factor', f32(shape, factors)));
}

/**
 * A product of codes as plain numbers: the product of the reals behind them, remembered to be in quanta. Weights of
 * frozen models are integers whose threshold only the following fake_dequantize knows; until then it is 1, so that the
 * factor that comes is the threshold itself, a float32.
 * `channel` is the dimension of the result that the weights' scales run along.
 */
export function productOfCodes(
  context: PaddleContext,
  x: Value,
  w: Value,
  channel: (y: Value) => number,
  apply: (x: Value, w: Value) => Value,
): Value {
  const codes = context.codesOf(x);
  if (!codes || !w.data) {
    const known = codes && context.codesOf(w);
    if (!known) return apply(x, w);
    const y = apply(codes.real, known.real);
    return inQuanta(
      context,
      y,
      known.units.map((u) => u * (codes.units[0] as number)),
      channel(y),
    );
  }
  if (w.type.dtype !== 'i8' && !holdsCodes(w.data)) return apply(x, w);
  const grid = thresholdGrid([1], null, 'away');
  const y = apply(codes.real, dequantized(context, constantCodes(context, `${w.name}/codes`, w.data, [1], grid)));
  return inQuanta(
    context,
    y,
    codes.units.map((u) => u / BIN),
    channel(y),
  );
}

/** X times scale / range, per tensor or per slice: codes as plain numbers become real. */
function fromCodes(context: PaddleContext, given: readonly number[], axis: number): Value {
  // Positive, so that they can become scales; codes of dead slices give 0 either way.
  const factors = given.map((f) => Math.max(f, 1e-35));
  const x = context.input('X');
  const known = context.codesOf(x);
  if (known) {
    const n = Math.max(factors.length, known.units.length);
    const at = (list: readonly number[], i: number): number => list[list.length === 1 ? 0 : i] as number;
    // The step of a dead slice is taken as 1, since its codes are 0.
    const ratio = (i: number): number => (at(known.units, i) === 1 ? 1 : at(factors, i) / at(known.units, i));
    return times(
      context,
      known.real,
      Array.from({ length: n }, (_, i) => ratio(i)),
      axis,
    );
  }
  if (!x.data || !holdsCodes(x.data)) return times(context, x, factors, axis);
  const thresholds = factors.map((f) => f * BIN);
  const grid = thresholdGrid(thresholds, factors.length === 1 ? null : axis, 'away');
  return dequantized(context, constantCodes(context, `${x.name}/codes`, x.data, thresholds, grid));
}

/** Paddle fake_dequantize_max_abs: X * Scale / max_range. */
const importDequantizeMaxAbs: PaddleImporter = (context) => {
  const range = context.attrs.float('max_range');
  const scale = context.input('Scale');
  if (!(range > 0)) throw new Error(`max_range ${range}`);
  if (scale.data) return fromCodes(context, [(thresholdsOf(context, 'Scale')[0] as number) / range], 0);
  const raised = binary(context, 'elementwise_mul', context.input('X'), scale);
  return binary(context, 'elementwise_div', raised, context.literal('range', f32([], [range])));
};

/**
 * Paddle fake_channel_wise_dequantize_max_abs: of weights with one list of scales, along quant_axis; of the result of a
 * product (channels are dimension 1) with the weights' and the operand's.
 */
const importDequantizeChannels: PaddleImporter = (context) => {
  const lists = context
    .list('Scales')
    .map((v) => (v.data ? numbers(v.data).map(Math.fround) : context.unsupported('scales that are computed')));
  const bits = context.attrs.ints('quant_bits', [8]);
  if (bits.some((b) => b !== 8)) context.unsupported(`${context.type} of ${bits.join(' and ')} bits`);
  const [first = [], second] = lists;
  if (!second)
    return fromCodes(
      context,
      first.map((s) => s / BIN),
      normalizeAxis(context.attrs.int('quant_axis', 0), context.input('X').type.shape.length),
    );
  const axis = context.attrs.int('x_num_col_dims', 1);
  return fromCodes(
    context,
    first.map((s) => (s * (second[0] as number)) / (BIN * BIN)),
    axis,
  );
};

/** The grid of quantize_linear and dequantize_linear. */
function linearGrid(context: PaddleContext, x: Value): { thresholds: number[]; grid: Quant } {
  const zero = context.numbers('ZeroPoint') ?? [];
  if (zero.some((z) => z !== 0)) context.unsupported(`${context.type} with a zero point`, 'Quantize symmetrically.');
  const thresholds = thresholdsOf(context, 'Scale');
  const axis = axisOf(context, x, thresholds.length, -1);
  if (axis !== null && thresholds.length !== x.type.shape[axis])
    throw new Error(`${thresholds.length} scales along axis ${axis} of ${show(x.type.shape)}`);
  const grid = thresholdGrid(thresholds, axis, roundingOf(context));
  const dead = grid.min === grid.max;
  return { thresholds, grid: dead ? grid : { ...grid, min: context.attrs.int('qmin', grid.min) } };
}

/** Paddle quantize_linear. */
const importQuantizeLinear: PaddleImporter = (context) => {
  const x = context.input('X');
  const { thresholds, grid } = linearGrid(context, x);
  if (x.data) return { Y: constantCodes(context, `${x.name}/codes`, quantizeTensor(x.data, grid), thresholds, grid) };
  return { Y: context.add('quantize', { quant: quantAttr(grid) }, [x]) };
};

/** Paddle dequantize_linear, of int8 weights, of weights that hold integers as floats, or of computed codes. */
const importDequantizeLinear: PaddleImporter = (context) => {
  const x = context.input('X');
  const { thresholds, grid } = linearGrid(context, x);
  if (x.data && x.type.quant === undefined) {
    if (!holdsCodes(x.data)) return context.unsupported('dequantize_linear of weights that are no codes');
    return { Y: dequantized(context, constantCodes(context, `${x.name}/codes`, x.data, thresholds, grid)) };
  }
  const own = x.type.quant;
  if (!own) return context.unsupported('dequantize_linear of a computed value that no quantize_linear made');
  const y = dequantized(context, x);
  if (sameQuant(own, { ...grid, min: own.min, max: own.max, rounding: own.rounding })) return { Y: y };
  if (own.axis !== null || grid.axis !== null)
    context.unsupported('codes read with other scales than they were made with');
  return { Y: times(context, y, [(grid.scales[0] as number) / (own.scales[0] as number)], 0) };
};

/** Readers of the ops that give codes. */
export const QUANTIZE_IMPORTERS: Readonly<Record<string, PaddleImporter>> = {
  fake_quantize_abs_max: importFakeCodes(false),
  fake_quantize_range_abs_max: importFakeCodes(false),
  fake_quantize_moving_average_abs_max: importFakeCodes(false),
  fake_channel_wise_quantize_abs_max: importFakeCodes(true),
  quantize_linear: importQuantizeLinear,
};

/** Readers of the ops that give real numbers on a grid. */
export const DEQUANTIZE_IMPORTERS: Readonly<Record<string, PaddleImporter>> = {
  fake_quantize_dequantize_abs_max: importFakePair(false),
  fake_quantize_dequantize_moving_average_abs_max: importFakePair(false),
  fake_channel_wise_quantize_dequantize_abs_max: importFakePair(true),
  fake_dequantize_max_abs: importDequantizeMaxAbs,
  fake_channel_wise_dequantize_max_abs: importDequantizeChannels,
  dequantize_linear: importDequantizeLinear,
};
