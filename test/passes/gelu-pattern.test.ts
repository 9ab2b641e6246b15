/** The spelled-out gelu, in all orders of its products, and what is not one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { outcome, relativeError } from '../support/compiled.js';
import { Network } from '../support/network.js';

type Build = (net: Network, x: string, gate: string, half: string) => string;

const mul = (net: Network, a: string, b: string): string => net.op('Mul', [a, b]);
const ORDERS: readonly Build[] = [
  (net, x, gate, half) => mul(net, mul(net, x, gate), half),
  (net, x, gate, half) => mul(net, half, mul(net, gate, x)),
  (net, x, gate, half) => mul(net, x, mul(net, gate, half)),
  (net, x, gate, half) => mul(net, mul(net, half, x), gate),
];

/** The model of one gelu, made of what the options change. */
function spelled(
  build: Build,
  { divisor = Math.SQRT2, one = 1, half = 0.5, multiplied = false } = {},
): Network & { y: string } {
  const net = new Network(1);
  const x = net.input('x', [2, 3, 8]);
  const number = (v: number) => net.constant({ shape: [], data: [v] });
  const scaled = multiplied ? net.op('Mul', [x, number(1 / divisor)]) : net.op('Div', [x, number(divisor)]);
  const gate = net.op('Add', [net.op('Erf', [scaled]), number(one)]);
  return Object.assign(net, { y: build(net, x, gate, number(half)) });
}

test('all orders become one op', async () => {
  for (const build of ORDERS)
    for (const multiplied of [false, true]) {
      const net = spelled(build, { multiplied });
      const result = await outcome(net.bytes([net.y]));
      assert.equal(
        result.report.ops.map((o) => o.type),
        ['gelu'],
      );
      assert.is(result.report.ops[0].fused?.length, 4);
      assert.ok(relativeError(result) < 1e-6);
    }
});

test('other numbers, and intermediate results that are read, stay as they are', async () => {
  for (const other of [{ divisor: 2 }, { one: 2 }, { half: 0.25 }]) {
    const net = spelled(ORDERS[0], other);
    assert.ok((await outcome(net.bytes([net.y]))).report.ops.every((o) => o.type !== 'gelu'));
  }
  const net = spelled((n, x, gate, half) => n.op('Add', [mul(n, mul(n, x, gate), half), gate]));
  assert.ok((await outcome(net.bytes([net.y]))).report.ops.every((o) => o.type !== 'gelu'));
});

test.run();
