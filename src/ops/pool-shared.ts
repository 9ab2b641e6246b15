import { show } from './shapes.js';
import { type Window2d, windowOutput } from './window.js';

/** Attributes of pool2d; pads are [top, left, bottom, right]. `global` covers the plane and ignores the window. */
export type PoolAttrs = {
  readonly poolType: 'avg' | 'max';
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly global: boolean;
  /** Whether an average divides by the padded window (ONNX count_include_pad; Paddle's exclusive = false). */
  readonly countIncludePad: boolean;
  readonly ceilMode: boolean;
};

/** The window that a pool2d node slides over an input [N, C, H, W]. */
export function poolWindow(attrs: PoolAttrs, shape: readonly number[]): Window2d {
  if (shape.length !== 4) throw new Error(`pooling of ${show(shape)}: rank 4 expected`);
  return attrs.global ? { ksize: shape.slice(2), strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } : attrs;
}

/** The taps of one window position along one dimension: those inside the input, and how many an average counts. */
interface Span {
  readonly taps: number[];
  readonly counted: number;
}

/** The spans of every output position along dimension `d` (0 vertical, 1 horizontal). */
function poolSpans(w: Window2d, d: 0 | 1, size: number, outputs: number, countPad: boolean): Span[] {
  const [k, stride, dilation] = [w.ksize[d], w.strides[d], w.dilations[d]] as [number, number, number];
  const [before, after] = [w.pads[d], w.pads[d + 2]] as [number, number];
  return Array.from({ length: outputs }, (_, o) => {
    const all = Array.from({ length: k }, (_, i) => o * stride - before + i * dilation);
    const taps = all.filter((p) => p >= 0 && p < size);
    return { taps, counted: countPad ? all.filter((p) => p < size + after).length : taps.length };
  });
}

/** Per output element: the sum or maximum of its window, and through `counted` the divisor of an average. */
export function slidePool(
  attrs: PoolAttrs,
  x: Float64Array,
  shape: readonly number[],
  finish: (v: number, n: number) => number,
) {
  const [n, c, h, width] = shape as [number, number, number, number];
  const window = poolWindow(attrs, shape);
  const [oh, ow] = windowOutput([h, width], window, attrs.ceilMode) as [number, number];
  const rows = poolSpans(window, 0, h, oh, attrs.countIncludePad);
  const cols = poolSpans(window, 1, width, ow, attrs.countIncludePad);
  const out = new Float64Array(n * c * oh * ow);
  const max = attrs.poolType === 'max';
  let at = 0;
  for (let plane = 0; plane < n * c; plane++)
    for (const row of rows)
      for (const col of cols) {
        let v = max ? Number.NEGATIVE_INFINITY : 0;
        for (const y of row.taps)
          for (const p of col.taps) {
            const e = x[(plane * h + y) * width + p] as number;
            v = max ? Math.max(v, e) : v + e;
          }
        out[at++] = finish(v, row.counted * col.counted);
      }
  return out;
}

/** Attributes of max_pool2d_with_index; `columnMajor` counts places down the columns of a plane. */
export type MaxPlacesAttrs = {
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly ceilMode: boolean;
  readonly columnMajor: boolean;
};

/** The place of an element in its plane. */
export const placeInPlane = (attrs: MaxPlacesAttrs, height: number, width: number, y: number, x: number): number =>
  attrs.columnMajor ? x * height + y : y * width + x;
