/** Calibrated grids on values, weights and biases. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Patch } from '../../src/ir/patch.js';
import { f32 } from '../../src/ir/tensor.js';
import { perAxis, perTensor } from '../../src/ir/type.js';
import { verify } from '../../src/ir/verify.js';
import { OPS } from '../../src/ops/index.js';
import { assignScales } from '../../src/passes/assign-scales.js';
import type { PassContext } from '../../src/passes/pass.js';
import type { Calibration } from '../../src/quant/calibration.js';
import { graphOf, passContext, textOf } from '../support/passes.js';

const GRIDS: Calibration = {
  values: new Map([['x', perTensor('u8', 0.5, 3)]]),
  equalized: false,
  perChannel: true,
  products: new Map(),
};

const PRODUCT = `graph "g"
input %0 "x": f32[1,1,2,2]
const %1 "w": f32[2,1,1,1] = [127, -63.5]
const %2 "b": f32[2] = [10, -20]
%3 "y": f32[1,2,2,2] = conv2d(%0, %1, %2) {$plain,"activation":null} id=0
output %3 "y"
`;

function assigned(calibration: Calibration | null, text = PRODUCT, options: Partial<PassContext> = {}): string {
  const graph = graphOf(text);
  assignScales.run(graph, new Patch(graph, 'assign-scales'), passContext({ calibration, ...options }));
  verify(graph, OPS);
  return textOf(graph);
}

const lines = (text: string, ...names: string[]): string[] =>
  text.split('\n').filter((line) => names.some((name) => line.includes(`"${name}"`) && !line.startsWith('output')));

test('values, weights per channel, and biases in units of the sums', () => {
  assert.equal(lines(assigned(GRIDS), 'x', 'w/codes', 'b/bias'), [
    'input %0 "x": f32[1,1,2,2] @u8(0.5, zp=3)',
    'const %4 "w/codes": i8[2,1,1,1] @i8(axis=0, [1, 0.5]) = [127, -127]',
    'const %5 "b/bias": i32[2] @i32(axis=0, [0.5, 0.25]) = [20, -80]',
  ]);
});

test('one scale per tensor where it is asked for', () => {
  assert.match(assigned({ ...GRIDS, perChannel: false }), /"w\/codes": i8\[2,1,1,1\] @i8\(1\) = \[127, -6[34]\]/);
});

test('nothing without a calibration, without a grid on the operand, and for what stays in float', () => {
  for (const text of [
    assigned(null),
    assigned({ ...GRIDS, values: new Map([['y', perTensor('u8', 1)]]) }).replace(' @u8(1)', ''),
    assigned(GRIDS, PRODUCT, { opIdsToSkip: [0] }).replace(' @u8(0.5, zp=3)', ''),
  ])
    assert.is(text, PRODUCT);
});

test('what recovery chose takes the place of weights and bias, and adds a bias', () => {
  const quant = perAxis('i8', 0, [2, 4]);
  const weights = { type: { dtype: 'i8' as const, shape: [2, 1, 1, 1], quant }, data: Int8Array.of(64, -15) };
  const learned = { weights, bias: f32([2], Float32Array.of(1, 2)) };
  const calibration = { ...GRIDS, products: new Map([['y', learned]]) };
  const plain = PRODUCT.replace(', %2)', ')').replace(/const %2.*\n/, '');
  for (const text of [PRODUCT, plain]) {
    const after = assigned(calibration, text);
    assert.match(after, /"w\/codes": i8\[2,1,1,1\] @i8\(axis=0, \[2, 4\]\) = \[64, -15\]/);
    assert.match(after, /\/bias": i32\[2\] @i32\(axis=0, \[1, 2\]\) = \[1, 1\]/);
  }
});

test('a bias that does not fit its units stays float', () => {
  const text = PRODUCT.replace('[10, -20]', '[1e10, 0]');
  assert.equal(lines(assigned(GRIDS, text), 'b', 'b/bias'), ['const %2 "b": f32[2] = [10000000000, 0]']);
});

test('constant operands of sums become codes beside operands on grids', () => {
  const sum = `graph "g"
input %0 "x": f32[1,1,2,2]
const %1 "c": f32[1,1,2,2] = [0, 51, 102, 255]
%2 "y": f32[1,1,2,2] = elementwise_add(%0, %1) {"activation":null} id=0
output %2 "y"
`;
  const values = new Map([...GRIDS.values, ['y', perTensor('u8', 1)] as const]);
  assert.match(assigned({ ...GRIDS, values }, sum), /"c\/codes": u8\[1,1,2,2\] @u8\(1\) = \[0, 51, 102, 255\]/);
});

test.run();
