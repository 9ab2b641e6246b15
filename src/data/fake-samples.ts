import { allocate, type Tensor } from '../ir/tensor.js';
import { sizeOf } from '../ir/type.js';
import type { Sample, SampleInput, SampleSource } from './sample.js';

/** Elements of an input in a fixed pseudo-random order: floats in [-1, 1), integers of one byte, booleans. */
function fakeTensor({ dtype, shape }: SampleInput, seed: number): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  let state = seed >>> 0;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const byte = state >>> 24;
    if (data instanceof Float32Array) data[i] = state / 2 ** 31 - 1;
    else if (data instanceof BigInt64Array) data[i] = BigInt(byte & 1);
    else data[i] = dtype === 'u8' ? byte : dtype === 'i8' ? byte - 128 : byte & 1;
  }
  return { type: { dtype, shape }, data };
}

/** Samples of random numbers, the same ones for the same seed: for times and smoke tests, where no data is at hand. */
export function fakeSamples(inputs: readonly SampleInput[], count: number, seed = 0): SampleSource {
  const sampleAt = (index: number): Sample => ({
    index,
    name: `fake[${index}]`,
    tensors: inputs.map((input, i) => ({
      name: input.name,
      tensor: fakeTensor(input, Math.imul(seed + 1, 0x9e3779b1) ^ (index * 31 + i)),
    })),
  });
  return {
    length: count,
    description: `${count} fake samples, seed ${seed}`,
    async *samples(from = 0, to = count) {
      for (let i = from; i < to; i++) yield sampleAt(i);
    },
  };
}
