import type { Value } from '../ir/graph.js';
import { allocate, type Tensor } from '../ir/tensor.js';
import { isCodes } from '../ir/type.js';
import { applyActivation } from '../quant/activation.js';
import { clamp } from '../quant/rounding.js';
import { toReal } from '../quant/tensors.js';
import type { ImportContext, OnnxImporter, PaddleImporter } from './import-context.js';
import { lowerActivation } from './lowering/unary.js';
import { defineOp, type Op } from './op.js';
import { realTypeOf, tensorAt } from './shapes.js';

/** Bounds are finite (an absent one is the greatest float32), so that attributes stay JSON. */
type ClipAttrs = {
  readonly min: number;
  readonly max: number;
  /** The bounds are codes: the op stands between a quantize and a dequantize. */
  readonly onCodes?: boolean;
};

/** The greatest float32, which stands for no bound. */
export const FLOAT32_MAX = 3.4028234663852886e38;

/** Bounds from attributes (before opset 11) or constant inputs. Source: ONNX Clip. */
function bounds(context: ImportContext): { min: number; max: number } {
  const bound = (i: number, name: string, fallback: number): number => {
    if (context.opset < 11) return context.attrs.float(name, fallback);
    const given = context.numbers(i);
    if (given && given.length !== 1) throw new Error(`${name} must be a scalar`);
    return given?.[0] ?? fallback;
  };
  const [min, max] = [bound(1, 'min', -FLOAT32_MAX), bound(2, 'max', FLOAT32_MAX)];
  if (Number.isNaN(min) || Number.isNaN(max)) throw new Error('a bound is not a number');
  const finite = (x: number): number => clamp(x, -FLOAT32_MAX, FLOAT32_MAX);
  // With min > max the result is max everywhere, as in numpy.
  return { min: finite(Math.min(min, max)), max: finite(max) };
}

/** Bounds that the network computes, and bounds of integers: a maximum and a minimum. */
function asExtremes(context: ImportContext, x: Value): Value {
  const bounded = (op: string, v: Value, bound: Value | null): Value =>
    bound ? context.add(op, { activation: null }, [v, bound]) : v;
  const raised = bounded('elementwise_max', x, context.optional(1));
  const y = bounded('elementwise_min', raised, context.optional(2));
  return y === x ? context.add('assign', {}, [x]) : y;
}

const importClip: OnnxImporter = (context) => {
  const x = context.input(0);
  const computed = [1, 2].some((i) => i < context.inputCount && context.optional(i) && !context.optional(i)?.data);
  if (!isCodes(x.type) && (computed || x.type.dtype !== 'f32')) return asExtremes(context, x);
  return context.add('clip', isCodes(x.type) ? { ...bounds(context), onCodes: true } : bounds(context), [x]);
};

/** Paddle clip and brelu: bounds from Min and Max, or from attributes. */
const importPaddleClip: PaddleImporter = (context) => {
  const { attrs } = context;
  const finite = (x: number): number => clamp(x, -FLOAT32_MAX, FLOAT32_MAX);
  const [lo, hi] = context.type === 'brelu' ? ['t_min', 't_max'] : ['min', 'max'];
  const min = context.numbers('Min')?.[0] ?? attrs.float(lo as string, 0);
  const max = context.numbers('Max')?.[0] ?? attrs.float(hi as string, context.type === 'brelu' ? 24 : FLOAT32_MAX);
  return context.add('clip', { min: finite(Math.min(min, max)), max: finite(max) }, [context.input('X')]);
};

export const clip: Op = defineOp<ClipAttrs>({
  name: 'clip',
  doc: 'min(max(x, min), max); with onCodes the bounds are codes and the result keeps the grid',
  inputs: [1, 1],
  quant: 'table',
  lower: lowerActivation(
    ({ min, max }) => ({ kind: 'clip', min, max }),
    () => clip,
  ),
  infer(attrs, inputs) {
    const type = realTypeOf(inputs, 0);
    return [attrs.onCodes ? type : { dtype: 'f32', shape: type.shape }];
  },
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const activation = { kind: 'clip', min: attrs.min, max: attrs.max } as const;
    const data = new Float32Array(x.data.length);
    for (let i = 0; i < data.length; i++) data[i] = applyActivation(activation, Number(x.data[i]));
    return [{ type: { dtype: 'f32', shape: x.type.shape }, data }];
  },
  integer(attrs, inputs, output) {
    const x = tensorAt(inputs, 0);
    if (!attrs.onCodes) return clip.reference(attrs, [toReal(x)])[0] as Tensor;
    const data = allocate(x.type.dtype, x.data.length);
    for (let i = 0; i < data.length; i++) data[i] = clamp(Number(x.data[i]), attrs.min, attrs.max) as never;
    return { type: output, data };
  },
  paddle: { clip: importPaddleClip, brelu: importPaddleClip },
  onnx: { Clip: importClip },
});
