import { applyFurtherBinary } from '../codegen/kernels/binary-functions.js';
import type { Value } from '../ir/graph.js';
import type { DType } from '../ir/type.js';
import { elementwiseOp, secondOperand } from './elementwise.js';
import type { ImportContext, OnnxImporter, PaddleImporter } from './import-context.js';
import { binary, scalarLike } from './import-paddle.js';

/** A power by a constant as products and roots, or null where there is no such form. */
function simplePower(context: ImportContext, x: Value, exponent: number): Value | null {
  const times = (a: Value, b: Value): Value => context.add('elementwise_mul', { activation: null }, [a, b]);
  const square = (): Value => context.add('square', {}, [x]);
  if (exponent === 1) return context.add('assign', {}, [x]);
  if (exponent === 2) return square();
  if (exponent === 3) return times(square(), x);
  if (exponent === 0.5) return context.add('sqrt', {}, [x]);
  return exponent === -1 ? context.add('reciprocal', {}, [x]) : null;
}

/** ONNX Pow: the result has the dtype of the base; integers with an exponent of their own dtype stay whole. */
const importPow: OnnxImporter = (context) => {
  const [x, y] = [context.input(0), secondOperand(context)];
  const { dtype, shape } = x.type;
  const cast = (v: Value, to: DType): Value => (v.type.dtype === to ? v : context.add('cast', { to }, [v]));
  const fits = shape.length >= y.type.shape.length;
  const constant = y.data?.data.length === 1 && y.type.quant === undefined ? Number(y.data.data[0]) : Number.NaN;
  const simple = dtype === 'f32' && fits ? simplePower(context, x, constant) : null;
  if (simple) return simple;
  const common = dtype === 'f32' || y.type.dtype === 'f32' ? 'f32' : dtype;
  return cast(context.add('elementwise_pow', { activation: null }, [cast(x, common), cast(y, common)]), dtype);
};

/** Paddle pow: every element to one constant power. */
const importPaddlePow: PaddleImporter = (context) => {
  const x = context.input('X');
  const factor = context.numbers('FactorTensor')?.[0] ?? context.attrs.float('factor', 1);
  if (factor === 1) return x;
  if (factor === 2) return context.add('square', {}, [x]);
  if (factor === 0.5) return context.add('sqrt', {}, [x]);
  return binary(context, 'elementwise_pow', x, scalarLike(context, x, factor));
};

export const elementwisePow = elementwiseOp({
  name: 'elementwise_pow',
  doc: 'x to the power of y with numpy broadcasting; powers of integers are whole',
  paddle: { pow: importPaddlePow },
  onnx: 'Pow',
  importers: { Pow: importPow },
  kernel: 'pow',
  real: (a, b) => applyFurtherBinary('pow', a, b),
});
