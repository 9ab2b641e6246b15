import type { NestShape } from '../codegen/kernels/nest.js';
import { walk } from '../codegen/kernels/nest.js';
import { show } from './shapes.js';

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

/** One name per dimension of each operand and of the result; dimensions of one name run together. */
export type EinsumAttrs = { readonly operands: readonly (readonly number[])[]; readonly result: readonly number[] };

/** The extent of every name; 1 broadcasts. */
export function extentsOf({ operands }: EinsumAttrs, shapes: readonly (readonly number[])[]): Map<number, number> {
  const extents = new Map<number, number>();
  operands.forEach((names, k) => {
    const shape = shapes[k] ?? [];
    if (shape.length !== names.length) throw new Error(`${names.length} indices for ${show(shape)}`);
    names.forEach((name, d) => {
      const [known = 1, own] = [extents.get(name), shape[d] as number];
      if (known !== own && known !== 1 && own !== 1) throw new Error(`extents ${known} and ${own} of one index`);
      extents.set(name, known === 1 ? own : known);
    });
  });
  return extents;
}

/** The nests of a product of two operands with the given strides; the start is one element. */
export function einsumNests(
  attrs: EinsumAttrs,
  shapes: readonly (readonly number[])[],
  strides: readonly (readonly number[])[],
): Contraction {
  const extents = extentsOf(attrs, shapes);
  const { operands, result } = attrs;
  const along = (k: number, name: number): number =>
    (operands[k] ?? []).reduce(
      (sum, n, d) => (n === name && shapes[k]?.[d] !== 1 ? sum + (strides[k]?.[d] as number) : sum),
      0,
    );
  const dims = (names: readonly number[]): number[] => names.map((n) => extents.get(n) as number);
  const both = (names: readonly number[]): number[][] => [0, 1].map((k) => names.map((n) => along(k, n)));
  const inner = [...extents.keys()].filter((name) => !result.includes(name));
  return {
    kept: { dims: dims(result), strides: [...both(result), result.map(() => 0), [...(strides[2] as number[])]] },
    reduced: { dims: dims(inner), strides: both(inner) },
  };
}
