import type { I32, Stmt, V128 } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';

/** Bytes 2i, 2i + 1 of the one vector beside those of the other. */
const WOVEN = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];

/** The blocks of one width. */
function emitBlocks(f: FunctionBuilder, width: I32, blocks: I32): Stmt {
  const [src, dst, pairs] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(3, 'i32')];
  const [beside, columns, left] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const step = (second: V128): Stmt[] => [
    f.store(dst, f.shuffle(f.loadAs('load64_zero', src), second, WOVEN)),
    f.advance(src, 8),
    f.advance(dst, 16),
  ];
  const quad = [
    beside.set(f.add(src, f.shl(width, 1))),
    f.countDown(columns, [...step(f.loadAs('load64_zero', beside)), f.advance(beside, 8)]),
    src.set(beside),
  ];
  return f.when(blocks, [
    columns.set(f.shrU(width, 2)),
    f.countDown(blocks, [
      left.set(f.shrU(pairs, 1)),
      f.when(left, [f.countDown(left, quad)]),
      f.when(f.sub(pairs, f.shl(left, 1)), [f.countDown(columns, step(f.zero()))]),
    ]),
  ]);
}

const emit = (f: FunctionBuilder): Stmt[] => [
  emitBlocks(f, f.param(2, 'i32'), f.param(4, 'i32')),
  emitBlocks(f, f.param(5, 'i32'), f.param(6, 'i32')),
];

/**
 * Weights of a matrix product in one byte each, from the order of i16 pairs to the order of relaxed dot products: of two
 * steps of 2 k x `width` columns it makes one of 4 k; an odd last step is filled with zeros. So both targets can share
 * what is stored. Arguments: source, target, width (a multiple of 4), steps of pairs, blocks (of steps, one for each tile
 * and segment), width and blocks of the last, narrower tile (0 blocks where there is none), and a shift that is 0.
 */
export const weave: KernelDef = {
  name: () => 'i8-weave-simd',
  signature: () => ({ params: Array.from({ length: 8 }, () => 'i32' as const) }),
  emit,
  reference: (_params, memory, args) => {
    const [source, target, fullWidth, pairs, fullBlocks, lastWidth, lastBlocks] = args as number[] as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const bytes = new Uint8Array(memory);
    let [from, to] = [source, target];
    const widths = [...new Array<number>(fullBlocks).fill(fullWidth), ...new Array<number>(lastBlocks).fill(lastWidth)];
    for (const width of widths) {
      const quads = Math.ceil(pairs / 2);
      for (let column = 0; column < width; column++)
        for (let k = 0; k < 4 * quads; k++) {
          const code = bytes[from + 2 * width * (k >> 1) + 2 * column + (k & 1)] as number;
          bytes[to + 4 * width * (k >> 2) + 4 * column + (k & 3)] = k >> 1 < pairs ? code : 0;
        }
      from += 2 * width * pairs;
      to += 4 * width * quads;
    }
  },
};
