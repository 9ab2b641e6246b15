import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ReduceParams, reduceKernel, reducesLanes } from '../../src/codegen/kernels/reduce.js';
import { checkKernel, randomFloats, TestMemory } from '../support/kernel-memory.js';

/** Reduces the axes of a bit mask of a row-major tensor; with `flip` the target is column-major. */
function paramsOf(op: ReduceParams['op'], shape: readonly number[], axes: number, flip = false): ReduceParams {
  const source = shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1));
  const list = shape.map((size, i) => ({ size, source: source[i]!, kept: !(axes & (1 << i)) }));
  const kept = list.filter((d) => d.kept);
  const sizes = kept.map((d) => d.size);
  const target = (i: number) => (flip ? sizes.slice(0, i) : sizes.slice(i + 1)).reduce((n, d) => n * d, 1);
  return {
    op,
    kept: kept.map((d, i) => ({ size: d.size, source: d.source, target: target(i) })),
    reduced: list.filter((d) => !d.kept).map(({ size, source: stride }) => ({ size, source: stride })),
  };
}

function check(p: ReduceParams, seed: number): Float32Array {
  const memory = new TestMemory(4, seed);
  const outputs = p.kept.reduce((n, d) => n * d.size, 1);
  const n = p.reduced.reduce((m, d) => m * d.size, outputs);
  const args = [memory.f32(randomFloats(n, seed, 20)), memory.space(outputs, 4)];
  return new Float32Array(checkKernel(reduceKernel, p, memory, args).buffer, args[1], outputs);
}

for (const op of ['sum', 'mean', 'max', 'min', 'prod'] as const) {
  test(`${op}: random shapes and axes`, () => {
    const cases = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 11 }), { minLength: 1, maxLength: 4 }),
      axes: fc.nat(15),
      flip: fc.boolean(),
      seed: fc.nat(500),
    });
    fc.assert(
      fc.property(cases, (c) => {
        check(paramsOf(op, c.shape, c.axes, c.flip), c.seed);
      }),
      { numRuns: 120, seed: 2 },
    );
  });
}

test('the last axis in lanes, others per output', () => {
  assert.ok(reducesLanes(paramsOf('mean', [5, 77], 2)));
  assert.not(reducesLanes(paramsOf('mean', [5, 77], 1)));
  check(paramsOf('mean', [5, 77], 2), 1);
  check(paramsOf('mean', [7, 7, 130], 3), 1);
  assert.is(check(paramsOf('sum', [1000], 1), 2).length, 1);
});

test.run();
