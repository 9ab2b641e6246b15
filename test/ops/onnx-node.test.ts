/**
 * ONNX's own node tests, where they are installed (Debian's libonnx-testdata, or a folder in QC_ONNX_NODE_TESTS): every
 * case on dtypes of qc whose op it has. Where shapes or axes are inputs that the stated shapes do not settle, they are bound.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { decodeTensorProto } from '../../src/data/pb.js';
import type { InputValue } from '../../src/frontends/input-values.js';
import { decodeModel, type ModelProto } from '../../src/frontends/onnx/proto.js';
import type { Tensor } from '../../src/ir/tensor.js';
import { QcError } from '../../src/support/errors.js';
import { runTwice } from '../support/compiled.js';
import { skipUnless } from '../support/skip.js';

const ROOT = process.env.QC_ONNX_NODE_TESTS ?? '/usr/share/libonnx-testdata/data/node';

/** float32, uint8, int8, int32, int64, bool. */
const DTYPES = new Set([1, 2, 3, 6, 7, 9]);

/** Training, empty batches that only their inputs tell, and where qc follows onnxruntime instead of the reference. */
const NOT_OURS = /training|downsample.*align_corners$|allowzero_reordered|triu_zero/;

/** Why a case is none for qc: an op or form that is not supported and says so. */
const DECLARED = /no such operator|does not say which ONNX operator set|training mode|antialias/;

const bytesOf = (...path: string[]): Uint8Array => new Uint8Array(readFileSync(join(ROOT, ...path)));

const onOurDtypes = ({ graph }: ModelProto): boolean =>
  [...graph.input, ...graph.output].every(({ type }) => type?.tensorType && DTYPES.has(type.tensorType.elemType));

/** All inputs but the first, as values that are known when the model is compiled. */
function known(names: readonly string[], feeds: Readonly<Record<string, Tensor>>): Record<string, InputValue> {
  const bound = names.length === 1 ? names : names.slice(1);
  return Object.fromEntries(
    bound.map((name) => {
      const { type, data } = feeds[name] as Tensor;
      return [name, { shape: type.shape, values: Array.from(data as ArrayLike<number | bigint>, Number) }];
    }),
  );
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

/** Runs one case: as it is, or with operands as `inputValues`; `declared` where qc says that it does not have the op or form. */
async function runCase(name: string): Promise<'plain' | 'bound' | 'declared'> {
  const plain = bytesOf(name, 'model.onnx');
  const { graph } = decodeModel(plain);
  const [set = ''] = readdirSync(join(ROOT, name)).filter((entry) => entry.startsWith('test_data_set'));
  const tensor = (kind: string, i: number): Tensor => decodeTensorProto(bytesOf(name, set, `${kind}_${i}.pb`)).tensor;
  const feeds = Object.fromEntries(graph.input.map((input, i) => [input.name, tensor('input', i)]));
  const open = graph.input.filter((v) => v.type?.tensorType?.shape?.dim.some((d) => d.dimParam));
  const inputShapes = Object.fromEntries(open.map((v) => [v.name, (feeds[v.name] as Tensor).type.shape]));
  const names = graph.input.map((v) => v.name);
  const refused = (error: unknown): string => (error instanceof QcError && error.kind === 'model' ? error.message : '');
  try {
    const { wasm, report } = await compile(plain, { inputShapes }).catch((error: unknown) => {
      if (!/is computed by the network/.test(refused(error))) throw error;
      return compile(plain, { inputShapes, inputValues: known(names, feeds) });
    });
    const inputs = report.entries[0]?.inputs.map((input) => input.name) ?? [];
    const results = runTwice(wasm, Object.fromEntries(inputs.map((input) => [input, feeds[input] as Tensor])));
    for (const [i, output] of graph.output.entries())
      expectEqual(results[output.name] as never, tensor('output', i), output.name);
    return inputs.length === names.length ? 'plain' : 'bound';
  } catch (error) {
    if (DECLARED.test(refused(error))) return 'declared';
    throw error;
  }
}

if (skipUnless(existsSync(ROOT), "ONNX's node tests", 'apt-get install libonnx-testdata'))
  test("ONNX's node tests", async () => {
    const failures: string[] = [];
    const counts = { plain: 0, bound: 0, declared: 0 };
    for (const name of readdirSync(ROOT).sort()) {
      if (NOT_OURS.test(name) || !existsSync(join(ROOT, name, 'model.onnx'))) continue;
      if (!onOurDtypes(decodeModel(bytesOf(name, 'model.onnx')))) continue;
      try {
        counts[await runCase(name)]++;
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
      }
    }
    assert.equal(failures, []);
    console.log(`  ${counts.plain} cases as they are, ${counts.bound} with operands bound when compiling`);
    assert.ok(counts.plain > 630, `only ${counts.plain} cases`);
    assert.is(counts.bound, 6);
  });

test.run();
