import type { I32, Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { EXTRA_BYTES, EXTRA_HEAD, EXTRA_HEADER, EXTRA_LANES, EXTRA_PLACE } from './gemm-groups.js';

/** Where the steps of a sum lie: segments of `perSegment` steps, `xSegments` of them in a row. */
export interface ExtraStepsParams {
  readonly perSegment: number;
  readonly xSegments: number;
  /** Where the weights that were taken out still stand among the packed ones: these are set to 0 there. */
  readonly clears?: PackedTiles;
}

/** Packed weights: column tiles of `nr` columns, of which the last is cut; columns in multiples of 4, and steps of K. */
export interface PackedTiles {
  readonly columns: number;
  readonly nr: number;
  readonly steps: number;
}

/** Bytes that a step reads. */
const STEP_BYTES = 4;

function emit(f: FunctionBuilder, p: ExtraStepsParams): Stmt[] {
  const [src, dst, tiles] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'i32')];
  const [head, count, step, lanes, at] = [
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ];
  const clearing = p.clears && new Clearing(f, p.clears, f.param(3, 'i32'));
  const divided = (by: number): I32 => f.lowI32(f.i64Op('div_s', f.extendI32(step), f.i64(BigInt(by))));
  /** Stores the quotient and leaves the remainder. */
  const split = (by: number, place: number): Stmt[] => [
    f.storeI32(dst, divided(by), place),
    step.set(f.sub(step, f.mul(f.loadI32(dst, place), by))),
  ];
  const word = (into: Local<'i32'>): Stmt[] => [into.set(f.loadI16(src)), f.advance(src, 2)];
  return [
    ...(clearing?.setup ?? []),
    head.set(dst),
    dst.set(f.add(dst, f.mul(tiles, EXTRA_HEADER))),
    f.countDown(tiles, [
      ...word(count),
      f.storeI32(head, count, EXTRA_HEAD.count),
      f.storeI32(head, f.sub(dst, head), EXTRA_HEAD.distance),
      f.advance(head, EXTRA_HEADER),
      f.when(count, [
        f.countDown(count, [
          ...word(step),
          ...word(lanes),
          ...(clearing?.enter(step) ?? []),
          ...split(p.perSegment * p.xSegments, EXTRA_PLACE.y),
          ...split(p.perSegment, EXTRA_PLACE.x),
          f.storeI32(dst, f.mul(step, STEP_BYTES), EXTRA_PLACE.k),
          f.fill(f.add(dst, EXTRA_PLACE.weights), 0, EXTRA_BYTES - EXTRA_PLACE.weights),
          lanes.set(f.shl(lanes, 16)),
          at.set(f.add(dst, EXTRA_PLACE.weights)),
          f.repeat(EXTRA_LANES, [
            f.when(f.ltS(lanes, 0), [f.storeI16(at, f.loadI16(src)), ...(clearing?.clear ?? []), f.advance(src, 2)]),
            ...(clearing?.nextLane ?? []),
            lanes.set(f.shl(lanes, 1)),
            f.advance(at, 2),
          ]),
          f.advance(dst, EXTRA_BYTES),
        ]),
      ]),
      ...(clearing?.nextTile ?? []),
    ]),
  ];
}

/** Sets packed weights to 0, lane by lane. */
class Clearing {
  readonly setup: Stmt[];
  readonly clear: Stmt[];
  readonly nextLane: Stmt[];
  readonly nextTile: Stmt[];
  private readonly f: FunctionBuilder;
  private readonly tile: Local<'i32'>;
  /** Bytes of a step of the tile. */
  private readonly stride: Local<'i32'>;
  private readonly lane: Local<'i32'>;

  constructor(f: FunctionBuilder, { columns, nr, steps }: PackedTiles, weights: Local<'i32'>) {
    this.f = f;
    this.tile = weights;
    this.stride = f.local('i32');
    this.lane = f.local('i32');
    const left = f.local('i32');
    const width = this.stride.set(f.shl(f.choose(f.ltS(left, nr), left, f.i32(nr)), 2));
    this.setup = [left.set(f.i32(columns)), width];
    this.clear = [f.storeI16(this.lane, f.i32(0))];
    this.nextLane = [f.advance(this.lane, 2)];
    const moved = this.tile.set(f.add(this.tile, f.mul(this.stride, steps)));
    this.nextTile = [moved, left.set(f.sub(left, nr)), width];
  }

  /** Goes to a step of the tile. */
  enter(step: I32): Stmt[] {
    const f = this.f;
    return [this.lane.set(f.add(this.tile, f.mul(step, this.stride)))];
  }
}

/** Where a step of a tile begins among packed weights. */
function placeIn({ columns, nr, steps }: PackedTiles, tile: number, step: number): number {
  const first = tile * nr;
  return STEP_BYTES * (first * steps + step * Math.min(nr, columns - first));
}

function reference(p: ExtraStepsParams, memory: ArrayBuffer, args: readonly number[]): void {
  let [src, dst] = args as [number, number];
  const view = new DataView(memory);
  const word = (): number => {
    src += 2;
    return view.getInt16(src - 2, true);
  };
  const tiles = args[2] as number;
  let head = dst;
  dst += tiles * EXTRA_HEADER;
  for (let tile = 0; tile < tiles; tile++, head += EXTRA_HEADER) {
    const count = word();
    view.setInt32(head + EXTRA_HEAD.count, count, true);
    view.setInt32(head + EXTRA_HEAD.distance, dst - head, true);
    for (let i = 0; i < count; i++, dst += EXTRA_BYTES) {
      const [step, lanes] = [word(), word()];
      const segment = Math.floor(step / p.perSegment);
      view.setInt32(dst + EXTRA_PLACE.y, Math.floor(segment / p.xSegments), true);
      view.setInt32(dst + EXTRA_PLACE.x, segment % p.xSegments, true);
      view.setInt32(dst + EXTRA_PLACE.k, (step % p.perSegment) * STEP_BYTES, true);
      for (let lane = 0; lane < EXTRA_LANES; lane++) {
        const taken = (lanes & (0x8000 >> lane)) !== 0;
        view.setInt16(dst + EXTRA_PLACE.weights + 2 * lane, taken ? word() : 0, true);
        if (taken && p.clears) view.setInt16((args[3] as number) + placeIn(p.clears, tile, step) + 2 * lane, 0, true);
      }
    }
  }
}

/**
 * Makes the table of extra steps that a grouped product reads (gemm-groups.ts) from the form in which the file holds them.
 * Arguments: src, dst, column tiles, and where it clears the packed weights.
 */
export const extraSteps: KernelDef<ExtraStepsParams> = {
  name: () => 'i8-extra-steps-simd',
  signature: (p) => ({ params: ['i32', 'i32', 'i32', ...(p.clears ? ['i32' as const] : [])] }),
  emit,
  reference,
};
