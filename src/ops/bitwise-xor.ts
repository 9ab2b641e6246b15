import { castTo, combine, scalarOf } from './compose.js';
import type { OnnxImporter } from './import-context.js';
import { importIntegers, integerOp } from './integer-op.js';

/** ONNX BitwiseNot: all bits exchanged. */
const importNot: OnnxImporter = (context) => {
  const x = context.input(0);
  const { dtype } = x.type;
  const wide = castTo(context, x, dtype === 'i64' ? 'i64' : 'i32');
  const flipped = combine(context, 'bitwise_xor', wide, scalarOf(context, wide.type.dtype, -1));
  return castTo(context, flipped, dtype);
};

export const bitwiseXor = integerOp({
  name: 'bitwise_xor',
  doc: 'the bits of x xor those of y, with numpy broadcasting',
  kernel: 'bit_xor',
  onnx: { BitwiseXor: importIntegers('bitwise_xor'), BitwiseNot: importNot },
});
