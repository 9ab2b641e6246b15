/** The shared quantized classifier, rewritten into the other forms of Paddle models: each gives the original's results. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { readParameters } from '../../src/frontends/paddle/parameters.js';
import type { BlockDesc } from '../../src/frontends/paddle/proto.js';
import { createLoader } from '../../src/runtime/loader.js';
import type { ModelFiles } from '../../src/support/model-files.js';
import { hasPaddle, openPaddle, PADDLE, paddleSets, programOf } from '../support/paddle-models.js';
import { combinedFiles, dataOf, type PaddleNet, rewritten, separateFiles } from '../support/paddle-rewrite.js';
import { skipUnless } from '../support/skip.js';

const NAME = 'clsQuantized';
const MODEL_FILE = 'inference.pdmodel';

function readNet(): PaddleNet {
  const { files, file } = openPaddle(NAME);
  const program = programOf(NAME);
  const readers = readParameters(program.blocks[0] as BlockDesc, files, { file });
  return { program, parameters: new Map([...readers].map(([name, read]) => [name, dataOf(read())])) };
}

async function results(files: ModelFiles, file: string) {
  const { wasm, report } = await compile(files, { name: NAME, file, inputShapes: { x: PADDLE[NAME].shape } });
  const net = createLoader(NAME, () => wasm as never).loadSync(wasm as never);
  const outputs = paddleSets(NAME).map(({ input }) => {
    const [y] = Object.values(net.run({ x: input.data as Float32Array }));
    return Array.from(y as Float32Array);
  });
  const products = report.ops.filter((op) => /conv2d$|^fc$|^mul$/.test(op.type));
  return { outputs, int8: products.filter((op) => op.int8).length, products: products.length };
}

if (skipUnless(hasPaddle, 'forms of the shared Paddle models', 'no shared models')) {
  const original = results(openPaddle(NAME).files, openPaddle(NAME).file);

  test('one file per parameter: equal bytes', async () => {
    assert.equal(await results(separateFiles(readNet()), '__model__'), await original);
  });

  for (const [form, separate] of [
    ['frozen-weights', false],
    ['onnx-format', false],
    ['onnx-format', true],
  ] as const)
    test(`${form}${separate ? ', one file per parameter' : ''}: every product is int8, equal bytes`, async () => {
      const net = rewritten(readNet(), form);
      const found = separate ? results(separateFiles(net), '__model__') : results(combinedFiles(net), MODEL_FILE);
      assert.equal(await found, await original);
    });

  // The program multiplies the two thresholds before they meet the sums: factors may differ in their last bit.
  test('frozen: every product is int8, results are equal up to last bits', async () => {
    const found = await results(combinedFiles(rewritten(readNet(), 'frozen')), MODEL_FILE);
    const { outputs, ...counts } = await original;
    assert.is(counts.int8, counts.products);
    assert.equal({ int8: found.int8, products: found.products }, counts);
    found.outputs.flat().forEach((v, i) => {
      assert.ok(Math.abs(v - (outputs.flat()[i] as number)) <= 1e-6, `${v} for ${outputs.flat()[i]}`);
    });
  });
}

test.run();
