import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { skipUnless } from '../support/skip.js';
import { ENGINES, type Results } from './engines.js';
import { makeWorkspace, type Workspace } from './workspace.js';

let workspace: Workspace;
let expected: Results;

const packagesOf = (build: string): string[] =>
  Object.keys(workspace.packages).filter((name) => name.startsWith(`${build}/`));

/** Results without the folder of the build, so that builds can be compared. */
const byModel = (results: Results): Results =>
  Object.fromEntries(Object.entries(results).map(([name, value]) => [name.split('/')[1], value]));

test.before(async () => {
  workspace = await makeWorkspace();
  expected = byModel(await ENGINES[0]!.run(workspace, packagesOf('simd')));
});
test.after(() => rmSync(workspace.folder, { recursive: true }));

test('the first engine gives digests, and other inputs give others', () => {
  const lists = Object.values(expected);
  assert.ok(lists.length > 0);
  for (const list of lists) {
    assert.ok(Array.isArray(list), String(list));
    assert.is(new Set(list).size, list.length);
    for (const digest of list) assert.match(digest, /^[0-9a-f]{64}$/);
  }
});

for (const engine of ENGINES) {
  const title = `packages give the same bytes in ${engine.name}`;
  if (!skipUnless(existsSync(engine.path), title, `${engine.path} is not installed`)) continue;
  test(title, async () => {
    const builds = engine.relaxed ? ['simd', 'both', 'relaxed'] : ['simd', 'both'];
    const results = await engine.run(workspace, builds.flatMap(packagesOf));
    for (const build of builds) {
      const own = Object.fromEntries(Object.entries(results).filter(([name]) => name.startsWith(`${build}/`)));
      assert.equal(byModel(own), expected, build);
    }
  });
  if (!engine.relaxed)
    test(`an engine without relaxed SIMD says what is missing: ${engine.name}`, async () => {
      const results = await engine.run(workspace, ['relaxed/block']);
      assert.match(String(results['relaxed/block']), /block: .*no.* SIMD/);
    });
}

test('gzipped packages fit edge workers', () => {
  for (const [name, files] of Object.entries(workspace.packages)) {
    const shipped = files.filter((file) => !file.endsWith('.d.ts'));
    const sizes = shipped.map((file) => gzipSync(readFileSync(join(workspace.folder, name, '..', file))).length);
    const megabytes = sizes.reduce((a, b) => a + b, 0) / 2 ** 20;
    const plan = [3, 10].find((limit) => megabytes <= limit);
    console.log(`${name}: ${megabytes.toFixed(2)} MB gzipped, ${plan ? `fits a plan of ${plan} MB` : 'fits no plan'}`);
    assert.ok(plan !== undefined, name);
  }
});

test.run();
