import { applyIntegerBinary, type IntegerBinary } from '../codegen/kernels/integers.js';
import { allocate } from '../ir/tensor.js';
import { type DType, sizeOf } from '../ir/type.js';
import { broadcastShape, broadcastStrides, stridedIndices } from './broadcast.js';
import { castTo } from './compose.js';
import type { OnnxImporter } from './import-context.js';
import { lowerIntegerOp } from './lowering/integers.js';
import { defineOp, type Op } from './op.js';
import { show, tensorAt, typeOf } from './shapes.js';

/** What tells one op of bits from another. */
interface IntegerOp {
  readonly name: string;
  readonly doc: string;
  readonly kernel: IntegerBinary;
  readonly onnx: Readonly<Record<string, OnnxImporter>>;
}

/** The importer of an ONNX type of two integers; bytes are widened, and cut again. */
export const importIntegers =
  (name: string): OnnxImporter =>
  (context) => {
    const { dtype } = context.input(0).type;
    const wide: DType = dtype === 'u8' || dtype === 'i8' ? 'i32' : dtype;
    const operands = [0, 1].map((i) => castTo(context, context.input(i), wide));
    return castTo(context, context.add(name, {}, operands), dtype);
  };

/** An op of the bits of two broadcasting int32 or int64 operands. */
export function integerOp({ name, doc, kernel, onnx }: IntegerOp): Op {
  return defineOp({
    name,
    doc,
    inputs: [2, 2],
    quant: 'float-only',
    lower: lowerIntegerOp(kernel),
    infer(_attrs, inputs) {
      const [a, b] = [typeOf(inputs, 0), typeOf(inputs, 1)];
      if (a.dtype !== b.dtype || (a.dtype !== 'i32' && a.dtype !== 'i64'))
        throw new Error(`bits of ${a.dtype}${show(a.shape)} and ${b.dtype}${show(b.shape)}`);
      return [{ dtype: a.dtype, shape: broadcastShape(a.shape, b.shape) }];
    },
    reference(_attrs, inputs) {
      const [a, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
      const shape = broadcastShape(a.type.shape, b.type.shape);
      const [ia, ib] = [a, b].map((t) => stridedIndices(shape, broadcastStrides(t.type.shape, shape)));
      const { dtype } = a.type;
      const data = allocate(dtype, sizeOf(shape));
      for (let i = 0; i < data.length; i++) {
        const [x, y] = [a.data[ia?.[i] as number], b.data[ib?.[i] as number]] as [number, number];
        const v = applyIntegerBinary(kernel, BigInt(x), BigInt(y));
        data[i] = (dtype === 'i64' ? v : Number(BigInt.asIntN(32, v))) as never;
      }
      return [{ type: { dtype, shape }, data }];
    },
    onnx,
  });
}
