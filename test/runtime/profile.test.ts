/** The timing of steps, on nets and clocks of known speed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StepInfo } from '../../src/runtime/abi.js';
import type { Net } from '../../src/runtime/net.js';
import { profileNet } from '../../src/runtime/profile.js';

const step = (type: string, inPlace = false): StepInfo => ({
  ops: [],
  type,
  name: '',
  kernels: [],
  macs: 0,
  bytes: 0,
  ...(inPlace ? { inPlace } : {}),
});

/** A clock that only moves when a net works or it is read, shown in multiples of `resolution`. */
class Machine {
  private time = 0;
  readonly resolution: number;
  readonly calls: number[] = [];

  constructor(resolution: number) {
    this.resolution = resolution;
  }

  readonly now = (): number => {
    this.time += 1e-5;
    return Math.floor(this.time / this.resolution + 1e-9) * this.resolution;
  };

  work(milliseconds: number): void {
    this.time += milliseconds;
  }
}

/** A net of steps that take given times; `disturbed(n)` is added to the n-th whole run. */
function netOf(
  machine: Machine,
  costs: readonly number[],
  infos: readonly StepInfo[],
  disturbed: (run: number) => number = () => 0,
): Net & { readonly seen: number[] } {
  const input = Float32Array.of(7);
  const seen: number[] = [];
  let runs = 0;
  return {
    seen,
    inputs: [{ name: 'x', dtype: 'f32', shape: [1] }],
    outputs: [],
    memoryBytes: 0,
    run: () => ({}),
    input: () => input,
    output: () => input,
    free() {},
    steps: infos,
    step(i) {
      if (i === 0) seen.push(input[0] as number);
      if (infos[i]?.inPlace || i === 0) input[0] = 0;
      machine.calls[i] = (machine.calls[i] ?? 0) + 1;
      machine.work(costs[i] as number);
    },
    runInPlace() {
      seen.push(input[0] as number);
      input[0] = 0;
      machine.work(costs.reduce((a, b) => a + b, 0) + disturbed(runs++));
    },
  };
}

const near = (actual: number, expected: number, tolerance = 0.02): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance * expected, `${actual} instead of ${expected}`);

test('a fine clock times every step once per pass', () => {
  const machine = new Machine(1e-6);
  const net = netOf(machine, [1, 0.25, 3], [step('a'), step('b'), step('c')]);
  const { steps, sum, run, rounds } = profileNet(net, { rounds: 9, now: machine.now });
  assert.is(rounds, 9);
  assert.equal(
    steps.map((s) => s.repeats),
    [1, 1, 1],
  );
  for (const [i, cost] of [1, 0.25, 3].entries()) near(steps[i]!.milliseconds, cost);
  near(sum, 4.25);
  near(run, 4.25);
});

test('a coarse clock repeats short steps and averages those in place', () => {
  const machine = new Machine(0.1);
  const costs = [5, 0.013, 0.03];
  const net = netOf(machine, costs, [step('a'), step('b'), step('c', true)]);
  const { steps } = profileNet(net, { rounds: 400, now: machine.now });
  assert.is(steps[0]!.repeats, 1);
  assert.ok(steps[1]!.repeats * costs[1]! >= 1.5, `${steps[1]!.repeats} repeats`);
  assert.is(steps[2]!.repeats, 1);
  near(steps[1]!.milliseconds, 0.013, 0.1);
  near(steps[2]!.milliseconds, 0.03, 0.4);
});

test('every pass and run finds the inputs as they were, and they are left so', () => {
  const machine = new Machine(1e-6);
  const net = netOf(machine, [1, 1], [step('a'), step('b', true)]);
  profileNet(net, { rounds: 5, now: machine.now });
  assert.ok(net.seen.length > 10 && net.seen.every((v) => v === 7));
  assert.equal([...net.input('x')], [7]);
});

test('runs that were interrupted do not count, and more are made', () => {
  const machine = new Machine(1e-6);
  const net = netOf(machine, [1, 2], [step('a'), step('b')], (run) => (run % 5 === 0 ? 0 : 4));
  const { run, rounds, calm } = profileNet(net, { rounds: 10, now: machine.now });
  near(run, 3);
  assert.ok(rounds > 10 && rounds <= 60 && calm === 8, `${calm} of ${rounds}`);
});

test('other nets have no profile', () => {
  const { steps: _, step: __, ...net } = netOf(new Machine(1), [], []);
  assert.throws(() => profileNet(net), /not compiled for profiling/);
});

test.run();
