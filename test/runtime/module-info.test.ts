import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isWasm, readModuleInfo } from '../../src/runtime/module-info.js';
import { fnv1a, selfTestInput, selfTestOutput } from '../../src/runtime/self-test.js';
import { customSection, INFO, moduleBytes } from './module.js';

const WASM = moduleBytes();

test('the description is read without compiling', () => {
  const { info, sizes } = readModuleInfo(WASM);
  assert.equal(info, INFO);
  assert.is(sizes.total, WASM.length);
  assert.ok(sizes.code > 0 && sizes.code < 200);
  assert.is(sizes.data, 0);
  assert.ok(sizes.info > JSON.stringify(INFO).length);
});

test('what is no module of qc says why', () => {
  assert.throws(() => readModuleInfo(new Uint8Array()), /not a WebAssembly module/);
  assert.throws(() => readModuleInfo(moduleBytes(null)), /not a module made by qc/);
  assert.throws(() => readModuleInfo(moduleBytes({ version: 7, compiler: '3.0.0' })), /made by qc 3.0.0 in format 7/);
  const damaged = new Uint8Array([...moduleBytes(null), ...customSection('qc', new Uint8Array([0xff, 0x7b]))]);
  assert.throws(() => readModuleInfo(damaged), /section "qc" is damaged/);
});

test('every truncation and any bytes give an Error of one line', () => {
  const check = (bytes: Uint8Array): void => {
    try {
      readModuleInfo(bytes);
    } catch (error) {
      assert.is((error as Error).constructor, Error);
      assert.not.match((error as Error).message, /\n/);
    }
  };
  for (let n = 0; n < WASM.length; n++) {
    check(WASM.subarray(0, n));
    assert.is(isWasm(WASM.subarray(0, n)), n >= 4);
  }
  fc.assert(fc.property(fc.uint8Array(), (tail) => check(new Uint8Array([...WASM.subarray(0, 8), ...tail]))));
});

test('inputs of a self-test follow the generator', () => {
  const input = { name: 'x', dtype: 'f32', shape: [2], offset: 0, scale: 0.25 } as const;
  let state = 1;
  const bytes = [0, 1].map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  const as = (dtype: 'f32' | 'i8' | 'u8' | 'i32' | 'i64' | 'bool') => selfTestInput({ ...input, dtype }, 1).buffer;
  assert.equal(
    [...new Float32Array(as('f32'))],
    bytes.map((b) => (b - 128) / 4),
  );
  assert.equal(
    [...new Int8Array(as('i8'))],
    bytes.map((b) => b - 128),
  );
  assert.equal([...new Uint8Array(as('u8'))], bytes);
  assert.equal([...new Int32Array(as('i32'))], bytes);
  assert.equal([...new BigInt64Array(as('i64'))], bytes.map(BigInt));
  assert.equal(
    [...new Uint8Array(as('bool'))],
    bytes.map((b) => b & 1),
  );
});

test('outputs of a self-test are kept as checksum and head', () => {
  assert.is(fnv1a(new Uint8Array()), '811c9dc5');
  assert.is(fnv1a(new TextEncoder().encode('foobar')), 'bf9cf968');
  const { head } = selfTestOutput('y', new Uint8Array(100).fill(255));
  assert.equal([...Buffer.from(head, 'base64')], new Array(64).fill(255));
});

test.run();
