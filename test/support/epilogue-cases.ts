import type { Epilogue } from '../../src/codegen/kernel.js';
import { epilogueArguments } from '../../src/codegen/kernels/epilogue.js';
import type { Attrs } from '../../src/ir/graph.js';
import type { Activation } from '../../src/quant/activation.js';
import { codesFor, randomFloats, randomInts, type TestMemory } from './kernel-memory.js';

/** One activation of every kind. */
export const ACTIVATIONS: readonly (Activation & Attrs)[] = [
  { kind: 'relu' },
  { kind: 'relu6' },
  { kind: 'clip', min: -1.5, max: 2.25 },
  { kind: 'clip', min: Number.NEGATIVE_INFINITY, max: 3 },
  { kind: 'hard_swish', threshold: 6, scale: 6, offset: 3 },
  { kind: 'hard_sigmoid', slope: 0.2, offset: 0.5 },
  { kind: 'leaky_relu', alpha: 0.1 },
  { kind: 'sigmoid' },
  { kind: 'swish' },
  { kind: 'tanh' },
  { kind: 'gelu' },
  { kind: 'gelu_tanh' },
  { kind: 'softplus' },
  { kind: 'softsign' },
  { kind: 'mish' },
  { kind: 'elu', alpha: 0.7 },
  { kind: 'celu', alpha: 1.5 },
  { kind: 'selu', alpha: 1.6732632, scale: 1.050701 },
  { kind: 'thresholded_relu', threshold: 0.5 },
  { kind: 'shrink', lambd: 0.5, bias: 0.25 },
];

export const CODES = { storage: 'i16', rounding: 'even', proven: true } as const;
export const SMALL_CODES = { ...CODES, storage: 'i8' } as const;
/** The bounds of small codes are 3 and 127, so that storing may clamp to the upper one. */
export const SATURATING_CODES = { ...SMALL_CODES, saturates: true } as const;
export const REALS = { storage: 'f32' } as const;

/** The plainest epilogue of i32 sums. */
export const REQUANTIZE: Epilogue = { sum: 'i32', bias: 'i32', residual: null, activation: null, output: CODES };
/** The plainest epilogue of f32 sums. */
export const FLOAT: Epilogue = { sum: 'f32', bias: 'f32', residual: null, activation: null, output: REALS };

/** What the values of an epilogue's arguments look like. */
export interface EpilogueCase {
  readonly columns: number;
  readonly rows: number;
  readonly cols: number;
  /** Factors to output quanta are about this size; they are powers of two, so that ties occur, if `ties`. */
  readonly scale: number;
  readonly ties: boolean;
  readonly seed: number;
  readonly bounds?: readonly [lo: number, hi: number];
}

/** The arrays that an epilogue reads are padded to a multiple of this many columns. */
const PADDING = 16;

/** Places the operands of an epilogue in memory and returns its arguments. */
export function placeEpilogue(memory: TestMemory, e: Epilogue, c: EpilogueCase): number[] {
  const next = randomInts(c.seed + 77);
  const n = Math.ceil(c.columns / PADDING) * PADDING;
  const factor = (): number =>
    c.ties ? 2 ** (Math.round(Math.log2(c.scale)) - (next() % 3)) : (c.scale * ((next() % 999) + 1)) / 500;
  const bias = memory.space(n, 4);
  if (e.bias === 'i32')
    new Int32Array(memory.bytes.buffer, bias, n).set(Int32Array.from({ length: n }, () => (next() % 2001) - 1000));
  else new Float32Array(memory.bytes.buffer, bias, n).set(randomFloats(n, c.seed, 8).map((v) => Math.round(v * 4) / 4));
  const residual = e.residual && c.rows * e.residual.row + c.cols * e.residual.pix + c.columns;
  const narrow = e.output.storage === 'i8';
  const [lo, hi] = narrow ? [3, 127] : (c.bounds ?? [-128, 127]);
  return epilogueArguments(e, {
    bias,
    scale: memory.f32(Float32Array.from({ length: n }, factor)),
    residual: e.residual
      ? memory.tensor(
          e.residual.storage,
          e.residual.storage === 'f32'
            ? randomFloats(residual!, c.seed)
            : codesFor(e.residual.storage, residual!, c.seed),
        )
      : 0,
    residualScale: Math.fround(c.ties ? 0.5 : 0.37),
    lo,
    hi,
    outputScale: Math.fround(c.ties ? 0.25 : 0.031),
  });
}
