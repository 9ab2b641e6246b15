import { type LowerContext, NO_HALO, type View } from '../../codegen/lowering.js';
import { isCodes } from '../../ir/type.js';
import { assert } from '../../support/errors.js';
import { applyMap } from './movement.js';

interface Pads {
  readonly mode: 'constant' | 'reflect' | 'edge' | 'wrap';
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
}

/** `count` elements of a view along a dimension, from `start` on, `step` apart (0 repeats one). */
function part(v: View, d: number, start: number, count: number, step = 1): View {
  const at = <T>(list: readonly T[], value: T): T[] => list.map((old, i) => (i === d ? value : old));
  const stride = v.strides[d] as number;
  return {
    ...v,
    offset: v.offset + start * stride,
    shape: at(v.shape, count),
    strides: at(v.strides, stride * step),
    halo: NO_HALO,
  };
}

const copy = (context: LowerContext, source: View, target: View): void =>
  applyMap(context, { kind: 'copy' }, source, target);

/** The filling value everywhere. Codes are filled with the zero point: centred, they are 0. */
function fill(context: LowerContext, out: View, value: number): void {
  assert(!isCodes(context.outputType()) || value === 0, 'codes are padded with 0 only');
  const content =
    out.storage === 'i64'
      ? BigInt64Array.of(BigInt(value))
      : out.storage === 'f32'
        ? Float32Array.of(value, value, value, value)
        : new Int16Array(8);
  const { buffer } = context.data(content);
  copy(context, { ...out, buffer, offset: 0, strides: out.shape.map(() => 0), halo: NO_HALO }, out);
}

/** Fills both borders along a dimension from what lies between them. */
function border(context: LowerContext, out: View, d: number, { mode, before, after }: Pads): void {
  const [head, tail] = [Math.max(before[d] as number, 0), Math.max(after[d] as number, 0)];
  const size = (out.shape[d] as number) - head - tail;
  const end = head + size;
  const sources = {
    edge: [part(out, d, head, head, 0), part(out, d, end - 1, tail, 0)],
    reflect: [part(out, d, 2 * head, head, -1), part(out, d, end - 2, tail, -1)],
    wrap: [part(out, d, end - head, head), part(out, d, head, tail)],
    constant: [],
  }[mode];
  if (head > 0 && sources[0]) copy(context, sources[0], part(out, d, 0, head));
  if (tail > 0 && sources[1]) copy(context, sources[1], part(out, d, end, tail));
}

/** pad: the middle is copied, then one dimension after the other gets its borders. */
export function lowerPad(context: LowerContext, attrs: Pads): void {
  const out = context.output();
  if (out.shape.some((n) => n === 0)) return;
  let source = context.input(0);
  let inner: View = out;
  source.shape.forEach((n, d) => {
    const [before, after] = [attrs.before[d] as number, attrs.after[d] as number];
    const [cut, kept] = [Math.max(-before, 0), n - Math.max(-before, 0) - Math.max(-after, 0)];
    source = part(source, d, cut, kept);
    inner = part(inner, d, Math.max(before, 0), kept);
  });
  if (attrs.mode === 'constant') fill(context, out, attrs.value);
  if (source.shape.every((n) => n > 0)) copy(context, source, inner);
  // Each dimension is filled over the whole extent of those before it, and over the middle of those behind it.
  out.shape.forEach((_, d) => {
    const rest = out.shape.reduce<View>(
      (v, _n, k) => (k > d ? part(v, k, Math.max(attrs.before[k] as number, 0), inner.shape[k] as number) : v),
      out,
    );
    border(context, rest, d, attrs);
  });
}
