import type { Attrs } from '../ir/graph.js';
import { type Activation, applyActivation } from '../quant/activation.js';
import type { OnnxImporter } from './import-context.js';
import { lowerActivation } from './lowering/unary.js';
import { defineOp, type Op } from './op.js';
import { realTypeOf, tensorAt } from './shapes.js';

/** What tells one activation op from another. */
interface ActivationOp<A extends Attrs> {
  readonly name: string;
  readonly doc: string;
  activation(attrs: A): Activation;
  readonly onnx?: Readonly<Record<string, OnnxImporter>>;
  readonly paddle?: Op['paddle'];
}

/** An elementwise op of one input that is an activation; between two grids it is a table of 256 entries. */
export function activationOp<A extends Attrs>(def: ActivationOp<A>): Op {
  const op: Op = defineOp<A>({
    name: def.name,
    doc: def.doc,
    inputs: [1, 1],
    quant: 'table',
    lower: lowerActivation(def.activation, () => op),
    infer: (_attrs, inputs) => [{ dtype: 'f32', shape: realTypeOf(inputs, 0).shape }],
    reference(attrs, inputs) {
      const x = tensorAt(inputs, 0);
      const activation = def.activation(attrs);
      const data = new Float32Array(x.data.length);
      for (let i = 0; i < data.length; i++) data[i] = applyActivation(activation, Number(x.data[i]));
      return [{ type: { dtype: 'f32', shape: x.type.shape }, data }];
    },
    ...(def.onnx ? { onnx: def.onnx } : {}),
    ...(def.paddle ? { paddle: def.paddle } : {}),
  });
  return op;
}
