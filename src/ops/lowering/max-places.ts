import { windowMaxKernel } from '../../codegen/kernels/window-max.js';
import { type LowerContext, NO_HALO, refOf, type View } from '../../codegen/lowering.js';
import { rowMajorStrides } from '../../ir/tensor.js';
import { type MaxPlacesAttrs, placeInPlane } from '../pool-shared.js';
import { throughReals } from './integers.js';
import { applyMap, rowMajorScratch } from './movement.js';

/** x within a border of -infinity, as far as the windows reach. */
function bordered(context: LowerContext, x: View, shape: readonly number[], top: number, left: number): View {
  const view = rowMajorScratch(context, 'f32', shape);
  const { buffer } = context.data(new Float32Array(4).fill(Number.NEGATIVE_INFINITY));
  const endless = { ...view, buffer, offset: 0, strides: shape.map(() => 0), halo: NO_HALO };
  applyMap(context, { kind: 'copy' }, endless, view);
  const [, , row] = view.strides as [number, number, number];
  const height = Math.min(x.shape[2] as number, (shape[2] as number) - top);
  const width = Math.min(x.shape[3] as number, (shape[3] as number) - left);
  const inner = [...x.shape.slice(0, 2), height, width];
  const target = { ...view, offset: top * row + left, shape: inner };
  applyMap(context, { kind: 'copy' }, { ...x, shape: inner, halo: NO_HALO }, target);
  return view;
}

/** max_pool2d_with_index: maxima over windows, with the places of the plane as companions. */
export function lowerMaxPlaces(context: LowerContext, attrs: MaxPlacesAttrs): void {
  const [x, values] = [context.input(0), context.output(0)];
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const [top, left] = attrs.pads as [number, number];
  const extent = (d: 0 | 1): number =>
    ((values.shape[d + 2] as number) - 1) * (attrs.strides[d] as number) +
    (attrs.dilations[d] as number) * ((attrs.ksize[d] as number) - 1) +
    1;
  const shape = [n, c, Math.max(extent(0), top + 1), Math.max(extent(1), left + 1)] as const;
  const source = bordered(context, x, shape, top, left);
  const places = Float32Array.from({ length: shape[2] * shape[3] }, (_, i) =>
    placeInPlane(attrs, height, width, Math.floor(i / shape[3]) - top, (i % shape[3]) - left),
  );
  const [sn, sc, sy, sx] = rowMajorStrides(shape) as [number, number, number, number];
  const [stepY, stepX] = attrs.strides as [number, number];
  const [dilationY, dilationX] = attrs.dilations as [number, number];
  throughReals(context, context.output(1), (found) => {
    const plane = [sy * stepY, sx * stepX];
    const taps = [sy * dilationY, sx * dilationX];
    const strides = [[sn, sc, ...plane], [0, 0, ...plane], [...values.strides], [...found.strides]];
    const params = { kept: { dims: values.shape, strides }, window: { dims: attrs.ksize, strides: [taps, taps] } };
    context.call(windowMaxKernel, params, [refOf(source), context.data(places), refOf(values), refOf(found)]);
  });
}
