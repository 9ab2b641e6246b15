import type { Halo, LowerContext } from '../codegen/lowering.js';
import type { Attrs } from '../ir/graph.js';
import type { OpDef } from '../ir/op.js';
import type { TensorType } from '../ir/type.js';
import type { OnnxImporter, PaddleImporter } from './import-context.js';

/** An op with everything the compiler knows of it: meaning, importers and lowering, in one file. */
export interface Op<A extends Attrs = Attrs> extends OpDef<A> {
  /** How the op is read from ONNX, by ONNX op type. */
  readonly onnx?: Readonly<Record<string, OnnxImporter>>;
  /** How the op is read from Paddle, by Paddle op type. */
  readonly paddle?: Readonly<Record<string, PaddleImporter>>;
  /** The zero border that the op reads around an operand of rank 4; types of absent operands are null. */
  halo?(attrs: A, inputs: readonly (TensorType | null)[], slot: number): Halo;
  /** Multiply-accumulate operations of the plain definition; absent for ops that are no sums of products. */
  macs?(attrs: A, inputs: readonly (TensorType | null)[], output: TensorType): number;
  /** Emits the kernel calls of one node into the plan. */
  lower?(context: LowerContext, attrs: A): void;
}

/** Declares an op; the one place where the attribute type is forgotten. */
export function defineOp<A extends Attrs>(def: Op<A>): Op {
  return def as unknown as Op;
}
