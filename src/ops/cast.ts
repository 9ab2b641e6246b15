import { nearestFloat, truncateFloat } from '../codegen/kernels/integers.js';
import { allocate } from '../ir/tensor.js';
import { type DType, isCodes } from '../ir/type.js';
import type { OnnxImporter } from './import-context.js';
import { importCast as importPaddleCast } from './import-paddle-shape.js';
import { lowerCast } from './lowering/integers.js';
import { defineOp } from './op.js';
import { tensorAt, typeOf } from './shapes.js';

type CastAttrs = { readonly to: DType };

/** ONNX data types as dtypes of the IR; the other float types become f32. */
const DATA_TYPES: Readonly<Record<number, DType>> = {
  1: 'f32',
  2: 'u8',
  3: 'i8',
  6: 'i32',
  7: 'i64',
  9: 'bool',
  10: 'f32',
  11: 'f32',
  16: 'f32',
};

const importCast: OnnxImporter = (context) => {
  const named = context.attrs.int('to');
  const to = DATA_TYPES[named];
  if (to === undefined) return context.unsupported(`Cast to data type ${named}`);
  const x = context.input(0);
  if (isCodes(x.type)) context.unsupported('Cast of quantized codes', 'Use DequantizeLinear.');
  return x.type.dtype === to ? x : context.add('cast', { to }, [x]);
};

/** ONNX CastLike: to the dtype of the second operand. */
const importCastLike: OnnxImporter = (context) => {
  const [x, like] = [context.input(0), context.input(1)];
  if (isCodes(x.type) || isCodes(like.type))
    context.unsupported('CastLike of quantized codes', 'Use DequantizeLinear.');
  return x.type.dtype === like.type.dtype ? x : context.add('cast', { to: like.type.dtype }, [x]);
};

/** One element as another dtype: floats are cut towards zero and saturate, integers wrap; bool is "not zero". */
function convert(v: number | bigint, to: DType): number | bigint {
  if (to === 'f32') return typeof v === 'bigint' ? nearestFloat(v) : v;
  if (to === 'bool') return Number(v) === 0 ? 0 : 1;
  const whole = typeof v === 'bigint' ? v : truncateFloat(v, to === 'i64' ? 64 : 32);
  return to === 'i64' ? whole : Number(BigInt.asIntN(32, whole));
}

export const cast = defineOp<CastAttrs>({
  name: 'cast',
  doc: 'the same numbers in another dtype',
  inputs: [1, 1],
  quant: 'float-only',
  lower: lowerCast,
  infer: (attrs, inputs) => [{ dtype: attrs.to, shape: typeOf(inputs, 0).shape }],
  reference(attrs, inputs) {
    const x = tensorAt(inputs, 0);
    const data = allocate(attrs.to, x.data.length);
    for (let i = 0; i < data.length; i++) data[i] = convert(x.data[i] as number | bigint, attrs.to) as never;
    return [{ type: { dtype: attrs.to, shape: x.type.shape }, data }];
  },
  paddle: { cast: importPaddleCast },
  onnx: { Cast: importCast, CastLike: importCastLike },
});
