import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import { elementwiseOp, importChain, importPair, scaledAddition } from './elementwise.js';
import type { OnnxImporter } from './import-context.js';
import { quantizedOp } from './import-quantized.js';

const importSum = importChain('elementwise_add');

const importAdd = importPair('elementwise_add', 'Add');

/** ONNX Mean: the sum of the operands over their number. */
const importMean: OnnxImporter = (context) => {
  const sum = importSum(context) as Value;
  const count = context.literal('count', f32([], [context.inputCount]));
  return context.inputCount === 1 ? sum : context.add('elementwise_div', { activation: null }, [sum, count]);
};

export const elementwiseAdd = elementwiseOp({
  name: 'elementwise_add',
  doc: 'x + y with numpy broadcasting, then the activation',
  onnx: 'Add',
  importers: {
    Add: importAdd,
    Sum: importSum,
    Mean: importMean,
    'com.microsoft:QLinearAdd': quantizedOp(2, importAdd),
  },
  kernel: 'add',
  real: (a, b) => a + b,
  scaled: scaledAddition,
});
