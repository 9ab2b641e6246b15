import type { InferInput } from '../ir/op.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import { lowerMaxPlaces } from './lowering/max-places.js';
import { defineOp } from './op.js';
import { type MaxPlacesAttrs, placeInPlane } from './pool-shared.js';
import { asInputs, realTypeOf, show, tensorAt } from './shapes.js';
import { checkWindow, type Window2d, windowOutput } from './window.js';

function infer(attrs: MaxPlacesAttrs, inputs: readonly (InferInput | null)[]): TensorType[] {
  const { shape } = realTypeOf(inputs, 0);
  const window: Window2d = attrs;
  checkWindow(window);
  if (shape.length !== 4) throw new Error(`pooling of ${show(shape)}: rank 4 expected`);
  const to = [...shape.slice(0, 2), ...windowOutput(shape.slice(2), window, attrs.ceilMode)];
  const extent = sizeOf(shape.slice(2).map((n, d) => n + (attrs.pads[d] as number) + (attrs.pads[d + 2] as number)));
  if (extent > 2 ** 24) throw new Error(`places in planes of ${show(shape.slice(2))}`);
  return [
    { dtype: 'f32', shape: to },
    { dtype: 'i64', shape: to },
  ];
}

export const maxPool2dWithIndex = defineOp<MaxPlacesAttrs>({
  name: 'max_pool2d_with_index',
  doc: 'the maximum over a sliding window of x[N,C,H,W], and its place in the plane as int64',
  inputs: [1, 1],
  quant: 'float-only',
  lower: lowerMaxPlaces,
  infer,
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const [values, places] = infer(attrs, asInputs(inputs)) as [TensorType, TensorType];
    const [, , height, width] = x.type.shape as [number, number, number, number];
    const [n, c, oh, ow] = values.shape as [number, number, number, number];
    const data = new Float32Array(sizeOf(values.shape));
    const found = new BigInt64Array(data.length);
    const taps = (d: 0 | 1, o: number, size: number): number[] =>
      Array.from(
        { length: attrs.ksize[d] as number },
        (_, k) => o * (attrs.strides[d] as number) - (attrs.pads[d] as number) + k * (attrs.dilations[d] as number),
      ).filter((p) => p >= 0 && p < size);
    let at = 0;
    for (let plane = 0; plane < n * c; plane++)
      for (let oy = 0; oy < oh; oy++)
        for (let ox = 0; ox < ow; ox++) {
          let [best, place] = [Number.NEGATIVE_INFINITY, 0];
          for (const y of taps(0, oy, height))
            for (const p of taps(1, ox, width)) {
              const v = x.data[(plane * height + y) * width + p] as number;
              if (v > best) [best, place] = [v, placeInPlane(attrs, height, width, y, p)];
            }
          data[at] = best;
          found[at++] = BigInt(place);
        }
    return [
      { type: values, data },
      { type: places, data: found },
    ];
  },
});
