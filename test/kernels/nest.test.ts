import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { collapse, emitNest, moveInner, type NestShape, outerNest, walk } from '../../src/codegen/kernels/nest.js';
import { compileFunction } from '../support/kernel-memory.js';

const offsetsOf = (shape: NestShape): number[][] => {
  const out: number[][] = [];
  walk(shape, (offsets) => out.push([...offsets]));
  return out;
};

const shapes = fc
  .array(fc.record({ size: fc.integer({ min: 1, max: 4 }), a: fc.nat(12), b: fc.nat(12) }), { maxLength: 4 })
  .map((list) => ({ dims: list.map((d) => d.size), strides: [list.map((d) => d.a), list.map((d) => d.b)] }));

test('collapse merges contiguous neighbours and drops ones', () => {
  assert.equal(collapse({ dims: [2, 3, 4], strides: [[12, 4, 1]] }), { dims: [24], strides: [[1]] });
  assert.equal(collapse({ dims: [2, 1, 4], strides: [[8, 99, 1]] }), { dims: [2, 4], strides: [[8, 1]] });
  assert.equal(
    collapse({
      dims: [2, 3],
      strides: [
        [0, 0],
        [3, 1],
      ],
    }),
    { dims: [6], strides: [[0], [1]] },
  );
  assert.equal(
    collapse({
      dims: [2, 3],
      strides: [
        [0, 1],
        [3, 1],
      ],
    }).dims,
    [2, 3],
  );
  assert.equal(collapse({ dims: [1, 1], strides: [[7, 7]] }), { dims: [], strides: [[]] });
});

test('collapse keeps the order of the iterations', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      assert.equal(offsetsOf(collapse(shape)), offsetsOf(shape));
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('moveInner makes a dimension the last, outerNest leaves it out', () => {
  const shape = { dims: [2, 3, 4], strides: [[12, 4, 1]] };
  assert.equal(moveInner(shape, 0), { dims: [3, 4, 2], strides: [[4, 1, 12]] });
  assert.equal(outerNest(shape), { dims: [6], strides: [[4]] });
});

test('emitted loops visit the same addresses', () => {
  fc.assert(
    fc.property(shapes, fc.nat(6), (shape, moved) => {
      const visits = offsetsOf(shape);
      const run = compileFunction(
        { params: ['i32', 'i32', 'i32'] },
        (f) => {
          const [a, b, log] = [f.param(0, 'i32'), f.param(1, 'i32'), f.param(2, 'i32')];
          const pointers = [
            { ptr: a, strides: shape.strides[0]! },
            { ptr: b, strides: shape.strides[1]!, moved },
          ];
          const body = [f.storeI32(log, a), f.storeI32(log, b, 4), f.advance(log, 8), f.advance(b, moved)];
          return [emitNest(f, shape.dims, pointers, body)];
        },
        1,
      );
      const out = run(new Uint8Array(65536), [0, 0, 1024]);
      const logged = new Int32Array(out.buffer, 1024, 2 * visits.length + 1);
      assert.equal([...logged], [...visits.flat(), 0]);
    }),
    { numRuns: 60, seed: 1 },
  );
});

test.run();
