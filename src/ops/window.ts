import type { ImportContext } from './import-context.js';
import type { Image } from './import-image.js';
import { show } from './shapes.js';

/** Sliding window over two spatial dimensions, [vertical, horizontal]; pads are [top, left, bottom, right]. */
export interface Window2d {
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

/** The window as plain attributes. */
export type Window2dAttrs = {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
};

/**
 * The spatial output size of a window. Source: ONNX Conv and MaxPool. In ceil mode a last window that would start
 * in the padding at the end is dropped.
 */
export function windowOutput(input: readonly number[], w: Window2d, ceilMode = false): number[] {
  return input.map((size, d) => {
    const pad = w.pads[d] as number;
    const reach = (w.dilations[d] as number) * ((w.ksize[d] as number) - 1) + 1;
    const stride = w.strides[d] as number;
    const span = (size + pad + (w.pads[d + input.length] as number) - reach) / stride;
    let n = (ceilMode ? Math.ceil(span) : Math.floor(span)) + 1;
    if (ceilMode && (n - 1) * stride >= size + pad) n--;
    if (n < 1) throw new Error(`a window of ${show(w.ksize)} does not fit into ${show(input)}`);
    return n;
  });
}

/** No number of a window is larger than the largest image: tables of its taps are made. */
const MOST = 2 ** 16;

/** Throws unless the window makes sense. */
export function checkWindow(w: Window2d): void {
  const lists: [string, readonly number[], number, number][] = [
    ['kernel', w.ksize, 2, 1],
    ['strides', w.strides, 2, 1],
    ['dilations', w.dilations, 2, 1],
    ['pads', w.pads, 4, 0],
  ];
  for (const [what, list, length, least] of lists) {
    if (list.length !== length) throw new Error(`${what} ${show(list)}: ${length} numbers expected (two dimensions)`);
    if (list.some((v) => !Number.isInteger(v) || v < least || v > MOST))
      throw new Error(`${what} ${show(list)} is out of range`);
  }
}

/** The output positions [first, past the last) whose input position o * stride + offset lies in [0, size). */
export function validRange(offset: number, stride: number, size: number, outputs: number): [number, number] {
  const first = offset >= 0 ? 0 : Math.ceil(-offset / stride);
  const end = Math.min(outputs, Math.floor((size - 1 - offset) / stride) + 1);
  return [first, Math.max(first, end)];
}

/** Strides, dilations and pads of an ONNX Conv or pool node; `auto_pad` becomes explicit pads. */
export function importWindow(context: ImportContext, image: Image, ksize: readonly number[]): Window2dAttrs {
  const { attrs } = context;
  const input = image.value.type.shape;
  const ones = ksize.map(() => 1);
  const none = [...ksize, ...ksize].map(() => 0);
  const strides = image.pair(attrs.ints('strides', ones), 1);
  const dilations = image.pair(attrs.ints('dilations', ones), 1);
  const explicit = image.pads(attrs.ints('pads', none));
  const auto = attrs.string('auto_pad', 'NOTSET');
  if (explicit.some((p) => p < 0)) context.unsupported(`negative pads ${show(explicit)}`);
  if (auto === 'NOTSET' || auto === '') return { strides, dilations, pads: explicit };
  if (auto === 'VALID') return { strides, dilations, pads: none };
  if (auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER') throw new Error(`auto_pad "${auto}" does not exist`);
  const total = ksize.map((_, d) => {
    const [size, stride] = [input[d + 2] as number, strides[d] as number];
    const reach = (dilations[d] as number) * ((ksize[d] as number) - 1) + 1;
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  });
  const small = total.map((p) => Math.floor(p / 2));
  const large = total.map((p) => Math.ceil(p / 2));
  return { strides, dilations, pads: auto === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small] };
}
