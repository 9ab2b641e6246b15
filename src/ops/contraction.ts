import type { NestShape } from '../codegen/kernels/nest.js';
import { walk } from '../codegen/kernels/nest.js';

/** The nests of sums of products: see the kernel `contract`. */
export interface Contraction {
  /** Strides of a, b, start and target. */
  readonly kept: NestShape;
  /** Strides of a and b. */
  readonly reduced: NestShape;
}

/** Sums of products of reals in float64, from `start` (or 0), into `n` elements. */
export function contractReals(
  { kept, reduced }: Contraction,
  [a, a0]: readonly [ArrayLike<number>, number],
  [b, b0]: readonly [ArrayLike<number>, number],
  start: ArrayLike<number> | null,
  n: number,
): Float64Array {
  const target = new Float64Array(n);
  walk(kept, ([i, j, s, t]) => {
    let sum = start ? (start[s as number] as number) : 0;
    walk(reduced, ([u, v]) => {
      sum += (a[a0 + (i as number) + (u as number)] as number) * (b[b0 + (j as number) + (v as number)] as number);
    });
    target[t as number] = sum;
  });
  return target;
}

/** Sums of products of integers, exact in 64 bits. */
export function contractIntegers(
  { kept, reduced }: Contraction,
  a: ArrayLike<number | bigint>,
  b: ArrayLike<number | bigint>,
  n: number,
): BigInt64Array {
  const target = new BigInt64Array(n);
  walk(kept, ([i, j, , t]) => {
    let sum = 0n;
    walk(reduced, ([u, v]) => {
      sum += BigInt(a[(i as number) + (u as number)] as number) * BigInt(b[(j as number) + (v as number)] as number);
    });
    target[t as number] = sum;
  });
  return target;
}
