import { eraseKernel, STORAGE_BYTES } from '../../codegen/kernel.js';
import { epilogueArguments } from '../../codegen/kernels/epilogue.js';
import { WINOGRAD_FACTOR, type WinogradParams, winograd, winogradSumBytes } from '../../codegen/kernels/winograd.js';
import {
  transformedInput,
  transformedStorage,
  type WinogradInputParams,
  winogradInput,
} from '../../codegen/kernels/winograd-input.js';
import {
  packWinograd,
  transformedBytes,
  type WinogradWeightShape,
  winogradGroups,
  winogradTiles,
  winogradWeights,
} from '../../codegen/kernels/winograd-weights.js';
import { type Arg, type LowerContext, laneStorage, type Ref, refOf } from '../../codegen/lowering.js';
import { winogradPays } from '../../codegen/select.js';
import { WINOGRAD_TABLE } from '../../codegen/winograd-table.js';
import { isCodes, type TensorType } from '../../ir/type.js';
import type { ConvAttrs } from '../conv-shared.js';
import type { Geometry } from './convolution.js';
import { operandIsa, type PlannedEpilogue } from './epilogue.js';

/** Output pixels per tile and direction: input is read for whole tiles. */
export const WINOGRAD_STEP = 2;

/**
 * Whether a convolution with this geometry is computed by Winograd F(2x2, 3x3): 3x3, stride 1, no dilation,
 * no groups, with enough channels and pixels. A layer of codes still needs weights in one byte each and sums that fit.
 */
export function winogradApplies(attrs: ConvAttrs, inputs: readonly (TensorType | null)[]): boolean {
  const [x, w] = inputs;
  if (!x || !w || (isCodes(x) && !isCodes(w))) return false;
  const storage = isCodes(x) ? 'i16' : 'f32';
  const [filters, channels, kh, kw] = w.shape as [number, number, number, number];
  const once = [...attrs.strides, ...attrs.dilations, attrs.groups].every((v) => v === 1);
  if (kh !== 3 || kw !== 3 || !once) return false;
  const size = (d: 0 | 1): number =>
    (x.shape[d + 2] as number) + (attrs.pads[d] as number) + (attrs.pads[d + 2] as number) - 2;
  return winogradPays(storage, { channels, columns: filters, size: Math.min(size(0), size(1)) });
}

/** From so many blocks on, each is a task; threads share what fewer blocks have, first the input transform, then columns. */
const MIN_TASKS = 4;

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

/** Blocks of about `tiles` tiles that cover the output: whole rows of tiles where they are not too long. */
export function winogradBlocks(rows: number, cols: number, tiles: number): WinogradBlock[] {
  const [tileRows, tileCols] = [Math.ceil(rows / WINOGRAD_STEP), Math.ceil(cols / WINOGRAD_STEP)];
  const across = Math.max(1, Math.round(tileCols / tiles));
  const down = Math.max(1, Math.round((tileRows * tileCols) / across / tiles));
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
  const v = transformedStorage(source.storage);
  return {
    input: { channels: shape.channels, tileRows, tileCols, ...source },
    product,
    transformedBytes: STORAGE_BYTES[v] * transformedInput(v, shape.channels, tileRows * tileCols).length,
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
  const [columns, channels] = g.shape;
  const storage = laneStorage(g.x);
  const shape = { storage: transformedStorage(storage), columns, channels };
  const size = Math.min(g.common.rows, g.common.cols);
  if (operandIsa(context, g.x) === 'relaxed' && !winogradPays('relaxed', { channels, columns, size })) return false;
  const direct = planned(context, g);
  const plan = storage === 'f32' ? direct : direct.times(WINOGRAD_FACTOR);
  const u = plan && transformedWeights(context, g, shape);
  if (!plan || !u) return false;
  const { epilogue } = plan;
  const { pixStride, rowStride, outPix, outRow } = g.common;
  const source = { storage, pixStride, rowStride };
  const blocks = winogradBlocks(g.common.rows, g.common.cols, WINOGRAD_TABLE[shape.storage].tiles).map((block) => ({
    ...block,
    ...winogradParams(block, { channels, columns, outPix, outRow, epilogue }, source),
  }));
  const images = g.x.shape[0] as number;
  const apart = images * blocks.length >= MIN_TASKS;
  const v = context.scratch(Math.max(...blocks.map((b) => b.transformedBytes)), apart ? 'task' : 'node');
  const m = context.scratch(Math.max(...blocks.map((b) => b.sumBytes)), 'task');
  const { residual } = epilogue;
  for (let n = 0; n < images; n++) {
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
      if (apart) context.task();
      context.call(winogradInput, input, [from, v]);
      context.call(winograd, product, [v, m, u, to, ...epilogueArguments<Arg>(epilogue, ofBlock)]);
    }
  }
  return true;
}

const moved = (ref: Ref, bytes: number): Ref => ({ ...ref, offset: ref.offset + bytes });

/** The transformed weights, made by `init` from reals or one byte each; null where the codes need more. */
function transformedWeights(context: LowerContext, g: Geometry, shape: WinogradWeightShape): Ref | null {
  const packed = packWinograd(shape, (n, tap, c) => g.weights[(n * shape.channels + c) * 9 + tap] as number);
  return context.transformedWeights(packed, transformedBytes(shape), {
    kernel: eraseKernel(winogradWeights),
    params: { storage: shape.storage },
    args: [winogradTiles(shape), winogradGroups(shape)],
  });
}
