import type { Arithmetic, ProductInfo } from '../runtime/abi.js';

/**
 * The speed of the best kernels measured, per cycle: a cycle is the time in which the register-only probe does 16 products,
 * which is the clock's cycle on cores that start two of its instructions per cycle.
 *
 * Measured on Zen 3 (AVX2, no VNNI), V8 of Node 24, code generated with Binaryen, whole layers with everything fused: 1x1
 * convolutions of 56x56x24 to 7x7x1280, 3x3 ones of 56x56x64 to 7x7x512, first convolutions of 3 channels, products with
 * one row of 1024x1024. A result costs inner / rate + epilogue cycles; the two numbers fit these layers within 4 %.
 */
const DENSE: Readonly<Record<Arithmetic, { readonly rate: number; readonly epilogue: number }>> = {
  pairs: { rate: 12, epilogue: 0.8 },
  bytes: { rate: 15.5, epilogue: 0.67 },
  reals: { rate: 5.9, epilogue: 0.5 },
  winograd: { rate: 26, epilogue: 2.7 },
  'winograd of reals': { rate: 14.6, epilogue: 2 },
};

/** Arithmetics that compute tiles of 2x2 pixels. */
type Winograd = 'winograd' | 'winograd of reals';
const isWinograd = (arithmetic: Arithmetic): arithmetic is Winograd => arithmetic.startsWith('winograd');

/** Products with one pixel: the weights stream through, nothing is reused. */
const SINGLE_RATE: Readonly<Record<Exclude<Arithmetic, Winograd>, number>> = { pairs: 8.2, bytes: 12.6, reals: 4 };

/** Depthwise 3x3 convolutions of codes with everything fused: 14 GMAC/s at 56x56x144, 12 to 16 over strides and sizes. */
const DEPTHWISE = { rate: 5.3, epilogue: 0.5 };

/** Elements of a pixel's sum that one instruction takes, by arithmetic: shorter runs are filled up with zeros. */
const STEP: Readonly<Record<Arithmetic, number>> = {
  pairs: 2,
  bytes: 4,
  reals: 1,
  winograd: 1,
  'winograd of reals': 1,
};

/** Products of the probe in a cycle. */
export const PROBE_PER_CYCLE = 16;

const up = (n: number, step: number): number => Math.ceil(n / step) * step;

/** Multiply-accumulates per cycle of the best kernel with one arithmetic; undefined where none was measured. */
function bestWith(arithmetic: Arithmetic, p: ProductInfo): number | undefined {
  const [rows, cols] = p.pixels;
  if (p.kind === 'depthwise') {
    if (arithmetic === 'reals') return undefined;
    return p.inner / (p.inner / DEPTHWISE.rate + DEPTHWISE.epilogue);
  }
  const perGroup = p.columns / p.groups;
  const filled = up(perGroup, 4) / perGroup;
  if (!isWinograd(arithmetic) && rows * cols === 1) return SINGLE_RATE[arithmetic] / filled;
  const { rate, epilogue } = DENSE[arithmetic];
  const tiles = isWinograd(arithmetic) ? (up(rows, 2) * up(cols, 2)) / (rows * cols) : 1;
  const run = p.inner / p.window[0];
  const inner = p.window[0] * up(run, STEP[arithmetic]);
  return p.inner / ((inner / rate + epilogue) * filled * tiles);
}

/** The best legal kernel for a layer: its arithmetic and its multiply-accumulates per cycle. */
export function bestKernel(p: ProductInfo): { readonly arithmetic: Arithmetic; readonly perCycle: number } | undefined {
  const known = p.allows.flatMap((arithmetic) => {
    const perCycle = bestWith(arithmetic, p);
    return perCycle === undefined ? [] : [{ arithmetic, perCycle }];
  });
  return known.sort((a, b) => b.perCycle - a.perCycle)[0];
}
