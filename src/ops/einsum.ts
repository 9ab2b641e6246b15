import { allocate, rowMajorStrides, type Tensor } from '../ir/tensor.js';
import { sizeOf, type TensorType } from '../ir/type.js';
import { contractIntegers, contractReals, type EinsumAttrs, einsumNests, extentsOf } from './contraction.js';
import type { OnnxImporter } from './import-context.js';
import { importEinsum } from './import-einsum.js';
import { lowerEinsum } from './lowering/contraction.js';
import { defineOp } from './op.js';
import { plainDtype, tensorAt, typeOf } from './shapes.js';

function resultType(attrs: EinsumAttrs, types: readonly TensorType[]): TensorType {
  const [first] = types as [TensorType];
  const dtype = plainDtype(first);
  if (types.some((t) => plainDtype(t) !== dtype)) throw new Error('operands of different dtypes');
  if (dtype !== 'f32' && dtype !== 'i32' && dtype !== 'i64') throw new Error(`products of ${dtype}`);
  const extents = extentsOf(
    attrs,
    types.map((t) => t.shape),
  );
  return { dtype, shape: attrs.result.map((name) => extents.get(name) as number) };
}

function reference(attrs: EinsumAttrs, inputs: readonly (Tensor | null)[]): Tensor[] {
  const operands = inputs.map((_, i) => tensorAt(inputs, i));
  const type = resultType(
    attrs,
    operands.map((t) => t.type),
  );
  const shapes = operands.map((t) => t.type.shape);
  const nests = einsumNests(attrs, shapes, [
    ...shapes.map(rowMajorStrides),
    ...(operands[1] ? [] : [[]]),
    rowMajorStrides(type.shape),
  ]);
  const n = sizeOf(type.shape);
  const [a, b] = [operands[0]?.data as Float32Array, operands[1]?.data ?? Float32Array.of(1)];
  const data = allocate(type.dtype, n);
  if (type.dtype === 'f32') data.set(contractReals(nests, [a, 0], [b as Float32Array, 0], null, n) as never);
  else
    contractIntegers(nests, a, b, n).forEach((v, i) => {
      data[i] = (type.dtype === 'i64' ? v : Number(BigInt.asIntN(32, v))) as never;
    });
  return [{ type, data }];
}

export const einsum = defineOp<EinsumAttrs>({
  name: 'einsum',
  doc: 'sums of products of one or two operands over the indices that the result does not have',
  inputs: [1, 2],
  quant: 'float-only',
  lower: lowerEinsum,
  infer: (attrs, inputs) => [
    resultType(
      attrs,
      inputs.map((_, i) => typeOf(inputs, i)),
    ),
  ],
  reference: (attrs, inputs) => reference(attrs, inputs),
  macs: (attrs, inputs) =>
    [
      ...extentsOf(
        attrs,
        inputs.map((t) => t?.shape ?? []),
      ).values(),
    ].reduce((n, extent) => n * extent, 1),
  onnx: { Einsum: importEinsum satisfies OnnxImporter },
});
