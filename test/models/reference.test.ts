/** Compiled networks against the reference outputs that lie beside the models. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/index.js';
import type { TensorInfo } from '../../src/runtime/abi.js';
import type { Net } from '../../src/runtime/loader.js';
import {
  FLOAT_MODELS,
  hasModels,
  loadCompiled,
  modelBytes,
  relativeError,
  runNet,
  type TestSet,
  testSets,
} from '../support/models.js';

/** The models whose outputs are the reference's, code by code. */
const EXACT = ['resnet8_int8', 'vww_int8', 'kws_dscnn_int8'];

/** Sets of real data; the others are random. */
const REAL = new Set(['test_data_set_0', 'test_data_set_1']);

/** On random data, this part of the output's elements may differ by one quantum. */
const RANDOM_SHARE = 0.02;

const FLOAT_TOLERANCE = 1e-4;

/** Differences from the reference in quanta of the output's grid: elements that differ, and the greatest. */
function quantaOff(net: Net, set: TestSet, { scale }: TensorInfo): { share: number; most: number } {
  if (scale === undefined) throw new Error('the output has no grid');
  const [actual, expected] = [runNet(net, set.inputs)[0] as Float32Array, set.outputs[0]?.data as Float32Array];
  assert.is(actual.length, expected.length);
  const off = Array.from(actual, (v, i) =>
    Math.abs(Math.round(v / scale) - Math.round((expected[i] as number) / scale)),
  );
  // Both are multiples of the scale: nothing is hidden by the rounding.
  for (const v of actual) assert.ok(Math.abs(v / scale - Math.round(v / scale)) < 1e-3, `${v} is off the grid`);
  return { share: off.filter((d) => d > 0).length / off.length, most: Math.max(...off) };
}

if (hasModels('reference outputs')) {
  for (const name of EXACT)
    test(`${name}: codes of the output are the reference's`, async () => {
      const result = await compile(modelBytes(name), { name });
      const net = await loadCompiled(result);
      const output = result.report.entries[0]?.outputs[0] as TensorInfo;
      const sets = testSets(name);
      assert.ok(sets.length >= 3);
      for (const set of sets) {
        const { share, most } = quantaOff(net, set, output);
        const real = REAL.has(set.name);
        console.log(`  ${name} ${set.name}: ${(100 * share).toFixed(2)} % differ, at most by ${most} quanta`);
        assert.ok(share <= (real ? 0 : RANDOM_SHARE), `${set.name}: ${100 * share} % of the codes differ`);
        assert.ok(most <= 1, `${set.name}: a code differs by ${most}`);
      }
    });

  for (const name of FLOAT_MODELS)
    test(`${name}: relative error below ${FLOAT_TOLERANCE}`, async () => {
      const net = await loadCompiled(await compile(modelBytes(name), { name }));
      const sets = testSets(name);
      assert.ok(sets.length >= 3);
      for (const set of sets) {
        const error = relativeError(runNet(net, set.inputs)[0] as Float32Array, set.outputs[0]?.data as Float32Array);
        console.log(`  ${name} ${set.name}: relative error ${error.toExponential(2)}`);
        assert.ok(error < FLOAT_TOLERANCE, `${set.name}: relative error ${error}`);
      }
    });
}

test.run();
