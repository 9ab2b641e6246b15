/** The module without our loader: as docs/module.md says in JavaScript, and in wabt's interpreter, which is no JavaScript engine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CompileResult, compile } from '../../src/compile.js';
import type { ModuleInfo } from '../../src/runtime/abi.js';
import { byteLengthOf, selfTestInput } from '../../src/runtime/self-test.js';
import { DIGITS, loadCompiled, ROOT } from '../support/models.js';
import { skipUnless } from '../support/skip.js';
import { output } from './engines.js';
import { blockModel } from './workspace.js';

let folder = '';
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-bare-'));
});
test.after(() => rmSync(folder, { recursive: true }));

/** Inputs of a module by name, generated. */
const bytesOf = ({ inputs }: ModuleInfo['entries'][number]): Uint8Array[] => inputs.map((t) => selfTestInput(t, 3));

async function expectedOutputs(result: CompileResult): Promise<Uint8Array[]> {
  const net = await loadCompiled(result);
  const entry = result.report.entries[0]!;
  for (const [i, bytes] of bytesOf(entry).entries()) {
    const view = net.input(entry.inputs[i]!.name);
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes);
  }
  net.runInPlace();
  return entry.outputs.map(({ name }) => {
    const view = net.output(name);
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  });
}

test('the example of docs/module.md runs', async () => {
  const text = readFileSync(join(ROOT, 'docs/module.md'), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(text)![1]!;
  const result = await compile(readFileSync(DIGITS), { name: 'digits' });
  writeFileSync(join(folder, 'digits.wasm'), result.wasm);
  const [input] = bytesOf(result.report.entries[0]!) as [Uint8Array];
  const image = `const image = new Float32Array(Uint8Array.of(${[...input].join()}).buffer);`;
  const file = join(folder, 'example.mjs');
  writeFileSync(file, `${image}\n${example}\nconsole.log(JSON.stringify([...new Uint8Array(scores.buffer)]));\n`);
  const [expected] = await expectedOutputs(result);
  assert.equal(JSON.parse(await output(process.execPath, [file], folder)), [...expected!]);
});

/** A module that writes inputs into the net's memory, and reads words of it. */
function driver({ entries, memory }: ModuleInfo): Uint8Array {
  const entry = entries[0]!;
  const escaped = (bytes: Uint8Array): string =>
    Array.from(bytes, (b) => `\\${b.toString(16).padStart(2, '0')}`).join('');
  const data = bytesOf(entry).map((bytes, i) => `(data (i32.const ${entry.inputs[i]!.offset}) "${escaped(bytes)}")`);
  const module = binaryen.parseText(`(module
    (import "net" "memory" (memory ${memory.pages} ${memory.pages}))
    (import "net" "${entry.export}" (func $run))
    ${data.join('\n')}
    (func (export "go") (call $run))
    (func (export "word") (param i32) (result i32) (i32.load (local.get 0))))`);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const hasWabt = spawnSync('spectest-interp', ['--help']).status === 0;

for (const [name, model] of [
  ['digits', () => readFileSync(DIGITS)],
  ['block', blockModel],
] as const) {
  const title = `${name} gives the same bytes in wabt's interpreter`;
  if (!skipUnless(hasWabt, title, 'spectest-interp is not on the path (Debian: wabt)')) continue;
  test(title, async () => {
    const result = await compile(model(), { name });
    const entry = result.report.entries[0]!;
    writeFileSync(join(folder, 'net.wasm'), result.wasm);
    writeFileSync(join(folder, 'driver.wasm'), driver(result.report));
    const expected = await expectedOutputs(result);
    const invoke = (field: string, args: number[] = []) => ({
      type: 'invoke',
      field,
      args: args.map((value) => ({ type: 'i32', value: String(value) })),
    });
    const script = (change: number) => ({
      source_filename: 'net.wast',
      commands: [
        { type: 'module', line: 1, filename: 'net.wasm' },
        { type: 'register', line: 2, as: 'net' },
        { type: 'module', line: 3, filename: 'driver.wasm' },
        { type: 'action', line: 4, action: invoke('go'), expected: [] },
        ...entry.outputs.flatMap((tensor, k) => {
          assert.is(byteLengthOf(tensor) % 4, 0);
          const words = new Uint32Array(expected[k]!.buffer);
          return Array.from(words, (word, i) => ({
            type: 'assert_return',
            line: 5,
            action: invoke('word', [tensor.offset + 4 * i]),
            expected: [{ type: 'i32', value: String((word ^ change) >>> 0) }],
          }));
        }),
      ],
    });
    const run = (change: number) => {
      writeFileSync(join(folder, 'net.json'), JSON.stringify(script(change)));
      return spawnSync('spectest-interp', ['net.json'], { cwd: folder, encoding: 'utf8' });
    };
    const { status, stdout, stderr } = run(0);
    assert.is(status, 0, stdout.slice(0, 500) + stderr.slice(0, 500));
    // the two modules and the action count too
    const words = entry.outputs.reduce((n, t) => n + byteLengthOf(t) / 4, 0);
    assert.match(stdout, new RegExp(`^${words + 3}/${words + 3} tests passed`, 'm'), stdout.slice(-200));
    assert.is.not(run(1).status, 0, 'the interpreter compares');
  });
}

test.run();
