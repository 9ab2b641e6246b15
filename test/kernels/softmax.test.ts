import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { softmaxKernel } from '../../src/codegen/kernels/softmax.js';
import { checkKernel, randomFloats, TestMemory } from '../support/kernel-memory.js';

test('rows of all lengths, apart and in place', () => {
  for (const n of [1, 2, 3, 4, 5, 8, 11, 197, 1000])
    for (const inPlace of [false, true]) {
      const memory = new TestMemory(2, n);
      const source = memory.f32(randomFloats(3 * n, n, 30));
      const target = inPlace ? source : memory.space(3 * n, 4);
      const out = checkKernel(softmaxKernel, { rows: 3, n }, memory, [source, target]);
      for (let r = 0; r < 3; r++) {
        const sum = new Float32Array(out.buffer, target + 4 * n * r, n).reduce((s, v) => s + v, 0);
        assert.ok(Math.abs(sum - 1) < 1e-5, `n = ${n}: sum ${sum}`);
      }
    }
});

test('the kernel is close to softmax in float64', () => {
  const memory = new TestMemory(1, 1);
  const x = randomFloats(50, 4, 10);
  const args = [memory.f32(x), memory.space(50, 4)];
  const out = new Float32Array(checkKernel(softmaxKernel, { rows: 1, n: 50 }, memory, args).buffer, args[1], 50);
  const e = Array.from(x, (v) => Math.exp(v));
  const sum = e.reduce((s, v) => s + v);
  out.forEach((v, i) => {
    assert.ok(Math.abs(v - e[i]! / sum) < 1e-6 * (e[i]! / sum) + 1e-12);
  });
});

test('huge inputs and masked elements', () => {
  const memory = new TestMemory(1, 1);
  const args = [memory.f32([3e38, -3e38, 1, -Infinity, 0, -1e30, -0]), memory.space(7, 4)];
  const out = checkKernel(softmaxKernel, { rows: 1, n: 7 }, memory, args);
  assert.equal([...new Float32Array(out.buffer, args[1], 7)], [1, 0, 0, 0, 0, 0, 0]);
});

test.run();
