import { modelError } from '../../support/errors.js';
import type { OutputTensor } from './column.js';

/** The indices of the k greatest elements, the greatest first; of equal ones the lower index. */
export function topIndices(values: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    let at = best.length;
    while (at > 0 && v > (values[best[at - 1] as number] as number)) at--;
    if (at >= k) continue;
    best.splice(at, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}

/** Probabilities are not negative and sum up to 1, up to the rounding of quantized ones. */
export function areProbabilities(values: ArrayLike<number>): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (!(v >= 0)) return false;
    sum += v;
  }
  return values.length > 1 && Math.abs(sum - 1) < 0.1;
}

/** What a sample's output says as a class. */
export interface Classification {
  /** The best classes, in the numbers of the labels (index of the output + offset), the best first. */
  readonly top: readonly number[];
  /** -ln of the probability of the label; undefined where the output is no probabilities or there is no label. */
  readonly loss?: number;
}

/** Where probabilities are cut off, as Keras does, so that a loss is finite however sure the network is. */
const LEAST = 1e-7;

/** Reads an output as a classification. Throws a model error where the label is no class of the network. */
export function classify(
  output: OutputTensor,
  { k, offset, label, name }: { k: number; offset: number; label: number | undefined; name: string },
): Classification {
  const { data, type } = output;
  if (!(data instanceof Float32Array)) return { top: [Number(data[0]) + offset] };
  const classes = data.length;
  if (label !== undefined && (label - offset < 0 || label - offset >= classes))
    throw modelError(
      `label ${label} is no class of the network: output "${output.name}" [${type.shape}] has the classes ${offset} to ${classes - 1 + offset}`,
      {
        file: name,
        remedy: '--label-offset is what has to be added to the index of an output to get the label.',
      },
    );
  const top = topIndices(data, Math.min(k, classes)).map((i) => i + offset);
  if (label === undefined || !areProbabilities(data)) return { top };
  return { top, loss: -Math.log(Math.max(data[label - offset] as number, LEAST)) };
}
