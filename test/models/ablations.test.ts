/** mobilenet_v2_qat_u8 with parts of it in float: by op type, by id, and as a whole. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isConversion } from '../../src/describe-ops.js';
import { type CompileOptions, type CompileResult, compile, QcError } from '../../src/index.js';
import type { OpInfo } from '../../src/runtime/abi.js';
import {
  argmax,
  decodeImage,
  hasImages,
  hasModels,
  imageList,
  imageTensor,
  loadCompiled,
  modelBytes,
  relativeError,
  runNet,
  testSets,
} from '../support/models.js';

const MODEL = 'mobilenet_v2_qat_u8';
const FLOAT_TWIN = 'mobilenet_v2_fp32';

/** With all ids in float the module must equal the float network this well. */
const TOLERANCE = 1e-4;

/**
 * Images on which ablated networks are compared with the one in int8, how many of them may change their class, and by
 * how much their logits may differ on average. A logit's quantum is 0.1; rounding elsewhere moves them by half of it.
 */
const IMAGES = [18, 90, 140, 250, 333, 480];
const MAY_CHANGE = 1;
const MEAN_DIFFERENCE = 0.15;

/** Every id instead of a few. */
const FULL = process.env.QC_TEST_FULL === '1';

const bytes = hasModels(`ablations of ${MODEL}`) ? modelBytes(MODEL) : null;
const compileWith = (options: CompileOptions): Promise<CompileResult> => compile(bytes as Uint8Array, options);

/** The ops of the source model. */
const opsOf = ({ report }: CompileResult): OpInfo[] => report.ops.filter((op) => !isConversion(op));

/** The error of a compilation that must fail as a usage error. */
async function usageErrorOf(options: CompileOptions): Promise<string> {
  const error: unknown = await compileWith(options).then(
    () => null,
    (e: unknown) => e,
  );
  assert.instance(error, QcError);
  assert.is((error as QcError).kind, 'usage');
  return (error as QcError).format();
}

/** The logits of a compiled network for the images. */
async function logits(result: CompileResult): Promise<Float32Array[]> {
  const net = await loadCompiled(result);
  const list = imageList();
  return IMAGES.map((i) => runNet(net, [imageTensor(decodeImage(list[i]?.file as string), 224)])[0] as Float32Array);
}

let full: Promise<{ result: CompileResult; logits: Float32Array[] }> | undefined;

/** The network with everything in int8 that can be, and its logits; compiled once. */
function allInt8(): Promise<{ result: CompileResult; logits: Float32Array[] }> {
  full ??= compileWith({}).then(async (result) => ({ result, logits: await logits(result) }));
  return full;
}

/** Throws unless a network classifies the images as the one in int8 does, with nearly its logits. */
async function expectSameClasses(result: CompileResult, what: string): Promise<void> {
  const expected = (await allInt8()).logits;
  const actual = await logits(result);
  const changed = actual.filter((a, i) => argmax(a) !== argmax(expected[i] as Float32Array)).length;
  assert.ok(changed <= MAY_CHANGE, `${what}: ${changed} of ${IMAGES.length} classes change`);
  actual.forEach((a, i) => {
    const mean = a.reduce((sum, v, k) => sum + Math.abs(v - (expected[i]?.[k] as number)), 0) / a.length;
    assert.ok(mean <= MEAN_DIFFERENCE, `${what}: logits of image ${IMAGES[i]} differ by ${mean} on average`);
  });
}

/** A few ids of every kind, or all. */
function chosenIds(ops: readonly OpInfo[]): number[] {
  const int8 = ops.filter((op) => op.int8);
  if (FULL) return int8.map(({ id }) => id);
  const depthwise = int8.filter(({ type }) => type === 'depthwise_conv2d');
  const add = int8.filter(({ type }) => type === 'elementwise_add');
  const pool = int8.find(({ type }) => type === 'pool2d');
  const middle = <T>(list: readonly T[]): T | undefined => list[Math.floor(list.length / 2)];
  const chosen = [int8[0], middle(depthwise), middle(add), pool, int8.at(-1)];
  return chosen.map((op) => {
    assert.ok(op, 'the model has a convolution, a depthwise one, an addition and a pooling in int8');
    return (op as OpInfo).id;
  });
}

if (bytes && hasImages(`classes of ablations of ${MODEL}`)) {
  test('opsToQuantize: conv2d leaves everything else in float', async () => {
    for (const name of ['conv2d', 'Conv']) {
      const result = await compileWith({ opsToQuantize: [name] });
      for (const { id, type, int8, reason } of opsOf(result)) {
        const expected = type === 'conv2d' || type === 'depthwise_conv2d';
        assert.is(int8, expected, `${type} (${id}) is ${int8 ? 'int8' : `float: ${reason}`}`);
      }
      await expectSameClasses(result, name);
    }
  });

  test('opsToQuantize: depthwise_conv2d alone', async () => {
    const result = await compileWith({ opsToQuantize: ['depthwise_conv2d'] });
    for (const { id, type, int8 } of opsOf(result)) assert.is(int8, type === 'depthwise_conv2d', `${type} (${id})`);
    await expectSameClasses(result, 'depthwise_conv2d');
  });

  test(`opIdsToSkip: ${FULL ? 'every' : 'a few'} single ids`, async () => {
    const { result } = await allInt8();
    const ids = chosenIds(opsOf(result));
    const before = new Map(opsOf(result).map((op) => [op.id, op]));
    for (const id of ids) {
      const ablated = await compileWith({ opIdsToSkip: [id] });
      const ops = opsOf(ablated);
      const skipped = ops.find((op) => op.id === id);
      const what = `${before.get(id)?.type} (${id})`;
      assert.is(skipped?.int8, false, `${what} is still int8`);
      assert.match(skipped?.reason ?? '', /skipped/);
      assert.equal(
        ops.map((op) => op.id),
        [...before.keys()],
        `${what}: other ids`,
      );
      const others = ops.filter((op) => op.id !== id && op.int8 !== before.get(op.id)?.int8);
      // Ops that only move data may follow their neighbour.
      for (const op of others) assert.is(op.type, 'reshape2', `${what} in float also changes ${op.type} (${op.id})`);
      await expectSameClasses(ablated, `${what} in float`);
    }
    console.log(`  skipped one by one: ${ids.join(', ')}`);
  });
}

if (bytes) {
  test('opIdsToSkip: all ids give the float network', async () => {
    const { report } = await compileWith({});
    const ids = report.ops.filter((op) => op.int8 && !isConversion(op)).map(({ id }) => id);
    const result = await compileWith({ opIdsToSkip: ids });
    for (const op of result.report.ops) assert.not(op.int8, `${op.type} (${op.id}) is int8`);
    const net = await loadCompiled(result);
    for (const { name, inputs, outputs } of testSets(FLOAT_TWIN)) {
      const error = relativeError(runNet(net, inputs)[0] as Float32Array, outputs[0]?.data as Float32Array);
      console.log(`  all ${ids.length} ids in float, ${name}: relative error ${error.toExponential(2)}`);
      assert.ok(error < TOLERANCE, `${name}: relative error ${error}`);
    }
  });

  test('names and ids that do not exist are errors that list those that do', async () => {
    assert.match(await usageErrorOf({ opsToQuantize: ['conv3d'] }), /conv3d[\s\S]*conv2d, /);
    assert.match(await usageErrorOf({ opsToQuantize: ['conv2d', 'Conv2D'] }), /Conv2D/);
    assert.match(await usageErrorOf({ opIdsToSkip: [99999] }), /99999[\s\S]*conv2d \(4\)/);
    // Id 0 is the input's QuantizeLinear, which is no op of its own.
    assert.match(await usageErrorOf({ opIdsToSkip: [0] }), /op 0 [\s\S]*conv2d \(4\)/);
    // Id 5 is the Clip that follows the first convolution.
    assert.match(await usageErrorOf({ opIdsToSkip: [5] }), /5 .*conv2d \(4\)[\s\S]*Skip 4 instead/);
    assert.match(await usageErrorOf({ opIdsToSkip: [-1] }), /-1/);
    assert.match(await usageErrorOf({ opIdsToSkip: [1.5] }), /1\.5/);
  });
}

test.run();
