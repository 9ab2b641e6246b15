import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LOADER_TEXTS } from '../../src/runtime/loader-text.js';
import { PARTS, partsFor } from '../../src/runtime/parts.js';
import { buildLoaderTexts, loaderTextModule } from '../../tools/embed-loader.js';
import { INFO } from './module.js';

const file = new URL('../../src/runtime/loader-text.ts', import.meta.url);

test('loader-text.ts is what tools/embed-loader.ts makes of the loader and its parts', () => {
  const hint = 'run: npx tsx tools/embed-loader.ts';
  assert.equal(LOADER_TEXTS, buildLoaderTexts(), hint);
  assert.is(readFileSync(file, 'utf8'), loaderTextModule(LOADER_TEXTS), hint);
});

test('the table has every part', () => {
  const others = ['createLoader', 'poolOf', 'servePool', 'serveThread'];
  const texts = Object.keys(LOADER_TEXTS).filter((name) => !others.includes(name));
  assert.equal(PARTS.map((part) => part.name as string).sort(), texts.sort());
});

test('the loader of a plain build is small', () => {
  const names = ['createLoader' as const, ...partsFor(INFO).map((part) => part.name)];
  const bytes = names.reduce((n, name) => n + LOADER_TEXTS[name].length, 0);
  assert.ok(bytes < 6000, `${bytes} bytes: ${names.join(', ')}`);
});

test('the loader uses nothing that a page may forbid', () => {
  for (const text of Object.values(LOADER_TEXTS))
    assert.not.match(text, /\beval\b|new Function|\bimport\b|\brequire\b|\bBuffer\b/);
});

test.run();
