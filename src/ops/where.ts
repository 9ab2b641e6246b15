import { allocate } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import { broadcastShape, broadcastStrides, stridedIndices } from './broadcast.js';
import { importOneHot, importTrilu } from './import-choices.js';
import { lowerWhere } from './lowering/elementwise.js';
import { defineOp } from './op.js';
import { plainDtype, tensorAt, typeOf } from './shapes.js';

const shapeOf = (shapes: readonly (readonly number[])[]): number[] => shapes.reduce<number[]>(broadcastShape, []);

export const where = defineOp({
  name: 'where',
  doc: 'x where the condition holds, else y, with numpy broadcasting; inputs condition, x, y',
  inputs: [3, 3],
  quant: 'float-only',
  lower: lowerWhere,
  infer(_attrs, inputs) {
    const [condition, x, y] = [typeOf(inputs, 0), typeOf(inputs, 1), typeOf(inputs, 2)];
    if (condition.dtype !== 'bool') throw new Error(`a condition of dtype ${condition.dtype}`);
    if (plainDtype(x) !== plainDtype(y)) throw new Error(`operands of dtype ${x.dtype} and ${y.dtype}`);
    return [{ dtype: plainDtype(x), shape: shapeOf([condition.shape, x.shape, y.shape]) }];
  },
  reference(_attrs, inputs) {
    const tensors = [0, 1, 2].map((i) => tensorAt(inputs, i));
    const shape = shapeOf(tensors.map((t) => t.type.shape));
    const picks = tensors.map((t) => stridedIndices(shape, broadcastStrides(t.type.shape, shape)));
    const { dtype } = tensorAt(inputs, 1).type;
    const data = allocate(dtype, sizeOf(shape));
    const at = (k: number, i: number) => tensorAt(inputs, k).data[picks[k]?.[i] as number];
    for (let i = 0; i < data.length; i++) data[i] = at(at(0, i) ? 1 : 2, i) as never;
    return [{ type: { dtype, shape }, data }];
  },
  paddle: {
    where: (context) => context.add('where', {}, [context.input('Condition'), context.input('X'), context.input('Y')]),
  },
  onnx: {
    Where: (context) => context.add('where', {}, [context.input(0), context.input(1), context.input(2)]),
    OneHot: importOneHot,
    Trilu: importTrilu,
  },
});
