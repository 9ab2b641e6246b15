import type { I32, Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';

/** Bytes 2i, 2i + 1 of the one vector beside those of the other. */
const WOVEN = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];

/** Bytes of four columns in a step of two k and of four k. */
const PAIR = 8;
const QUAD = 16;

/** Where four columns begin in tiles of `wide` such groups, `size` bytes a step, and from step to step. */
interface Place {
  readonly start: Local<'i32'>;
  readonly step: Local<'i32'>;
}

/** Finds the place of group `g` of `groups`; `steps` are those of a whole tile. */
function findPlace(f: FunctionBuilder, g: I32, groups: I32, wide: I32, steps: I32, size: number): [Place, Stmt[]] {
  const place = { start: f.local('i32'), step: f.local('i32') };
  const first = f.local('i32');
  const rest = f.sub(groups, first);
  const tile = f.lowI32(f.i64Op('div_s', f.extendI32(g), f.extendI32(wide)));
  return [
    place,
    [
      first.set(f.mul(tile, wide)),
      place.start.set(f.add(f.mul(f.mul(first, steps), size), f.mul(f.sub(g, first), size))),
      place.step.set(f.mul(f.choose(f.ltS(rest, wide), rest, wide), size)),
    ],
  ];
}

function emit(f: FunctionBuilder): Stmt[] {
  const [src, dst, groups, from, to, segments, pairs] = Array.from({ length: 7 }, (_, i) => f.param(i, 'i32')) as [
    Local<'i32'>,
    Local<'i32'>,
    ...Local<'i32'>[],
  ];
  const [g, quads, left] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const [source, sourceSteps] = findPlace(f, g, groups!, from!, f.mul(segments!, pairs!), PAIR);
  const [target, targetSteps] = findPlace(f, g, groups!, to!, f.mul(segments!, quads), QUAD);
  const [a, b] = [f.local('v128'), f.local('v128')];
  const read = (into: Local<'v128'>): Stmt[] => [
    into.set(f.loadAs('load64_zero', source.start)),
    source.start.set(f.add(source.start, source.step)),
  ];
  const write = [f.store(target.start, f.shuffle(a, b, WOVEN)), target.start.set(f.add(target.start, target.step))];
  return [
    quads.set(f.shrU(f.add(pairs!, 1), 1)),
    g.set(f.i32(0)),
    f.countDown(groups!, [
      ...sourceSteps,
      ...targetSteps,
      source.start.set(f.add(source.start, src)),
      target.start.set(f.add(target.start, dst)),
      f.countDown(segments!, [
        left.set(f.shrU(pairs!, 1)),
        f.when(left, [f.countDown(left, [...read(a), ...read(b), ...write])]),
        f.when(f.sub(pairs!, f.shl(f.shrU(pairs!, 1), 1)), [...read(a), b.set(f.zero()), ...write]),
      ]),
      f.advance(g, 1),
    ]),
  ];
}

/**
 * Weights of a matrix product in one byte each, from the order of i16 pairs to the order of relaxed dot products: of two
 * steps of 2 k it makes one of 4 k, an odd last step of a segment is filled with zeros, and tiles may have another width.
 * So both targets can share what is stored.
 *
 * Arguments: source, target, columns / 4, columns / 4 of a tile of the source and of the target, segments, steps of pairs
 * in a segment, and a shift that is 0.
 */
export const weave: KernelDef = {
  name: () => 'i8-weave-simd',
  signature: () => ({ params: Array.from({ length: 8 }, () => 'i32' as const) }),
  emit,
  reference: (_params, memory, args) => {
    const [source, target, groups, from, to, segments, pairs] = args as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const bytes = new Uint8Array(memory);
    const quads = Math.ceil(pairs / 2);
    /** The byte of a group, a step of all segments, and an index in the step's four columns. */
    const at = (base: number, wide: number, steps: number, size: number, group: number, step: number, i: number) => {
      const first = Math.floor(group / wide) * wide;
      const width = Math.min(wide, groups - first);
      return base + size * (first * steps + step * width + group - first) + i;
    };
    for (let group = 0; group < groups; group++)
      for (let segment = 0; segment < segments; segment++)
        for (let k = 0; k < 4 * quads; k++)
          for (let column = 0; column < 4; column++) {
            const pair = k >> 1;
            const read = at(source, from, segments * pairs, PAIR, group, segment * pairs + pair, 2 * column + (k & 1));
            const write = at(
              target,
              to,
              segments * quads,
              QUAD,
              group,
              segment * quads + (k >> 2),
              4 * column + (k & 3),
            );
            bytes[write] = pair < pairs ? (bytes[read] as number) : 0;
          }
  },
};
