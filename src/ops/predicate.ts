import type { FurtherUnary } from '../codegen/kernels/unary-functions.js';
import { applyFurtherUnary } from '../codegen/kernels/unary-functions.js';
import type { OnnxImporter } from './import-context.js';
import { applyMap } from './lowering/movement.js';
import { defineOp, type Op } from './op.js';
import { plainDtype, tensorAt, typeOf } from './shapes.js';

/** What tells one predicate from another. */
interface PredicateOp {
  readonly name: string;
  readonly doc: string;
  readonly fn: FurtherUnary;
  /** The dtype of the operand. */
  readonly of: 'f32' | 'bool';
  readonly onnx: Readonly<Record<string, OnnxImporter>>;
  readonly paddle?: Op['paddle'];
}

/** A truth value of one operand. */
export function predicateOp({ name, doc, fn, of, onnx, paddle }: PredicateOp): Op {
  return defineOp({
    name,
    doc,
    inputs: [1, 1],
    quant: 'float-only',
    lower: (context) => applyMap(context, { kind: 'unary', fn }, context.input(0), context.output()),
    infer(_attrs, inputs) {
      const type = typeOf(inputs, 0);
      if (plainDtype(type) !== of) throw new Error(`an operand of dtype ${type.dtype}, ${of} expected`);
      return [{ dtype: 'bool', shape: type.shape }];
    },
    reference(_attrs, inputs) {
      const { type, data } = tensorAt(inputs, 0);
      const values = Uint8Array.from({ length: data.length }, (_, i) => applyFurtherUnary(fn, Number(data[i])));
      return [{ type: { dtype: 'bool', shape: type.shape }, data: values }];
    },
    onnx,
    ...(paddle ? { paddle } : {}),
  });
}
