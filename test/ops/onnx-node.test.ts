/**
 * ONNX's own node tests, where they are installed (Debian's libonnx-testdata, or a folder in QC_ONNX_NODE_TESTS): every
 * case on dtypes of qc whose op it has. Where a case gives shapes, axes or weights as inputs, they become initializers.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { decodeTensorProto } from '../../src/data/pb.js';
import { decodeModel, type ModelProto } from '../../src/frontends/onnx/proto.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { QcError } from '../../src/support/errors.js';
import { runTwice } from '../support/compiled.js';
import { skipUnless } from '../support/skip.js';

const ROOT = process.env.QC_ONNX_NODE_TESTS ?? '/usr/share/libonnx-testdata/data/node';
const { ModelProto: Model, TensorProto: TensorMessage } = onnxProto.onnx;

/** float32, uint8, int8, int32, int64, bool. */
const DTYPES = new Set([1, 2, 3, 6, 7, 9]);

/** Training, ranges and empty batches that only their inputs tell, and where qc follows onnxruntime instead of the reference. */
const NOT_OURS = /training|align_corners$|allowzero_reordered|split_zero_size|_range_|triu_zero/;

/** Why a case is none for qc: an op or form that is not supported and says so. */
const DECLARED = /no such operator|does not say which ONNX operator set|training mode|antialias/;

const bytesOf = (...path: string[]): Uint8Array => new Uint8Array(readFileSync(join(ROOT, ...path)));

const onOurDtypes = ({ graph }: ModelProto): boolean =>
  [...graph.input, ...graph.output].every(({ type }) => type?.tensorType && DTYPES.has(type.tensorType.elemType));

/** The model with all inputs but the first as initializers. */
function baked(name: string, set: string): Uint8Array {
  const model = Model.decode(bytesOf(name, 'model.onnx'));
  const { graph } = model;
  if (!graph?.input || !graph.initializer) throw new Error('no graph');
  const keep = graph.input.length === 1 ? 0 : 1;
  for (const [i, { name: input }] of graph.input.entries()) {
    if (i < keep) continue;
    const tensor = TensorMessage.decode(bytesOf(name, set, `input_${i}.pb`));
    tensor.name = input ?? '';
    graph.initializer.push(tensor);
  }
  graph.input = graph.input.slice(0, keep);
  return Model.encode(model).finish();
}

/** rtol 1e-3 and atol 1e-7, as ONNX compares; all but floats exactly. */
function expectEqual(actual: ArrayLike<number | bigint>, { type, data }: Tensor, what: string): void {
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [actual[i], data[i]];
    if (x === y || Object.is(x, y)) continue;
    const close = type.dtype === 'f32' && Math.abs(Number(x) - Number(y)) <= 1e-7 + 1e-3 * Math.abs(Number(y));
    if (!close) throw new Error(`${what}: element ${i} is ${x}, expected ${y}`);
  }
}

/** Runs one case; false where qc says that it does not have the op or form. */
async function runCase(name: string): Promise<boolean> {
  const plain = bytesOf(name, 'model.onnx');
  const { graph } = decodeModel(plain);
  const [set = ''] = readdirSync(join(ROOT, name)).filter((entry) => entry.startsWith('test_data_set'));
  const tensor = (kind: string, i: number): Tensor => decodeTensorProto(bytesOf(name, set, `${kind}_${i}.pb`)).tensor;
  const feeds = Object.fromEntries(graph.input.map((input, i) => [input.name, tensor('input', i)]));
  const attempt = (bytes: Uint8Array) => {
    const open = decodeModel(bytes).graph.input.filter((v) => v.type?.tensorType?.shape?.dim.some((d) => d.dimParam));
    const inputShapes = Object.fromEntries(open.map((v) => [v.name, (feeds[v.name] as Tensor).type.shape]));
    return compile(bytes, { inputShapes });
  };
  const refused = (error: unknown): string => (error instanceof QcError && error.kind === 'model' ? error.message : '');
  try {
    const { wasm } = await attempt(plain).catch((error: unknown) => {
      if (/is computed by the network/.test(refused(error))) return attempt(baked(name, set));
      throw error;
    });
    const results = runTwice(wasm, feeds);
    for (const [i, output] of graph.output.entries())
      expectEqual(results[output.name] as never, tensor('output', i), output.name);
    return true;
  } catch (error) {
    if (DECLARED.test(refused(error))) return false;
    throw error;
  }
}

if (skipUnless(existsSync(ROOT), "ONNX's node tests", 'apt-get install libonnx-testdata'))
  test("ONNX's node tests", async () => {
    const failures: string[] = [];
    let passed = 0;
    for (const name of readdirSync(ROOT).sort()) {
      if (NOT_OURS.test(name) || !existsSync(join(ROOT, name, 'model.onnx'))) continue;
      if (!onOurDtypes(decodeModel(bytesOf(name, 'model.onnx')))) continue;
      try {
        if (await runCase(name)) passed++;
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
      }
    }
    assert.equal(failures, []);
    assert.ok(passed > 600, `only ${passed} cases`);
  });

test.run();
