import type { FurtherBinary } from '../codegen/kernels/binary-functions.js';
import { sizeOf } from '../ir/type.js';
import { broadcastShape, broadcastStrides, stridedIndices } from './broadcast.js';
import { secondOperand } from './elementwise.js';
import type { OnnxImporter } from './import-context.js';
import { elementwise } from './import-paddle.js';
import { lowerBinary } from './lowering/elementwise.js';
import { defineOp, type Op } from './op.js';
import { plainDtype, tensorAt, typeOf } from './shapes.js';

/** What tells one comparison or logical op from another. */
interface ComparisonOp {
  readonly name: string;
  readonly doc: string;
  readonly kernel: FurtherBinary;
  /** Operands are booleans, or of any one dtype. */
  readonly logical: boolean;
  holds(a: number | bigint, b: number | bigint): boolean;
  readonly onnx: Readonly<Record<string, OnnxImporter>>;
  /** Further Paddle types, besides the one of the op's name. */
  readonly paddle?: Op['paddle'];
}

/** The importer of a comparison; `swapped` exchanges the operands. */
export const importComparison =
  (name: string, swapped = false): OnnxImporter =>
  (context) => {
    const operands = [context.input(0), secondOperand(context)];
    return context.add(name, {}, swapped ? operands.reverse() : operands);
  };

/** A truth value of two broadcasting operands. */
export function comparisonOp(def: ComparisonOp): Op {
  return defineOp({
    name: def.name,
    doc: def.doc,
    inputs: [2, 2],
    quant: 'float-only',
    lower: (context) => lowerBinary(def.kernel)(context, {}),
    infer(_attrs, inputs) {
      const [a, b] = [typeOf(inputs, 0), typeOf(inputs, 1)];
      const [da, db] = [plainDtype(a), plainDtype(b)];
      if (da !== db) throw new Error(`operands of dtype ${da} and ${db}`);
      if (def.logical && da !== 'bool') throw new Error(`an operand of dtype ${da}, bool expected`);
      return [{ dtype: 'bool', shape: broadcastShape(a.shape, b.shape) }];
    },
    reference(_attrs, inputs) {
      const [a, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
      const shape = broadcastShape(a.type.shape, b.type.shape);
      const [ia, ib] = [a, b].map((t) => stridedIndices(shape, broadcastStrides(t.type.shape, shape)));
      const at = (t: typeof a, list: Int32Array | undefined, i: number) => t.data[list?.[i] as number] as number;
      const data = Uint8Array.from({ length: sizeOf(shape) }, (_, i) =>
        def.holds(at(a, ia, i), at(b, ib, i)) ? 1 : 0,
      );
      return [{ type: { dtype: 'bool', shape }, data }];
    },
    onnx: def.onnx,
    paddle: { [def.name]: elementwise(def.name), ...def.paddle },
  });
}
