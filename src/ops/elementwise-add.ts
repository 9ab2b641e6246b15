import type { Value } from '../ir/graph.js';
import { f32 } from '../ir/tensor.js';
import { elementwiseOp, importChain, importPair, scaledAddition } from './elementwise.js';
import type { OnnxImporter, PaddleImporter } from './import-context.js';
import { binary, scalarLike } from './import-paddle.js';
import { quantizedOp } from './import-quantized.js';

const importSum = importChain('elementwise_add');

const importAdd = importPair('elementwise_add');

/** ONNX Mean: the sum of the operands over their number. */
const importMean: OnnxImporter = (context) => {
  const sum = importSum(context) as Value;
  const count = context.literal('count', f32([], [context.inputCount]));
  return context.inputCount === 1 ? sum : context.add('elementwise_div', { activation: null }, [sum, count]);
};

/** Paddle sum: of any number of tensors. */
const importPaddleSum: PaddleImporter = (context) => {
  const [first, ...others] = context.list('X');
  if (!first) throw new Error('a sum of nothing');
  return others.reduce((sum, x) => binary(context, 'elementwise_add', sum, x), first);
};

/** Paddle scale: x * scale + bias, or (x + bias) * scale; integers stay integers. */
const importScale: PaddleImporter = (context) => {
  const { attrs } = context;
  const x = context.input('X');
  const [scale, bias] = [context.numbers('ScaleTensor')?.[0] ?? attrs.float('scale', 1), attrs.float('bias', 0)];
  const times = (v: Value): Value =>
    scale === 1 ? v : binary(context, 'elementwise_mul', v, scalarLike(context, v, scale));
  const plus = (v: Value): Value =>
    bias === 0 ? v : binary(context, 'elementwise_add', v, scalarLike(context, v, bias));
  return attrs.bool('bias_after_scale', true) ? plus(times(x)) : times(plus(x));
};

export const elementwiseAdd = elementwiseOp({
  name: 'elementwise_add',
  doc: 'x + y with numpy broadcasting, then the activation',
  paddle: { sum: importPaddleSum, scale: importScale },
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
