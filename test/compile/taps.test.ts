/** Taps: values of the source as further outputs, in every precision, without a change of what is computed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../src/compile.js';
import { isConversion } from '../../src/describe-ops.js';
import { compile } from '../../src/index.js';
import { parse } from '../../src/ir/parse.js';
import { print } from '../../src/ir/print.js';
import type { Precision } from '../../src/options.js';
import { resolveOptions } from '../../src/options.js';
import type { ModuleInfo, TensorInfo } from '../../src/runtime/abi.js';
import { QcError } from '../../src/support/errors.js';
import { identical, outcome, relativeError } from '../support/compiled.js';
import { type Grid, Network } from '../support/network.js';

const GRID: Grid = { dtype: 'u8', scale: 0.03, zeroPoint: 128 };
const WIDE: Grid = { dtype: 'u8', scale: 0.2, zeroPoint: 0 };
const PRECISIONS: readonly Precision[] = ['int8', 'fp32', 'fake-quantized'];

/** A residual block with all kinds of values: rounded ones, fused ones, codes, moved ones, weights. */
function block() {
  const net = new Network(5);
  const x = net.fake(net.input('x', [1, 4, 8, 8]), GRID);
  const w = net.weights([6, 4, 3, 3], { axis: 0 });
  const conv = net.op('Conv', [x, w, net.values([6])], { pads: [1, 1, 1, 1] });
  const relu = net.op('Relu', [conv]);
  const a = net.fake(relu, WIDE);
  const sum = net.op('Conv', [a, net.weights([6, 6, 1, 1], { axis: 0 })]);
  const added = net.op('Add', [sum, a]);
  const b = net.fake(added, WIDE);
  const pooled = net.op('MaxPool', [b], { kernel_shape: [2, 2], strides: [2, 2] });
  const y = net.op('Flatten', [net.fake(pooled, WIDE)]);
  return { bytes: net.bytes([y]), names: { w, conv, relu, a, sum, added, b, pooled, y } };
}

const outputsOf = (report: ModuleInfo): readonly TensorInfo[] => report.entries[0]?.outputs ?? [];

for (const precision of PRECISIONS)
  test(`${precision}: all taps leave the outputs as they are, and show what the interpreter computes`, async () => {
    const { bytes, names } = block();
    const plain = await outcome(bytes, { precision });
    const tapped = await outcome(bytes, { precision, taps: 'all' });
    assert.equal(tapped.module[names.y], plain.module[names.y]);
    if (precision === 'int8') assert.ok(identical(tapped));
    else assert.ok(relativeError(tapped) < 1e-5);
    const shown = outputsOf(tapped.report).map((t) => t.name);
    assert.is(shown[0], names.y);
    for (const name of [names.relu, names.added]) assert.ok(shown.includes(name), `${name} is not shown`);
    assert.not(shown.includes(names.conv), 'a fused value is gone');
    const computing = ({ ops }: ModuleInfo) => ops.filter((op) => !isConversion(op)).map((op) => op.id);
    assert.equal(computing(tapped.report), computing(plain.report));
  });

test('a tap shows codes with their scale in int8, and the same numbers rounded in fake-quantized float', async () => {
  const { bytes, names } = block();
  const int8 = await outcome(bytes, { taps: [names.relu, names.added] });
  const fake = await outcome(bytes, { taps: [names.relu, names.added], precision: 'fake-quantized' });
  for (const info of outputsOf(int8.report).slice(1)) {
    assert.is(info.dtype, 'u8');
    assert.is(info.scale, Math.fround(WIDE.scale));
    assert.is(info.zeroPoint, WIDE.zeroPoint);
    const reals = Float32Array.from(int8.module[info.name], (q) => q * Math.fround(WIDE.scale));
    assert.ok(new Set(reals).size > 10);
    assert.equal(reals, fake.module[info.name]);
  }
});

for (const precision of PRECISIONS)
  test(`${precision}: a named value that would be fused is kept`, async () => {
    const { bytes, names } = block();
    const taps = [names.conv, names.sum];
    const kept = await outcome(bytes, { precision, taps });
    const float = await outcome(bytes, { precision: 'fake-quantized' });
    assert.equal(
      outputsOf(kept.report).map((t) => t.name),
      [names.y, ...taps],
    );
    assert.ok(relativeError(kept) < 1e-5);
    // Kept values are reals; the sums of the first convolution are negative where the relu cuts.
    assert.ok(kept.module[names.conv].some((v) => v < 0));
    if (precision === 'fake-quantized') assert.equal(kept.module[names.y], float.module[names.y]);
  });

test('codes and reals of one value are shown once; each can be named', async () => {
  const { bytes, names } = block();
  const { report } = await compile(bytes, { taps: 'all' });
  const { graph } = lower(bytes, resolveOptions({ taps: 'all' }));
  const values = graph.outputs.map((o) => o.value);
  assert.is(new Set(values).size, values.length);
  assert.not(outputsOf(report).some((t) => t.name === names.a));
  const named = await compile(bytes, { taps: [names.a] });
  assert.is(outputsOf(named.report)[1]?.name, names.a);
});

test('inputs can be tapped; outputs are there already', async () => {
  const { bytes, names } = block();
  const { module, report } = await outcome(bytes, { taps: ['x', names.y] });
  assert.equal(
    outputsOf(report).map((t) => t.name),
    [names.y, 'x'],
  );
  assert.ok(module.x.some((v) => v !== 0));
});

test('names that are no activation are usage errors', async () => {
  const { bytes, names } = block();
  for (const [tap, message] of [
    ['nothing', /no value "nothing" to tap/],
    [names.w, /constant/],
  ] as const) {
    const error = await compile(bytes, { taps: [tap] }).then(
      () => null,
      (e) => e,
    );
    assert.instance(error, QcError);
    assert.is(error.kind, 'usage');
    assert.match(error.message, message);
  }
});

test('the text form keeps taps', () => {
  const text = print(lower(block().bytes, resolveOptions({ taps: 'all' })).graph);
  assert.match(text, /^tap passive %/m);
  assert.is(print(parse(text)), text);
  const kept = print(lower(block().bytes, resolveOptions({ taps: [block().names.conv] })).graph);
  assert.match(kept, /^tap kept %/m);
  assert.is(print(parse(kept)), kept);
});

test.run();
