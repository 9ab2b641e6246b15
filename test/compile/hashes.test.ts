/** The hash of a model is that of all its files. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { externalFields, model } from '../support/onnx.js';

const BYTES = model({
  inputs: { x: [4] },
  outputs: { y: [4] },
  initializers: { c: { shape: [4], fields: externalFields('c.bin', 0, 16) } },
  nodes: [{ op: 'Add', inputs: ['x', 'c'], outputs: ['y'] }],
});

/** The hash in the module for a content of the file beside the model. */
async function hashWith(...numbers: number[]): Promise<string> {
  const data = new Uint8Array(Float32Array.from(numbers).buffer);
  const { report } = await compile({ bytes: BYTES, read: () => data });
  return report.hashes.model;
}

test('the hash of a model changes with an external data file, and with it alone', async () => {
  const hash = await hashWith(1, 2, 3, 4);
  assert.is(await hashWith(1, 2, 3, 4), hash);
  assert.is.not(await hashWith(1, 2, 3, 5), hash);
  // also where the module does not need the bytes that differ
  assert.is.not(await hashWith(1, 2, 3, 4, 5), hash);
});

test.run();
