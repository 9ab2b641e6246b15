/** What the times of layers mean: shares, peaks, the comparison with the best kernels, traces. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planMemory } from '../../src/codegen/plan/memory.js';
import { Planner } from '../../src/codegen/plan/planner.js';
import { lower } from '../../src/compile.js';
import { describeSteps } from '../../src/describe-steps.js';
import { OPS } from '../../src/ops/index.js';
import { resolveOptions } from '../../src/options.js';
import { probeModule } from '../../src/probe-module.js';
import type { OpInfo, ProductInfo, StepInfo } from '../../src/runtime/abi.js';
import type { Profile, StepTime } from '../../src/runtime/net.js';
import type { BenchSession } from '../../src/tasks/bench.js';
import { bestKernel } from '../../src/tasks/best-kernels.js';
import { analyzeLayers, arithmeticOf, timeLayers } from '../../src/tasks/layers.js';
import { Prober } from '../../src/tasks/probe.js';
import { chromeTrace } from '../../src/tasks/trace.js';
import { type Grid, Network } from '../support/network.js';

/** A core of 3 GHz. */
const PEAKS = { probe: 48, pairs: 36, bytes: 45, reals: 18, stream: 60 };

const dense = (change: Partial<ProductInfo>): ProductInfo => ({
  kind: 'dense',
  pixels: [14, 14],
  columns: 64,
  groups: 1,
  inner: 96,
  window: [1, 1],
  allows: ['pairs'],
  ...change,
});

const step = (change: Partial<StepTime>): StepTime => ({
  ops: [1],
  type: 'conv2d',
  name: '',
  kernels: ['i16-gemm-4x8-requant-simd'],
  macs: 14 * 14 * 64 * 96,
  bytes: 1000,
  milliseconds: 1,
  repeats: 1,
  ...change,
});

const profileOf = (steps: readonly StepTime[]): Profile => {
  const sum = steps.reduce((n, s) => n + s.milliseconds, 0);
  return { rounds: 5, calm: 5, run: sum, sum, steps };
};

const op = (id: number, int8: boolean): OpInfo => ({ id, type: '', name: '', int8, inputs: [], outputs: [] });

test('the best kernels are those that were measured', () => {
  // [layer, arithmetic, multiply-accumulates per cycle of the measurements]
  const cases: [Partial<ProductInfo>, string, number][] = [
    [{ pixels: [56, 56], inner: 24, columns: 144 }, 'pairs', 8.5],
    [{ pixels: [14, 14], inner: 576, columns: 96 }, 'pairs', 12],
    [{ pixels: [14, 14], inner: 576, columns: 96, allows: ['pairs', 'bytes'] }, 'bytes', 15.2],
    [
      { pixels: [56, 56], inner: 576, columns: 64, window: [3, 3], allows: ['pairs', 'bytes', 'winograd'] },
      'winograd',
      23.2,
    ],
    [{ pixels: [28, 28], inner: 1152, columns: 128, window: [3, 3], allows: ['pairs', 'winograd'] }, 'winograd', 25.1],
    [{ pixels: [7, 7], inner: 4608, columns: 512, window: [3, 3], allows: ['pairs', 'winograd'] }, 'winograd', 18.5],
    [
      { pixels: [28, 28], inner: 1152, columns: 128, window: [3, 3], allows: ['reals', 'winograd of reals'] },
      'winograd of reals',
      14.4,
    ],
    [{ pixels: [1, 1], inner: 1024, columns: 1024, allows: ['pairs', 'bytes'] }, 'bytes', 12.6],
    [{ kind: 'depthwise', pixels: [56, 56], inner: 9, columns: 144, window: [3, 3] }, 'pairs', 4.1],
  ];
  for (const [layer, arithmetic, perCycle] of cases) {
    const best = bestKernel(dense(layer));
    assert.is(best?.arithmetic, arithmetic);
    assert.ok(Math.abs(best!.perCycle / perCycle - 1) < 0.06, `${best?.perCycle} instead of ${perCycle}`);
  }
  assert.ok(bestKernel(dense({ columns: 2 }))!.perCycle < 0.6 * bestKernel(dense({ columns: 4 }))!.perCycle);
  assert.is(bestKernel(dense({ kind: 'depthwise', allows: ['reals'] })), undefined, 'never measured');
});

test('layers get their share, speed and what the machine could do', () => {
  const { layers, shares } = analyzeLayers(
    profileOf([
      step({ ops: [1], milliseconds: 6, macs: 36e6 }),
      step({ ops: [2], milliseconds: 3, type: 'softmax', kernels: ['f32-softmax-simd'], macs: 0, bytes: 18e6 }),
      step({ ops: [], milliseconds: 1, type: 'border', kernels: [], macs: 0 }),
    ]),
    [op(1, true), op(2, false)],
    PEAKS,
  );
  assert.equal(shares, { int8: 0.6, float: 0.3, boundary: 0.1 });
  assert.equal(
    layers.map((l) => l.kind),
    ['int8', 'float', 'boundary'],
  );
  const [conv, softmax] = layers;
  assert.is(conv?.gmacs, 6);
  assert.ok(Math.abs(conv!.peakShare - 1 / 6) < 1e-9, 'by the speed of pairs');
  assert.ok(Math.abs(softmax!.peakShare - 0.1) < 1e-9, 'by the speed of copying');
});

test('convolutions with enough of the time are judged, slow ones with a reason', () => {
  const best = bestKernel(dense({}))!.perCycle;
  const at = (ratio: number, change: Partial<StepTime>): StepTime => {
    const macs = 1e7;
    return step({ macs, milliseconds: macs / (ratio * best * 3e6), product: dense({}), ...change });
  };
  const relaxed = dense({ allows: ['pairs', 'bytes'] });
  const { layers } = analyzeLayers(
    profileOf([
      at(0.95, {}),
      at(0.5, { product: relaxed }),
      at(0.5, { bytes: 1e8 }),
      at(0.5, { product: dense({ pixels: [1, 1] }), bytes: 4e6 }),
      at(0.5, { kernels: ['i16-gemm-4x8-requant-hard_swish-simd'] }),
      at(0.5, { milliseconds: 1e-4 }),
    ]),
    [op(1, true)],
    PEAKS,
  );
  const [fast, pairs, memory, single, plain, tiny] = layers.map((l) => l.verdict);
  assert.ok(fast?.fast && Math.abs(fast.ratio - 0.95) < 1e-6 && fast.reasons.length === 0);
  assert.match(pairs?.reasons[0] as string, /computes with pairs where bytes is legal/);
  assert.match(memory?.reasons[0] as string, /bound by memory: \d+ of 60 GB\/s/);
  assert.match(single?.reasons[0] as string, /reads weights once per run: 4.0 MB/);
  assert.equal([plain?.fast, plain?.reasons], [false, ['every result also takes hard_swish']]);
  assert.is(tiny, undefined, 'below a hundredth of the time');
});

test('the arithmetic is told by the kernels', () => {
  const of = (kernels: string[], product?: ProductInfo): string => arithmeticOf(step({ kernels, product }));
  assert.is(of(['i16-fill-halo-simd', 'i8-gemm-4x8-requant-relaxed'], dense({})), 'bytes');
  assert.is(
    of(['i16-winograd-input-simd', 'i16-winograd-8-requant-simd'], dense({ allows: ['pairs', 'winograd'] })),
    'winograd',
  );
  assert.is(
    of(['f32-winograd-input-simd', 'f32-winograd-8-float-simd'], dense({ allows: ['reals', 'winograd of reals'] })),
    'winograd of reals',
  );
  assert.is(of(['f32-gemm-4x8-f32-simd'], dense({ allows: ['reals'] })), 'reals');
  assert.is(of(['f32-softmax-simd']), 'reals');
});

const U8: Grid = { dtype: 'u8', scale: 0.02, zeroPoint: 0 };

test('profile builds describe products: shape, and what ranges and geometry allow', () => {
  const net = new Network(3);
  const x = net.fake(net.input('x', [2, 16, 12, 10]), U8);
  const relu7: Grid = { dtype: 'i8', scale: 0.02, zeroPoint: 0 };
  const conv = net.fake(
    net.op('Relu', [net.op('Conv', [x, net.weights([32, 16, 3, 3])], { pads: [1, 1, 1, 1] })]),
    relu7,
  );
  const grouped = net.fake(net.op('Conv', [conv, net.weights([8, 16, 1, 1])], { group: 2 }), U8);
  const depthwise = net.fake(net.op('Conv', [conv, net.weights([32, 1, 3, 3])], { group: 32 }), U8);
  const flat = net.op('Reshape', [grouped, net.ints([2, 960])]);
  const model = net.bytes([net.op('MatMul', [flat, net.values([960, 5])]), depthwise]);
  const products = (target: 'simd' | 'relaxed'): Map<number | undefined, ProductInfo> => {
    const { graph } = lower(model, resolveOptions({ target }));
    const plan = new Planner(graph, OPS, target).plan();
    const steps: StepInfo[] = describeSteps(graph, plan, planMemory(plan), OPS, target);
    return new Map(steps.flatMap((s) => (s.product ? [[s.macs, s.product] as const] : [])));
  };
  const byMacs = products('relaxed');
  assert.equal(byMacs.get(2 * 32 * 120 * 144), {
    ...dense({ pixels: [24, 10], columns: 32, inner: 144, window: [3, 3] }),
    allows: ['pairs', 'winograd'],
  });
  assert.equal(byMacs.get(2 * 8 * 120 * 16), {
    ...dense({ pixels: [24, 10], columns: 8, groups: 2, inner: 16 }),
    allows: ['pairs', 'bytes'],
  });
  assert.equal(byMacs.get(2 * 32 * 80 * 9)?.kind, 'depthwise');
  assert.equal(byMacs.get(2 * 960 * 5), { ...dense({ pixels: [1, 2], columns: 5, inner: 960 }), allows: ['reals'] });
  assert.equal(products('simd').get(2 * 8 * 120 * 16)?.allows, ['pairs']);
});

test('a probe finds the speed of each kind of instructions', async () => {
  for (const relaxed of [false, true]) {
    const bytes = (await probeModule(relaxed)) as Uint8Array<ArrayBuffer>;
    if (!WebAssembly.validate(bytes)) continue;
    let reads = 0;
    const prober = new Prober(new WebAssembly.Module(bytes), () => reads++);
    const { mean, best } = prober.speed(3);
    assert.ok(mean > 0 && best >= mean);
    const peaks = prober.peaks();
    assert.is(peaks.bytes > 0, relaxed);
    assert.ok([peaks.probe, peaks.pairs, peaks.reals, peaks.stream].every((v) => Number.isFinite(v) && v > 0));
  }
});

test('a profile on a busy machine is repeated, and the calmest counts', async () => {
  const means = [20, 30, 25, 40, 47, 47];
  let profiles = 0;
  const asked: (number | undefined)[] = [];
  const session = {
    peaks: async () => PEAKS,
    probe: async () => ({ mean: means.shift() ?? 10, best: 48 }),
    profile: async (rounds?: number) => {
      asked.push(rounds);
      return profileOf([step({ milliseconds: 1 + profiles++ })]);
    },
  } as unknown as BenchSession;
  const report = await timeLayers(session, []);
  assert.equal(asked, [undefined, 500, 500, 500], 'a first look, then about a second each; the third was calm');
  assert.is(report.sum, 4);
  assert.is(report.core, 47 / 48);
  const busy = { ...session, probe: async () => ({ mean: 24, best: 48 }) };
  const product = dense({});
  const slow = { ...busy, profile: async () => profileOf([step({ product, milliseconds: 1 })]) } as BenchSession;
  const { core, layers } = await timeLayers(slow, []);
  assert.is(core, 0.5);
  const calm = analyzeLayers(profileOf([step({ product, milliseconds: 1 })]), [], PEAKS).layers[0];
  assert.is(layers[0]?.verdict?.perCycle, 2 * calm!.verdict!.perCycle, 'half of the core, twice as much per cycle');
});

test('a profile that found calm moments is not made faster than the best kernel by what the probe saw', () => {
  const macs = 1e6;
  const best = bestKernel(dense({}))?.perCycle as number;
  const at = (ratio: number) => step({ macs, milliseconds: macs / (ratio * best * 3e6), product: dense({}) });
  const ratios = (seen: number): number[] => {
    const { layers, core } = analyzeLayers(profileOf([at(0.9), at(0.6)]), [op(1, true)], PEAKS, seen);
    return [core, ...layers.map((l) => l.verdict?.ratio ?? 0)].map((v) => Number(v.toFixed(6)));
  };
  assert.equal(ratios(1), [1, 0.9, 0.6]);
  assert.equal(ratios(0.95), [0.95, Number((0.9 / 0.95).toFixed(6)), Number((0.6 / 0.95).toFixed(6))]);
  assert.equal(ratios(0.3), [0.9, 1, Number((2 / 3).toFixed(6))]);
});

test('a trace has the layers one after another', () => {
  const report = analyzeLayers(profileOf([step({ milliseconds: 2 }), step({ ops: [], type: 'border' })]), [], PEAKS);
  const { traceEvents } = chromeTrace([{ name: 'net', report }]) as {
    traceEvents: { ph: string; name: string; ts: number; dur: number; args: { name?: string } }[];
  };
  assert.equal(
    traceEvents.filter((e) => e.ph === 'X').map(({ name, ts, dur }) => [name, ts, dur]),
    [
      ['conv2d (1)', 0, 2000],
      ['border', 2000, 1000],
    ],
  );
  assert.equal(traceEvents[0]?.args, { name: 'net' });
});

test.run();
