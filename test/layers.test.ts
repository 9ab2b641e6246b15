import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findCycles, findImports, layerError, layerOf, packageError } from '../tools/check-layers.js';

const lazy = { target: 'binaryen', line: 1, typeOnly: false, dynamic: true };

test('imports are found with their line, also over several lines, and not in comments', () => {
  const text = `// import './no.js'
import a from './a.js';
import type { B } from './b.js';
/* import './no.js'; */
import {
  c,
} from 'c';
export * from './d.js';
import './e.js';
const text = 'import';
const f = await import('./f.js');
type G = import('./g.js').G;
`;
  assert.equal(
    findImports(text).map((i) => [i.line, i.target, i.typeOnly, i.dynamic]),
    [
      [2, './a.js', false, false],
      [3, './b.js', true, false],
      [5, 'c', false, false],
      [8, './d.js', false, false],
      [9, './e.js', false, false],
      [11, './f.js', false, true],
      [12, './g.js', true, true],
    ],
  );
});

test('the longest path owns a file', () => {
  assert.is(layerOf('compile.ts'), '.');
  assert.is(layerOf('codegen/plan.ts'), 'codegen');
  assert.is(layerOf('codegen/plan/arena.ts'), 'codegen');
  assert.is(layerOf('codegen/builder/expr.ts'), 'codegen/builder');
  assert.is(layerOf('codegen/kernel.ts'), 'codegen/kernel.ts');
  assert.is(layerOf('unheard/of.ts'), undefined);
});

test('imports run downwards', () => {
  assert.is(layerError('ops/conv.ts', 'ir/graph.ts'), undefined);
  assert.is(layerError('cli/main.ts', 'codegen/builder/expr.ts'), undefined);
  assert.is(layerError('codegen/emit.ts', 'codegen/kernels/conv.ts'), undefined);
  assert.match(layerError('ir/graph.ts', 'ops/conv.ts')!, 'layer ir must not import ops/conv.ts');
  assert.match(layerError('ops/conv.ts', 'codegen/emit.ts')!, 'must not');
  assert.match(layerError('runtime/loader.ts', 'support/errors.ts')!, 'layer runtime must not');
  assert.match(layerError('compile.ts', 'host/node.ts')!, 'must not');
  assert.match(layerError('unheard/of.ts', 'ir/graph.ts')!, 'no layer is defined for unheard/of.ts');
});

test('packages: binaryen lazily and only in the builder, builtins only in host and cli', () => {
  assert.is(packageError('codegen/builder/module.ts', lazy), undefined);
  assert.match(packageError('codegen/builder/module.ts', { ...lazy, dynamic: false })!, 'lazily');
  assert.match(packageError('codegen/emit.ts', lazy)!, 'only codegen/builder may import binaryen');
  assert.match(packageError('ir/graph.ts', { ...lazy, target: 'node:fs' })!, 'only host and cli');
  assert.is(packageError('ir/graph.ts', { ...lazy, target: '@dagrejs/graphlib' }), undefined);
});

test('cycles are found', () => {
  const edges = (pairs: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(pairs));
  assert.equal(findCycles(edges({ a: ['b', 'c'], b: ['c'], c: [] })), []);
  assert.equal(findCycles(edges({ a: ['b'], b: ['c'], c: ['b'] })), [['b', 'c', 'b']]);
});

test.run();
