import type { I32, Local, Stmt } from '../builder/expr.js';
import type { FunctionBuilder } from '../builder/function.js';
import type { KernelDef } from '../kernel.js';
import { EXTRA_BYTES, EXTRA_HEAD, EXTRA_HEADER, EXTRA_LANES, EXTRA_PLACE } from './gemm-groups.js';

/** Where the steps of a sum lie: segments of `perSegment` steps, `xSegments` of them in a row. */
export interface ExtraStepsParams {
  readonly perSegment: number;
  readonly xSegments: number;
}

/** Bytes that a step reads. */
const STEP_BYTES = 4;

function emit(f: FunctionBuilder, p: ExtraStepsParams): Stmt[] {
  const [src, dst, tiles] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'i32')];
  const [head, count, step, lanes, at] = Array.from({ length: 5 }, () => f.local('i32')) as [
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
  ];
  const divided = (by: number): I32 => f.lowI32(f.i64Op('div_s', f.extendI32(step), f.i64(BigInt(by))));
  /** Stores the quotient and leaves the remainder. */
  const split = (by: number, place: number): Stmt[] => [
    f.storeI32(dst, divided(by), place),
    step.set(f.sub(step, f.mul(f.loadI32(dst, place), by))),
  ];
  const word = (into: Local<'i32'>): Stmt[] => [into.set(f.loadI16(src)), f.advance(src, 2)];
  return [
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
          ...split(p.perSegment * p.xSegments, EXTRA_PLACE.y),
          ...split(p.perSegment, EXTRA_PLACE.x),
          f.storeI32(dst, f.mul(step, STEP_BYTES), EXTRA_PLACE.k),
          f.fill(f.add(dst, EXTRA_PLACE.weights), 0, EXTRA_BYTES - EXTRA_PLACE.weights),
          lanes.set(f.shl(lanes, 16)),
          at.set(f.add(dst, EXTRA_PLACE.weights)),
          f.repeat(EXTRA_LANES, [
            f.when(f.ltS(lanes, 0), [f.storeI16(at, f.loadI16(src)), f.advance(src, 2)]),
            lanes.set(f.shl(lanes, 1)),
            f.advance(at, 2),
          ]),
          f.advance(dst, EXTRA_BYTES),
        ]),
      ]),
    ]),
  ];
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
      for (let lane = 0; lane < EXTRA_LANES; lane++)
        view.setInt16(dst + EXTRA_PLACE.weights + 2 * lane, lanes & (0x8000 >> lane) ? word() : 0, true);
    }
  }
}

/**
 * Makes the table of extra steps that a grouped product reads (gemm-groups.ts) from the form in which the file holds them.
 * Arguments: src, dst, column tiles.
 */
export const extraSteps: KernelDef<ExtraStepsParams> = {
  name: () => 'i8-extra-steps-simd',
  signature: () => ({ params: ['i32', 'i32', 'i32'] }),
  emit,
  reference,
};
