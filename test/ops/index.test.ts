/** The list of ops: what every op must have, and the names that users may give. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ONNX_ALIASES, ONNX_IMPORTERS, OPS } from '../../src/ops/index.js';
import { opsTable } from '../../tools/list-ops.js';

const FOLDER = fileURLToPath(new URL('../../src/ops/', import.meta.url));

test('every op has its own file, named after it', () => {
  const files = new Set(readdirSync(FOLDER));
  for (const name of OPS.keys()) assert.ok(files.has(`${name.replaceAll('_', '-')}.ts`), `no file for ${name}`);
});

test('no file that defines an op is missing in the list', () => {
  const defined = readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${FOLDER}${entry.name}`, 'utf8'))
    .filter((text) => /^export const \w+(: Op)? = (defineOp|\w+Op)\b/m.test(text));
  assert.is(OPS.size, defined.length);
});

test('every op is documented and has a sensible arity', () => {
  for (const [name, op] of OPS) {
    assert.is(op.name, name);
    assert.ok(op.doc.length > 0, name);
    assert.ok(op.inputs[0] <= op.inputs[1], name);
  }
});

test('ONNX types stand for existing ops', () => {
  assert.is(ONNX_IMPORTERS.get('Conv')?.op, OPS.get('conv2d'));
  assert.equal(ONNX_ALIASES.get('Mul'), ['elementwise_mul']);
  assert.equal(ONNX_ALIASES.get('Gemm'), ['fc', 'mul']);
  assert.equal(ONNX_ALIASES.get('Flatten'), ['reshape2']);
  for (const names of ONNX_ALIASES.values()) for (const name of names) assert.ok(OPS.has(name), name);
});

test('docs/ops.md lists every op', () => {
  const text = readFileSync(fileURLToPath(new URL('../../docs/ops.md', import.meta.url)), 'utf8');
  const table = text.slice(text.indexOf('| op |')).trimEnd();
  assert.is(table, opsTable(), 'put the output of tsx tools/list-ops.ts into docs/ops.md');
});

test.run();
