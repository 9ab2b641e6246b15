/** Damaged models end in a module or in an error for the user. `npm run fuzz` tries more of them, as CI does. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzz } from '../../tools/fuzz/fuzz.js';

const FILES = 2000;

test(`${FILES} mutants of small models`, async () => {
  const { compiled, findings } = await fuzz(0, FILES);
  assert.equal(findings, []);
  assert.ok(compiled > FILES / 20, `only ${compiled} mutants are models still`);
  assert.ok(compiled < FILES / 2, `${compiled} mutants are models still`);
});

test.run();
