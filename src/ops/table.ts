import type { Attrs } from '../ir/graph.js';
import type { OpDef } from '../ir/op.js';
import { type CodeDType, codesType, type Quant } from '../ir/type.js';
import { dequantizeCode, quantizeCode } from '../quant/rounding.js';

/**
 * The table of a unary op between two per-tensor 8-bit grids: entry i belongs to the code whose byte is i (for i8,
 * entry 255 is code -1), and is quantize(reference(dequantize(code))). Codes outside of [min, max] read as the bound.
 */
export function tableOf(op: OpDef, attrs: Attrs, input: Quant, output: Quant): Int8Array | Uint8Array {
  if (input.axis !== null || output.axis !== null || input.dtype === 'i32' || output.dtype === 'i32')
    throw new Error('a table needs per-tensor 8-bit grids');
  const codes = Array.from({ length: 256 }, (_, i) => {
    const code = input.dtype === 'i8' && i > 127 ? i - 256 : i;
    return Math.min(Math.max(code, input.min), input.max);
  });
  const reals = Float32Array.from(codes, (code) => dequantizeCode(code, input));
  const [result] = op.reference(attrs, [{ type: { dtype: 'f32', shape: [256] }, data: reals }]);
  const { dtype } = codesType({ dtype: 'f32', shape: [256], quant: output }) as { dtype: CodeDType };
  const table = dtype === 'i8' ? new Int8Array(256) : new Uint8Array(256);
  return table.map((_, i) => quantizeCode(Number(result?.data[i]), output));
}
