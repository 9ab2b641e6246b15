import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LOADER_TEXT } from '../../src/runtime/loader-text.js';
import { buildLoaderText, loaderTextModule } from '../../tools/embed-loader.js';

const file = new URL('../../src/runtime/loader-text.ts', import.meta.url);

test('loader-text.ts is what tools/embed-loader.ts makes of loader.ts', () => {
  const hint = 'run: npx tsx tools/embed-loader.ts';
  assert.is(LOADER_TEXT, buildLoaderText(), hint);
  assert.is(readFileSync(file, 'utf8'), loaderTextModule(LOADER_TEXT), hint);
});

test('the loader is small and uses nothing that a page may forbid', () => {
  assert.ok(LOADER_TEXT.length < 6000, `${LOADER_TEXT.length} bytes`);
  assert.not.match(LOADER_TEXT, /\beval\b|new Function|\bimport\b|\brequire\b|\bBuffer\b/);
});

test.run();
