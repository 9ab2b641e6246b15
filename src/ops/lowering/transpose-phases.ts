import { holdsCodes } from '../../codegen/kernel.js';
import { epilogueArguments } from '../../codegen/kernels/epilogue.js';
import { type GemmParams, gemm, joinRows } from '../../codegen/kernels/gemm.js';
import { type Halo, type LowerContext, laneStorage, NO_HALO, refOf } from '../../codegen/lowering.js';
import { chooseTile } from '../../codegen/select.js';
import type { Tensor } from '../../ir/tensor.js';
import type { TensorType } from '../../ir/type.js';
import { toReal } from '../../quant/tensors.js';
import { centredCodes } from '../codes.js';
import { spatialOutput, type TransposeConvAttrs } from '../conv-transpose-shared.js';
import { operandIsa, planEpilogue } from './epilogue.js';
import { gemmWeights } from './gemm-weights.js';

/**
 * The results y of one dimension with equal (y + pad) mod stride: they all meet the same taps, and neighbours read
 * neighbours, as in an ordinary convolution of stride 1.
 */
interface Phase {
  /** The first result, and how many there are, `stride` apart. */
  readonly first: number;
  readonly count: number;
  /** The first element that the first result reads (it may lie before x). */
  readonly from: number;
  /** The kernel's taps in the order of what they read. */
  readonly taps: readonly number[];
}

/** The phases of dimension d: y reads element (y + pad - tap) / stride of x for every tap that divides. */
function phasesOf(attrs: TransposeConvAttrs, kernel: number, out: number, d: 0 | 1): Phase[] {
  const [stride, pad] = [attrs.strides[d] as number, attrs.pads[d] as number];
  return Array.from({ length: Math.min(stride, out) }, (_, first) => {
    const rest = (((first + pad) % stride) + stride) % stride;
    const taps = Array.from({ length: Math.ceil((kernel - rest) / stride) }, (_, t) => rest + t * stride).reverse();
    const from = (first + pad - rest) / stride - (taps.length - 1);
    return { first, count: Math.ceil((out - first) / stride), from, taps };
  });
}

/** Rows and columns, or null where the phases are no ordinary convolutions: groups, dilations, a kernel below its stride. */
function phasesFor(attrs: TransposeConvAttrs, x: readonly number[], w: readonly number[]): [Phase[], Phase[]] | null {
  const { strides, groups, dilations } = attrs;
  const fits = [0, 1].every((d) => (w[d + 2] as number) >= (strides[d] as number) && dilations[d] === 1);
  if (!fits || groups !== 1 || strides.every((s) => s === 1)) return null;
  const out = spatialOutput(attrs, x, w);
  const of = (d: 0 | 1): Phase[] => phasesOf(attrs, w[d + 2] as number, out[d] as number, d);
  return [of(0), of(1)];
}

/** The zeros that the phases read around x. */
export function phasesHalo(attrs: TransposeConvAttrs, inputs: readonly (TensorType | null)[], slot: number): Halo {
  const [x, w] = [inputs[0]?.shape, inputs[1]?.shape];
  const phases = slot === 0 && x && w ? phasesFor(attrs, x, w) : null;
  if (!phases || !x) return NO_HALO;
  const before = (d: 0 | 1): number => Math.max(0, ...phases[d].map((p) => -p.from));
  const after = (d: 0 | 1): number =>
    Math.max(0, ...phases[d].map((p) => p.from + p.count - 1 + p.taps.length - (x[d + 2] as number)));
  return [before(0), before(1), after(0), after(1)];
}

/** Weights w[C, M, kh, kw] as centred codes or reals. */
const weightsOf = (w: Tensor, codes: boolean): Float64Array =>
  codes ? centredCodes(w) : Float64Array.from(toReal(w).data as Float32Array);

/** Per filter, the sum of |weight|. */
function absoluteSums(weights: Float64Array, filters: number, taps: number): Float64Array {
  const sums = new Float64Array(filters);
  weights.forEach((v, i) => {
    const m = Math.floor(i / taps) % filters;
    sums[m] = (sums[m] as number) + Math.abs(v);
  });
  return sums;
}

/**
 * conv2d_transpose with constant weights w[C, M, kh, kw] as one ordinary convolution per phase, each of which writes every
 * stride-th row and column: no products with zeros. False where it does not apply.
 */
export function lowerPhases(context: LowerContext, attrs: TransposeConvAttrs): boolean {
  const [types, w] = [[context.inputType(0), context.inputType(1)], context.constant(1)];
  const phases = w && phasesFor(attrs, (types[0] as TensorType).shape, w.type.shape);
  if (!w || !phases) return false;
  const x = context.input(0, { nhwc: phasesHalo(attrs, types, 0) });
  const out = context.output();
  const [channels, filters, kh, kw] = w.type.shape as [number, number, number, number];
  const weights = weightsOf(w, holdsCodes(x.storage));
  const { epilogue, args } = planEpilogue(context, {
    channels: filters,
    activation: attrs.activation ?? null,
    weightSums: absoluteSums(weights, filters, kh * kw),
  });
  const [row, pix] = [x.strides[2] as number, x.strides[3] as number];
  const [outRow, outPix] = [out.strides[2] as number, out.strides[3] as number];
  const [strideY, strideX] = attrs.strides as [number, number];
  for (const rows of phases[0])
    for (const cols of phases[1]) {
      const shape = joinRows({
        storage: laneStorage(x),
        isa: operandIsa(context, x),
        columns: filters,
        rows: rows.count,
        cols: cols.count,
        taps: {
          ySegments: rows.taps.length,
          xSegments: cols.taps.length,
          length: channels,
          yStride: row,
          xStride: pix,
        },
        pixStride: pix,
        rowStride: row,
        outPix: strideX * outPix,
        outRow: strideY * outRow,
        epilogue,
      });
      const params: GemmParams = { ...shape, tile: chooseTile(shape) };
      const weight = (m: number, segment: number, c: number): number => {
        const ky = rows.taps[Math.floor(segment / cols.taps.length)] as number;
        const kx = cols.taps[segment % cols.taps.length] as number;
        return weights[((c * filters + m) * kh + ky) * kw + kx] as number;
      };
      const ready = gemmWeights(context, params, weight);
      for (let n = 0; n < (x.shape[0] as number); n++) {
        context.task();
        const from = refOf(x, n * (x.strides[0] as number) + rows.from * row + cols.from * pix);
        const to = refOf(out, n * (out.strides[0] as number) + rows.first * outRow + cols.first * outPix);
        const ends = epilogueArguments(epilogue, args(0, filters, n));
        context.call(gemm, ready.params, [from, to, ...ready.weights, ...ends]);
      }
    }
  return true;
}
