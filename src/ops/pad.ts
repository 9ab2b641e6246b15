import type { Value } from '../ir/graph.js';
import { allocate, rowMajorStrides } from '../ir/tensor.js';
import { isCodes, sizeOf } from '../ir/type.js';
import { reshapeTo, scalarOf } from './compose.js';
import type { ImportContext, OnnxImporter } from './import-context.js';
import { onReals } from './import-helpers.js';
import { importPad as importPaddlePad } from './import-paddle-shape.js';
import { padByComputed } from './import-stated.js';
import { lowerPad } from './lowering/pad.js';
import { defineOp } from './op.js';
import { normalizeAxis, plainDtype, reshaped, show, tensorAt, typeOf } from './shapes.js';

/** `before` and `after` per dimension; negative ones cut. `value` fills where the mode is constant. */
export type PadAttrs = {
  readonly mode: 'constant' | 'reflect' | 'edge' | 'wrap';
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
};

const MODES = ['constant', 'reflect', 'edge', 'wrap'] as const;

/** The pads of all dimensions, from the attribute (before opset 11) or inputs. */
function padsOf(context: ImportContext, rank: number): { before: number[]; after: number[] } {
  const list = context.attrs.has('pads') ? context.attrs.ints('pads') : (context.numbers(1) ?? []);
  const named = context.inputCount > 3 ? context.numbers(3) : null;
  const axes = (named ?? Array.from({ length: rank }, (_, d) => d)).map((a) => normalizeAxis(a, rank));
  if (list.length !== 2 * axes.length) throw new Error(`pads ${show(list)} for ${axes.length} dimensions`);
  const spread = (part: readonly number[]): number[] =>
    Array.from({ length: rank }, (_, d) => part[axes.indexOf(d)] ?? 0);
  return { before: spread(list.slice(0, axes.length)), after: spread(list.slice(axes.length)) };
}

/** The filling value; on codes it is a code, and stands for its real number. */
function fillOf(context: ImportContext): number {
  const { quant } = context.input(0).type;
  const given = context.attrs.has('value') ? [context.attrs.float('value')] : context.numbers(2);
  const value = given?.[0] ?? 0;
  if (!quant || !isCodes(context.input(0).type)) return value;
  if (quant.axis !== null) context.unsupported('Pad of codes with a scale per channel');
  return (value - (quant.zeroPoints[0] as number)) * (quant.scales[0] as number);
}

/** With pads, axes or a filling value that the network computes. */
function importComputed(context: ImportContext, x: Value, mode: PadAttrs['mode']): Value {
  const operand = [1, 3].find((i) => context.isComputed(i));
  const { shape } = x.type;
  const known = operand === undefined ? padsOf(context, shape.length) : null;
  const size = known
    ? shapeOf({ mode, ...known, value: 0 }, shape)
    : context.statedShape(0, operand as number, shape.length);
  const given = mode === 'constant' && context.isComputed(2) && context.input(2);
  const fill = given
    ? reshapeTo(context, given, [])
    : scalarOf(context, plainDtype(x.type), mode === 'constant' ? fillOf(context) : 0);
  return padByComputed(context, x, mode, fill, size);
}

const importPad: OnnxImporter = (context) => {
  const given = context.attrs.string('mode', 'constant');
  const mode = MODES.find((m) => m === given) ?? context.unsupported(`Pad with mode "${given}"`);
  if ([1, 2, 3].some((i) => context.isComputed(i))) return onReals(context, (x) => importComputed(context, x, mode));
  const value = mode === 'constant' ? fillOf(context) : 0;
  if (Number.isNaN(value)) context.unsupported('Pad with NaN');
  const limited = Math.min(Math.max(value, -3.4028234663852886e38), 3.4028234663852886e38);
  return onReals(context, (x) =>
    context.add('pad', { mode, ...padsOf(context, x.type.shape.length), value: limited }, [x]),
  );
};

const shapeOf = (attrs: PadAttrs, shape: readonly number[]): number[] =>
  shape.map((n, d) => n + (attrs.before[d] as number) + (attrs.after[d] as number));

/** What is left of a dimension that negative pads cut: its start and its size. Borders repeat what is left. */
function keptOf({ before, after }: PadAttrs, d: number, n: number): { start: number; size: number } {
  const [start, end] = [before, after].map((pads) => Math.max(-(pads[d] as number), 0)) as [number, number];
  return { start, size: n - start - end };
}

/** The element of a dimension that stands at position `at` before its start or behind its end; -1 for the value. */
function sourceOf(mode: PadAttrs['mode'], at: number, size: number): number {
  if (at >= 0 && at < size) return at;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return at < 0 ? 0 : size - 1;
  if (mode === 'wrap') return ((at % size) + size) % size;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

export const pad = defineOp<PadAttrs>({
  name: 'pad',
  doc: 'x with a border of a value, of its mirror image, of its edge or of itself repeated; negative pads cut',
  inputs: [1, 1],
  quant: 'same-params',
  lower: lowerPad,
  infer(attrs, inputs) {
    const type = typeOf(inputs, 0);
    const shape = shapeOf(attrs, type.shape);
    if (attrs.before.length !== type.shape.length || shape.some((n) => !(n >= 0)))
      throw new Error(`${show(type.shape)} cannot be padded by ${show(attrs.before)} and ${show(attrs.after)}`);
    const most = { constant: Number.POSITIVE_INFINITY, edge: Number.POSITIVE_INFINITY, reflect: -1, wrap: 0 }[
      attrs.mode
    ];
    type.shape.forEach((extent, d) => {
      const n = keptOf(attrs, d, extent).size;
      const largest = Math.max(attrs.before[d] as number, attrs.after[d] as number, 0);
      if (largest > n + most || (largest > 0 && n === 0 && attrs.mode !== 'constant'))
        throw new Error(`a ${attrs.mode} border of ${largest} around ${n} elements`);
    });
    return [reshaped(type, shape)];
  },
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const shape = shapeOf(attrs, x.type.shape);
    const strides = rowMajorStrides(x.type.shape);
    let from = Int32Array.of(0);
    shape.forEach((n, d) => {
      const { start, size } = keptOf(attrs, d, x.type.shape[d] as number);
      const sources = Array.from({ length: n }, (_, i) => {
        const source = sourceOf(attrs.mode, i - Math.max(attrs.before[d] as number, 0), size);
        return source < 0 ? -1 : start + source;
      });
      const step = strides[d] as number;
      const next = new Int32Array(from.length * n);
      from.forEach((base, i) => {
        sources.forEach((s, k) => {
          next[i * n + k] = base < 0 || s < 0 ? -1 : base + s * step;
        });
      });
      from = next;
    });
    const data = allocate(x.type.dtype, sizeOf(shape));
    const fill = x.type.dtype === 'i64' ? BigInt(attrs.value) : attrs.value;
    from.forEach((i, at) => {
      data[at] = (i < 0 ? fill : x.data[i]) as never;
    });
    const { dtype } = x.type;
    return [{ type: { dtype, shape }, data }];
  },
  paddle: { pad: importPaddlePad, pad2d: importPaddlePad, pad3d: importPaddlePad },
  onnx: { Pad: importPad },
});
