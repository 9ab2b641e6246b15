import type { Value } from '../ir/graph.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { inNchw } from './import-paddle.js';
import type { ResizeAttrs } from './resize-shared.js';
import { show } from './shapes.js';

/** The scales of height and width, or null where sizes are given instead. The tensor beats the attribute. */
function scalesOf(context: PaddleContext): [number, number] | null {
  const given = context.numbers('Scale') ?? context.attrs.floats('scale', []);
  const list = given.filter((s) => s > 0);
  if (list.length === 0) return null;
  return [list[0] as number, (list[1] ?? list[0]) as number];
}

/** Output size and scales. Source: interpolate_v2_op.h; sizes from tensors beat scales, which beat out_h and out_w. */
function extents(context: PaddleContext, plane: readonly number[]): { sizes: number[]; scales: number[] } {
  const scales = scalesOf(context);
  const stated = [context.attrs.int('out_h', -1), context.attrs.int('out_w', -1)];
  const asked = context.numbers('SizeTensor') ?? context.numbers('OutSize');
  const scaled = scales?.map((s, d) => Math.floor(Math.fround((plane[d] as number) * Math.fround(s))));
  const sizes = asked ?? scaled ?? stated;
  if (sizes.length !== 2 || sizes.some((n) => n < 1)) throw new Error(`an output of ${show(sizes)}`);
  const used =
    asked || !scales || context.type.endsWith('_interp') ? sizes.map((n, d) => n / (plane[d] as number)) : scales;
  return { sizes, scales: used };
}

/** Paddle's interpolations of images, both versions. */
const importInterp =
  (mode: ResizeAttrs['mode']): PaddleImporter =>
  (context) =>
    inNchw(context, context.input('X'), (x): Value => {
      const { attrs } = context;
      const { shape } = x.type;
      const { sizes, scales } = extents(context, shape.slice(2));
      const aligned = attrs.bool('align_corners', true);
      const pixel = mode === 'cubic' || (mode === 'linear' && attrs.int('align_mode', 1) === 0);
      const resize: ResizeAttrs = {
        mode,
        coordinates: aligned ? 'align_corners' : pixel ? 'half_pixel' : 'asymmetric',
        nearest: aligned ? 'round_prefer_ceil' : 'floor',
        cubic: -0.75,
        excludeOutside: false,
        sizes: [...shape.slice(0, 2), ...sizes],
        scales: [1, 1, ...scales],
        starts: [0, 0, 0, 0],
        ends: [1, 1, 1, 1],
      };
      return context.add(mode === 'nearest' ? 'nearest_interp' : 'linear_interp', resize, [x]);
    });

export const importNearest = importInterp('nearest');
export const importBilinear = importInterp('linear');
export const importBicubic = importInterp('cubic');
