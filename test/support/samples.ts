/** Sample sources made of arrays, for tests. */
import type { SampleSource } from '../../src/data/sample.js';
import { f32 } from '../../src/ir/tensor.js';

/** A source of samples for the only input of a network: one array of reals each. */
export const samplesOf = (shape: readonly number[], data: readonly ArrayLike<number>[]): SampleSource => ({
  length: data.length,
  description: `${data.length} arrays`,
  async *samples(from = 0, to = data.length) {
    for (let index = from; index < to; index++) {
      const tensor = f32(shape, Float32Array.from(data[index] as ArrayLike<number>));
      yield { index, name: `sample ${index}`, tensors: [{ name: null, tensor }] };
    }
  },
});
