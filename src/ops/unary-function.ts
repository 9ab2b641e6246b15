import { applyUnary, type UnaryFunction } from '../codegen/kernels/map.js';
import { allocate } from '../ir/tensor.js';
import type { OnnxImporter } from './import-context.js';
import { lowerUnary } from './lowering/unary.js';
import { defineOp, type Op } from './op.js';
import { plainDtype, realTypeOf, tensorAt, typeOf } from './shapes.js';

/** What tells one op of a unary function from another. */
interface UnaryOp {
  readonly name: string;
  readonly doc: string;
  readonly fn: UnaryFunction;
  readonly onnx: Readonly<Record<string, OnnxImporter>>;
  readonly paddle?: Op['paddle'];
  /** The op on integers, where it has such a form; the result has the operand's dtype. */
  readonly whole?: (x: bigint) => bigint;
}

/** The importer of an ONNX type without attributes. */
export const importUnary =
  (name: string): OnnxImporter =>
  (context) =>
    context.add(name, {}, [context.input(0)]);

/** An elementwise op of one input, computed in float32; between two grids it is a table of 256 entries. */
export function unaryOp({ name, doc, fn, onnx, paddle, whole }: UnaryOp): Op {
  const op: Op = defineOp({
    name,
    doc,
    inputs: [1, 1],
    quant: 'table',
    lower: lowerUnary(fn, () => op),
    infer(_attrs, inputs) {
      const type = whole ? typeOf(inputs, 0) : realTypeOf(inputs, 0);
      if (type.dtype === 'bool') throw new Error('arithmetic on booleans');
      return [{ dtype: plainDtype(type), shape: type.shape }];
    },
    reference(_attrs, inputs) {
      const { type, data: x } = tensorAt(inputs, 0);
      const data = allocate(type.dtype, x.length);
      for (let i = 0; i < data.length; i++) {
        if (type.dtype === 'f32' || !whole) data[i] = applyUnary(fn, Number(x[i])) as never;
        else {
          const v = whole(BigInt(x[i] as number));
          data[i] = (type.dtype === 'i64' ? v : Number(v)) as never;
        }
      }
      return [{ type: { dtype: type.dtype, shape: type.shape }, data }];
    },
    onnx,
    ...(paddle ? { paddle } : {}),
  });
  return op;
}
