import type { Epilogue, Storage } from '../../src/codegen/kernel.js';

/** What most layers end with: a bias; codes are also requantized, proven to stay in range. */
export const plainEpilogue = (storage: Storage): Epilogue =>
  storage === 'f32'
    ? { sum: 'f32', bias: 'f32', residual: null, activation: null, output: { storage } }
    : {
        sum: 'i32',
        bias: 'i32',
        residual: null,
        activation: null,
        output: { storage, rounding: 'even', proven: true },
      };
