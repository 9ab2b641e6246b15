import type { Value } from '../ir/graph.js';
import { type Tensor, tensor } from '../ir/tensor.js';
import type { PaddleContext, PaddleImporter } from './import-context.js';
import { binary, reshape } from './import-paddle.js';
import { show } from './shapes.js';

// The ops of an accuracy layer, which models carry that are evaluated with labels as a second input.

/** The labels [N] or [N, 1] as [N, 1]. */
function labelsOf(context: PaddleContext, slot: string): Value {
  const label = context.input(slot);
  const [n = 1, ...rest] = label.type.shape;
  if (rest.some((d) => d !== 1)) context.unsupported(`labels of shape ${show(label.type.shape)}`);
  return reshape(context, label, [n, 1]);
}

/** One where an index equals the label of its row: indices [N, k], labels [N, 1] -> f32 [N, k]. */
function hits(context: PaddleContext, indices: Value, labels: Value): Value {
  const same = context.add('equal', {}, [indices, context.cast(labels, indices.type.dtype)]);
  return context.add('cast', { to: 'f32' }, [same]);
}

const intOne = (value: number): Tensor => tensor({ dtype: 'i32', shape: [1] }, Int32Array.of(value));

/** Paddle accuracy: the share of the rows whose k best indices hold the label, how many there are, and of how many. */
export const importAccuracy: PaddleImporter = (context) => {
  const indices = context.input('Indices');
  const [n = 1] = indices.type.shape;
  const found = context.add('reduce_max', { axes: [1], keepDims: false }, [
    hits(context, indices, labelsOf(context, 'Label')),
  ]);
  const overRows = { axes: [0], keepDims: true };
  const correct = context.add('reduce_sum', overRows, [found]);
  return {
    Accuracy: context.add('reduce_mean', overRows, [found]),
    Correct: context.add('cast', { to: 'i32' }, [correct]),
    Total: context.literal('total', intOne(n)),
  };
};

/** -ln of the probability of each row's label: [N, C], labels [N, 1] -> [N, 1]. */
function negativeLog(context: PaddleContext, probabilities: Value, labels: Value): Value {
  const [n = 1, classes = 1] = probabilities.type.shape;
  if (probabilities.type.shape.length !== 2)
    context.unsupported(`probabilities of shape ${show(probabilities.type.shape)}`);
  const numbers = tensor(
    { dtype: 'i64', shape: [1, classes] },
    BigInt64Array.from({ length: classes }, (_, i) => BigInt(i)),
  );
  const chosen = hits(context, context.literal('classes', numbers), context.cast(labels, 'i64'));
  const own = binary(context, 'elementwise_mul', probabilities, chosen);
  const sum = context.add('reduce_sum', { axes: [1], keepDims: true }, [own]);
  return reshape(context, context.add('negative', {}, [context.add('log', {}, [sum])]), [n, 1]);
}

function checkLabels({ attrs, unsupported, type }: PaddleContext): void {
  if (attrs.bool('soft_label', false)) unsupported(`${type} with soft labels`);
}

/** Paddle cross_entropy (and its second version) of probabilities. */
export const importCrossEntropy: PaddleImporter = (context) => {
  checkLabels(context);
  return { Y: negativeLog(context, context.input('X'), labelsOf(context, 'Label')) };
};

/** Paddle softmax_with_cross_entropy. */
export const importSoftmaxCrossEntropy: PaddleImporter = (context) => {
  checkLabels(context);
  const logits = context.input('Logits');
  const softmax = context.add('softmax', { axis: logits.type.shape.length - 1 }, [logits]);
  return { Softmax: softmax, Loss: negativeLog(context, softmax, labelsOf(context, 'Label')) };
};
