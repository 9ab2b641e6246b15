import { eraseKernel, holdsCodes, STORAGE_BYTES } from '../../codegen/kernel.js';
import { epilogueArguments } from '../../codegen/kernels/epilogue.js';
import { WINOGRAD_FACTOR, type WinogradParams, winograd, winogradSumBytes } from '../../codegen/kernels/winograd.js';
import { transformedInput, type WinogradInputParams, winogradInput } from '../../codegen/kernels/winograd-input.js';
import {
  packWinograd,
  transformedLength,
  winogradGroups,
  winogradTiles,
  winogradWeights,
} from '../../codegen/kernels/winograd-weights.js';
import { type Arg, type LowerContext, type Ref, refOf } from '../../codegen/lowering.js';
import { isCodes, type TensorType } from '../../ir/type.js';
import type { ConvAttrs } from '../conv-shared.js';
import type { Geometry } from './convolution.js';
import { operandIsa, type PlannedEpilogue } from './epilogue.js';

/** Output pixels per tile and direction: input is read for whole tiles. */
export const WINOGRAD_STEP = 2;

/** The transforms cost O(C + N) per tile, the product saves O(C * N): below this it is not worth it. */
const MIN_CHANNELS = 16;
const MIN_SIZE = 4;
/** Bytes of the transformed weights of one layer: 3.6 times those of the file, and all of them read per block. */
const MAX_WEIGHT_BYTES = 16 << 20;
/** Beside relaxed dot products (half the products per instruction saved, weights in one byte) less is worth reading. */
const MAX_BYTES_BESIDE_RELAXED = 4 << 20;

/**
 * Whether a convolution of codes with this geometry is computed by Winograd F(2x2, 3x3): 3x3, stride 1, no dilation,
 * no groups, with enough channels and pixels. The layer still needs weights in one byte each and sums that fit.
 */
export function winogradApplies(attrs: ConvAttrs, inputs: readonly (TensorType | null)[]): boolean {
  const [x, w] = inputs;
  if (!x || !w || !isCodes(x) || !isCodes(w)) return false;
  const [filters, channels, kh, kw] = w.shape as [number, number, number, number];
  const once = [...attrs.strides, ...attrs.dilations, attrs.groups].every((v) => v === 1);
  if (kh !== 3 || kw !== 3 || !once) return false;
  const size = (d: 0 | 1): number =>
    (x.shape[d + 2] as number) + (attrs.pads[d] as number) + (attrs.pads[d + 2] as number) - 2;
  return (
    Math.min(channels, filters) >= MIN_CHANNELS &&
    Math.min(size(0), size(1)) >= MIN_SIZE &&
    2 * transformedLength({ channels, columns: filters }) <= MAX_WEIGHT_BYTES
  );
}

/** Tiles per block: the sums of a column tile (512 bytes per tile) stay in the first cache level, V in the second. */
const TILES_PER_BLOCK = 56;

/** A rectangle of output pixels. */
export interface WinogradBlock {
  readonly y: number;
  readonly x: number;
  readonly rows: number;
  readonly cols: number;
}

/** Splits `count` tiles into parts that differ by one at most; as [first, tiles]. */
function split(count: number, parts: number): [number, number][] {
  return Array.from({ length: parts }, (_, i) => {
    const first = Math.ceil((i * count) / parts);
    return [first, Math.ceil(((i + 1) * count) / parts) - first];
  });
}

/** Blocks of about `TILES_PER_BLOCK` tiles that cover the output: whole rows of tiles where they are not too long. */
export function winogradBlocks(rows: number, cols: number): WinogradBlock[] {
  const [tileRows, tileCols] = [Math.ceil(rows / WINOGRAD_STEP), Math.ceil(cols / WINOGRAD_STEP)];
  const across = Math.max(1, Math.round(tileCols / TILES_PER_BLOCK));
  const down = Math.max(1, Math.round((tileRows * tileCols) / across / TILES_PER_BLOCK));
  return split(tileRows, Math.min(down, tileRows)).flatMap(([top, height]) =>
    split(tileCols, across).map(([left, width]) => {
      const [y, x] = [WINOGRAD_STEP * top, WINOGRAD_STEP * left];
      return {
        y,
        x,
        rows: Math.min(WINOGRAD_STEP * height, rows - y),
        cols: Math.min(WINOGRAD_STEP * width, cols - x),
      };
    }),
  );
}

/** The kernels' parameters for one block. */
export function winogradParams(
  b: WinogradBlock,
  shape: Omit<WinogradParams, 'rows' | 'cols'>,
  source: Pick<WinogradInputParams, 'storage' | 'pixStride' | 'rowStride'>,
): { input: WinogradInputParams; product: WinogradParams; transformedBytes: number; sumBytes: number } {
  const [tileRows, tileCols] = [Math.ceil(b.rows / WINOGRAD_STEP), Math.ceil(b.cols / WINOGRAD_STEP)];
  const product = { ...shape, rows: b.rows, cols: b.cols };
  return {
    input: { channels: shape.channels, tileRows, tileCols, ...source },
    product,
    transformedBytes: 2 * transformedInput(shape.channels, tileRows * tileCols).length,
    sumBytes: winogradSumBytes(product),
  };
}

/**
 * Lowers a convolution to Winograd kernels, block by block, with the epilogue that `planned` gives for the direct kernel.
 * False, and no call made, where they do not apply.
 */
export function lowerWinograd(
  context: LowerContext,
  g: Geometry,
  planned: (context: LowerContext, g: Geometry) => PlannedEpilogue,
): boolean {
  if (!winogradApplies(g.attrs, [context.inputType(0), context.inputType(1)])) return false;
  const bytes = 2 * transformedLength({ channels: g.shape[1], columns: g.shape[0] });
  if (bytes > MAX_BYTES_BESIDE_RELAXED && operandIsa(context, g.x) === 'relaxed') return false;
  const plan = planned(context, g).times(WINOGRAD_FACTOR);
  const u = plan && transformedWeights(context, g);
  if (!plan || !u) return false;
  const { epilogue } = plan;
  const [columns, channels] = g.shape;
  const { pixStride, rowStride, outPix, outRow } = g.common;
  const { storage } = g.x;
  if (!holdsCodes(storage)) return false;
  const source = { storage, pixStride, rowStride };
  const blocks = winogradBlocks(g.common.rows, g.common.cols).map((block) => ({
    ...block,
    ...winogradParams(block, { channels, columns, outPix, outRow, epilogue }, source),
  }));
  const v = context.scratch(Math.max(...blocks.map((b) => b.transformedBytes)));
  const m = context.scratch(Math.max(...blocks.map((b) => b.sumBytes)));
  const { residual } = epilogue;
  for (let n = 0; n < (g.x.shape[0] as number); n++) {
    const args = plan.args(0, columns, n);
    for (const { y, x, input, product } of blocks) {
      const from = refOf(g.x, g.origin + n * (g.x.strides[0] as number) + y * rowStride + x * pixStride);
      const to = refOf(g.out, n * (g.out.strides[0] as number) + y * outRow + x * outPix);
      const ofBlock = residual
        ? {
            ...args,
            residual: moved(
              args.residual as Ref,
              (y * residual.row + x * residual.pix) * STORAGE_BYTES[residual.storage],
            ),
          }
        : args;
      context.call(winogradInput, input, [from, v]);
      context.call(winograd, product, [v, m, u, to, ...epilogueArguments<Arg>(epilogue, ofBlock)]);
    }
  }
  return true;
}

const moved = (ref: Ref, bytes: number): Ref => ({ ...ref, offset: ref.offset + bytes });

/** The transformed weights, made by `init` from one byte each; null where the codes need more. */
function transformedWeights(context: LowerContext, g: Geometry): Ref | null {
  const [columns, channels] = g.shape;
  const shape = { columns, channels };
  const codes = packWinograd(shape, (n, tap, c) => g.weights[(n * channels + c) * 9 + tap] as number);
  const args = [winogradTiles(shape), winogradGroups(shape)];
  return context.transformedWeights(codes, 2 * transformedLength(shape), eraseKernel(winogradWeights), args);
}
