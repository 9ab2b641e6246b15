import { rowMajorStrides } from '../../ir/tensor.js';
import { sizeOf } from '../../ir/type.js';
import type { TensorStorage } from '../kernel.js';
import { type Halo, type LayoutNeed, NO_HALO, type View } from '../lowering.js';

/** Elements of a buffer for a shape in NHWC with a halo, or row-major for shapes that are no image. */
export function elementsFor(shape: readonly number[], halo: Halo): number {
  if (shape.length !== 4) return sizeOf(shape);
  const [n, c, h, w] = shape as [number, number, number, number];
  return n * (h + halo[0] + halo[2]) * (w + halo[1] + halo[3]) * c;
}

/** The view of a whole buffer: NHWC with a halo for images (rank 4), row-major otherwise. */
export function canonicalView(buffer: number, storage: TensorStorage, shape: readonly number[], halo: Halo): View {
  if (shape.length !== 4) return rowMajorView(buffer, storage, shape);
  const [, c, h, w] = shape as [number, number, number, number];
  const row = (w + halo[1] + halo[3]) * c;
  const strides = [(h + halo[0] + halo[2]) * row, 1, row, c];
  return { buffer, offset: halo[0] * row + halo[1] * c, storage, shape, strides, halo };
}

/** A row-major view of a whole buffer. */
export const rowMajorView = (buffer: number, storage: TensorStorage, shape: readonly number[]): View => ({
  buffer,
  offset: 0,
  storage,
  shape,
  strides: rowMajorStrides(shape),
  halo: NO_HALO,
});

/** Whether strides address the same elements; dimensions of size 1 do not matter. */
const sameStrides = (shape: readonly number[], a: readonly number[], b: readonly number[]): boolean =>
  shape.every((d, i) => d === 1 || a[i] === b[i]);

/** Whether the elements lie in row-major order of the logical shape, without gaps. */
export const isContiguous = (view: View): boolean => sameStrides(view.shape, view.strides, rowMajorStrides(view.shape));

/** Whether a halo is at least as wide as another on every side. */
export const covers = (have: Halo, need: Halo): boolean => have.every((v, i) => v >= (need[i] as number));

/** Whether a view meets a need. */
export function meets(view: View, need: LayoutNeed): boolean {
  if (need.contiguous && !isContiguous(view)) return false;
  if (!need.nhwc) return true;
  if (view.shape.length !== 4) return false;
  const [n, c, h, w] = view.shape as [number, number, number, number];
  const [, sc, sh, sw] = view.strides as [number, number, number, number];
  const channelsInner = (c === 1 || sc === 1) && (w === 1 || sw === c) && (h === 1 || sh >= w * c);
  const bare = need.nhwc.every((v) => v === 0);
  const known = bare || (view.halo !== NO_HALO && n >= 1);
  return channelsInner && known && covers(view.halo, need.nhwc);
}

/** The larger of two halos on each side. */
export const maxHalo = (a: Halo, b: Halo): Halo =>
  a.map((v, i) => Math.max(v, b[i] as number)) as [number, number, number, number];
