/** Products of two activations on codes: the module of either target against the reference, and that against float64. */
import '../support/relaxed.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { f32 } from '../../src/ir/tensor.js';
import { sizeOf } from '../../src/ir/type.js';
import { identical, int8Ops, outcome, runTwice } from '../support/compiled.js';
import { type Grid, Network, random } from '../support/network.js';

const U8: Grid = { dtype: 'u8', scale: 0.0157, zeroPoint: 121 };
const S8: Grid = { dtype: 'i8', scale: 0.016, zeroPoint: 0 };
const OUT: Grid = { dtype: 'i8', scale: 0.11, zeroPoint: -7 };

function network(a: readonly number[], b: readonly number[], grids: readonly [Grid, Grid, Grid | null]): Uint8Array {
  const net = new Network(a.length * 7 + b.length);
  const [x, y] = [net.fake(net.input('x', a), grids[0]), net.fake(net.input('y', b), grids[1])];
  const product = net.op('MatMul', [x, y]);
  return net.bytes([grids[2] ? net.fake(product, grids[2]) : product]);
}

const SHAPES: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [1, 5],
    [5, 3],
  ],
  [
    [2, 3, 17, 9],
    [2, 3, 9, 21],
  ],
  [
    [4, 6, 8],
    [1, 8, 12],
  ],
  [
    [3, 1, 2, 7],
    [5, 7, 4],
  ],
  [
    [1, 1, 33],
    [1, 33, 40],
  ],
  [
    [6, 50, 16],
    [6, 16, 50],
  ],
];

test('products of two activations are int8 and exact, on every grid and over every batch', async () => {
  for (const [a, b] of SHAPES)
    for (const grids of [
      [U8, U8, OUT],
      [U8, S8, null],
    ] as const)
      for (const target of ['simd', 'relaxed'] as const) {
        const run = await outcome(network(a, b, grids), { target });
        assert.ok(int8Ops(run.report).some((type) => type === 'matmul' || type === 'mul'));
        assert.ok(identical(run), `[${a}] x [${b}] ${target}`);
      }
});

test('operands that are stored in one byte, and one that is transposed', async () => {
  const net = new Network(5);
  const first = net.op('MatMul', [net.fake(net.input('x', [2, 12, 8]), U8), net.weights([8, 8], { axis: 1 })]);
  const x = net.fake(net.op('Relu', [first]), { ...S8, scale: 0.05 });
  const keys = net.fake(net.op('MatMul', [x, net.weights([8, 16], { axis: 1, range: 0.2 })]), S8);
  const scores = net.fake(net.op('MatMul', [x, net.op('Transpose', [x], { perm: [0, 2, 1] })]), OUT);
  const run = await outcome(net.bytes([keys, scores]), { target: 'relaxed' });
  const kernels = run.report.ops.map((op) => op.kernel ?? '').join();
  assert.match(kernels, /i8-gemm.*relaxed/);
  assert.match(kernels, /i8-gemm.*simd/);
  assert.ok(identical(run));
});

test('the codes are those of exact arithmetic', async () => {
  const [a, b] = [
    [2, 9, 23],
    [2, 23, 10],
  ] as const;
  const { wasm } = await compile(network(a, b, [U8, S8, OUT]));
  const next = random(3);
  const draw = (shape: readonly number[]) =>
    f32(
      shape,
      Array.from({ length: sizeOf(shape) }, () => 2 * next()),
    );
  const feeds = { x: draw(a), y: draw(b) };
  const codes = (values: ArrayLike<number>, g: Grid, lo: number, hi: number): number[] =>
    Array.from(values, (v) => {
      const q = Math.fround(v / Math.fround(g.scale));
      const down = Math.floor(q);
      const near = q - down === 0.5 ? down + (down % 2 ? 1 : 0) : Math.round(q);
      return Math.min(Math.max(near + g.zeroPoint, lo), hi) - g.zeroPoint;
    });
  const [x, y] = [codes(feeds.x.data as Float32Array, U8, 0, 255), codes(feeds.y.data as Float32Array, S8, -128, 127)];
  const [result] = Object.values(runTwice(wasm, feeds)) as [Float32Array];
  const unit = (Math.fround(U8.scale) * Math.fround(S8.scale)) / Math.fround(OUT.scale);
  let checked = 0;
  for (let i = 0; i < 2; i++)
    for (let m = 0; m < 9; m++)
      for (let n = 0; n < 10; n++) {
        let sum = 0;
        for (let k = 0; k < 23; k++) sum += x[(i * 9 + m) * 23 + k]! * y[(i * 23 + k) * 10 + n]!;
        const exact = sum * unit;
        if (Math.abs(exact - Math.floor(exact) - 0.5) < 1e-4) continue;
        checked++;
        const code = Math.min(Math.max(Math.round(exact) + OUT.zeroPoint, -128), 127) - OUT.zeroPoint;
        assert.is(result[(i * 9 + m) * 10 + n], Math.fround(code * Math.fround(OUT.scale)));
      }
  assert.ok(checked > 150);
});

test.run();
