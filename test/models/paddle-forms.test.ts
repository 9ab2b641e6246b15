/** The shared quantized models, rewritten into the other forms of Paddle models: each gives the original's results. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { readParameters } from '../../src/frontends/paddle/parameters.js';
import type { BlockDesc } from '../../src/frontends/paddle/proto.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { createLoader } from '../../src/runtime/loader.js';
import type { ModelFiles } from '../../src/support/model-files.js';
import { hasPaddle, openPaddle, type PaddleName, paddleSets, programOf } from '../support/paddle-models.js';
import {
  combinedFiles,
  dataOf,
  type Form,
  type PaddleNet,
  rewritten,
  separateFiles,
} from '../support/paddle-rewrite.js';
import { skipUnless } from '../support/skip.js';

const MODEL_FILE = 'inference.pdmodel';

/** The models, and the part of their inputs' height and width that is looked at. */
const MODELS = { clsQuantized: [48, 192], detQuantized: [96, 128] } as const;

function readNet(name: PaddleName): PaddleNet {
  const { files, file } = openPaddle(name);
  const program = programOf(name);
  const readers = readParameters(program.blocks[0] as BlockDesc, files, { file });
  return { program, parameters: new Map([...readers].map(([key, read]) => [key, dataOf(read())])) };
}

/** The middle of an image, [h, w] pixels. */
function middle({ type, data }: Tensor, [h, w]: readonly [number, number]): Float32Array {
  const [, , height, width] = type.shape as [number, number, number, number];
  const [top, left] = [(height - h) >> 1, (width - w) >> 1];
  return Float32Array.from({ length: 3 * h * w }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    return (data as Float32Array)[(c * height + top + y) * width + left + x] as number;
  });
}

async function results(name: keyof typeof MODELS, files: ModelFiles, file: string) {
  const size = MODELS[name];
  const { wasm, report } = await compile(files, { name, file, inputShapes: { x: [1, 3, ...size] } });
  const net = createLoader(name, () => wasm as never).loadSync(wasm as never);
  const outputs = paddleSets(name).map(({ input }) => {
    const [y] = Object.values(net.run({ x: middle(input, size) }));
    return Array.from(y as Float32Array);
  });
  const products = report.ops.filter((op) => /conv2d$|^fc$|^mul$/.test(op.type));
  return { outputs, int8: products.filter((op) => op.int8).length, products: products.length };
}

const FORMS: readonly (readonly [Form, boolean])[] = [
  ['frozen', false],
  ['frozen-weights', false],
  ['onnx-format', false],
  ['onnx-format', true],
];

if (skipUnless(hasPaddle, 'forms of the shared Paddle models', 'no shared models'))
  for (const name of ['clsQuantized', 'detQuantized'] as const) {
    const { files, file } = openPaddle(name);
    const original = results(name, files, file);

    test(`${name}, one file per parameter: equal bytes`, async () => {
      assert.equal(await results(name, separateFiles(readNet(name)), '__model__'), await original);
    });

    for (const [form, separate] of FORMS)
      test(`${name}, ${form}${separate ? ', one file per parameter' : ''}: the same ops in int8, equal bytes`, async () => {
        const net = rewritten(readNet(name), form);
        const found = separate
          ? results(name, separateFiles(net), '__model__')
          : results(name, combinedFiles(net), MODEL_FILE);
        assert.equal(await found, await original);
      });
  }

test.run();
