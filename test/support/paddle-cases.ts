/**
 * Checks Paddle ops against formulas in float64. All cases are branches of one program, so that one module checks
 * importers, references and kernels.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { importModel } from '../../src/frontends/import-model.js';
import { numbers, type Tensor } from '../../src/ir/tensor.js';
import { OPS } from '../../src/ops/index.js';
import { interpret, outputsOf } from '../../src/ops/interpret.js';
import { createLoader } from '../../src/runtime/loader.js';
import { type AttrInput, type Data, type ModelInput, type OpInput, paddleModel } from './paddle.js';

/** What a result must be: its variable stands in a slot, by default `Out`. */
export interface Wanted {
  readonly slot?: string;
  /** By default that of x. */
  readonly shape?: readonly number[];
  readonly wanted: readonly number[];
}

/** One op on x. */
export interface Case {
  readonly op: string;
  readonly attrs?: Readonly<Record<string, AttrInput>>;
  /** The slot of x; null where the op does not read it. */
  readonly slot?: string | null;
  /** Further operands by slot; `'x'` stands for x again. */
  readonly more?: Readonly<Record<string, Data | readonly (Data | 'x')[]>>;
  readonly results: readonly Wanted[];
  /** Of the greatest magnitude. */
  readonly tolerance?: number;
}

/** A result of a shape, element by element. */
export function grid(
  shape: readonly number[],
  f: (...at: number[]) => number,
): { shape: readonly number[]; wanted: number[] } {
  const n = shape.reduce((a, b) => a * b, 1);
  const wanted = Array.from({ length: n }, (_, i) => {
    let rest = i;
    const at = shape.toReversed().map((d) => {
      const k = rest % d;
      rest = Math.floor(rest / d);
      return k;
    });
    return f(...at.reverse());
  });
  return { shape, wanted };
}

function program(cases: readonly Case[], shape: readonly number[]): ModelInput {
  const parameters: Record<string, Data> = {};
  const outputs: string[] = [];
  const ops = cases.map(({ op, attrs = {}, more = {}, slot = 'X', results }, i): OpInput => {
    const inputs: Record<string, string | readonly string[]> = slot === null ? {} : { [slot]: 'x' };
    for (const [key, data] of Object.entries(more)) {
      const list = Array.isArray(data) ? (data as readonly (Data | 'x')[]) : [data as Data];
      inputs[key] = list.map((d, k) => {
        if (d === 'x') return 'x';
        parameters[`${op}_${i}.${key}${k}`] = d;
        return `${op}_${i}.${key}${k}`;
      });
    }
    const outs: Record<string, string[]> = {};
    results.forEach(({ slot: out = 'Out' }, k) => {
      outs[out] = [...(outs[out] ?? []), `y${i}_${k}`];
      outputs.push(`y${i}_${k}`);
    });
    return { type: op, inputs, outputs: outs, attrs };
  });
  return { inputs: { x: { shape } }, parameters, ops, outputs };
}

function check(title: string, cases: readonly Case[], result: (name: string) => ArrayLike<number | bigint>): void {
  cases.forEach(({ op, results, tolerance = 2e-6 }, i) => {
    results.forEach(({ wanted }, r) => {
      const list = result(`y${i}_${r}`);
      const most = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
      assert.is(list.length, wanted.length, `${title}: ${op} (${i}), result ${r}`);
      wanted.forEach((v, k) => {
        const got = Number(list[k]);
        assert.ok(
          Math.abs(v - got) <= tolerance * most,
          `${title}: ${op} (${i}), result ${r} at ${k}: ${got} for ${v}`,
        );
      });
    });
  });
}

/** Tests of all cases on one x: through the references, and in the compiled module. */
export function testCases(cases: readonly Case[], shape: readonly number[], x: readonly number[]): void {
  const model = paddleModel(program(cases, shape));

  test('importers and references', () => {
    const graph = importModel(model, { file: 'm.pdmodel' });
    const feed: Tensor = { type: { dtype: 'f32', shape }, data: Float32Array.from(x) };
    const outputs = outputsOf(graph, interpret(graph, OPS, { x: feed }));
    cases.forEach(({ op, results }, i) => {
      results.forEach((wanted, r) => {
        assert.equal(outputs[`y${i}_${r}`]?.type.shape, wanted.shape ?? shape, `${op} (${i}), result ${r}`);
      });
    });
    check('reference', cases, (name) => numbers(outputs[name] as Tensor));
  });

  test('the compiled module', async () => {
    const { wasm } = await compile(model, { file: 'm.pdmodel' });
    const net = createLoader('m', () => wasm as never).loadSync(wasm as never);
    const outputs = net.run({ x: Float32Array.from(x) });
    check('module', cases, (name) => outputs[name] as ArrayLike<number>);
  });
}
