/** Bundlers: the plugin in Vite, Rollup, webpack and esbuild, and packages without it; what they make runs in Node or Chromium. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as esbuild } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/compile.js';
import { compileCached } from '../../src/plugin/compile-cached.js';
import { plugin } from '../../src/plugin/plugin.js';
import type { Net } from '../../src/runtime/loader.js';
import { DIGITS, loadCompiled, ROOT } from '../support/models.js';
import { skipUnless } from '../support/skip.js';
import { browsing, CHROMIUM, INSTALL, output, serving } from './engines.js';

let folder = '';
let expected = '';

const MAIN = `
import net, { load } from './digits.onnx?qc';
if (net.load !== load) throw new Error('the default export has load');
const loaded = await load();
const [{ name }] = loaded.inputs;
const outputs = loaded.run({ [name]: Float32Array.from({ length: 784 }, (_, i) => (i % 13) / 13) });
console.log('results ' + JSON.stringify(Object.values(outputs).map((data) => [...data].join())));
`;
const PLAIN = MAIN.replace(/import .*\n.*\n/, "import { load } from './digits.mjs';\n");

function runPlain(net: Net): string {
  const [{ name }] = net.inputs as [Net['inputs'][number]];
  const outputs = net.run({ [name]: Float32Array.from({ length: 784 }, (_, i) => (i % 13) / 13) });
  return JSON.stringify(Object.values(outputs).map((data) => [...data].join()));
}

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qc-bundlers-'));
  const result = await compile(readFileSync(DIGITS), { name: 'digits' });
  expected = runPlain(await loadCompiled(result));
  copyFileSync(DIGITS, join(folder, 'digits.onnx'));
  writeFileSync(join(folder, 'main.mjs'), MAIN);
  writeFileSync(join(folder, 'plain.mjs'), PLAIN);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const { name, data } of result.files) writeFileSync(join(folder, name), data);
});
test.after(() => rmSync(folder, { recursive: true }));

const options = () => ({ cache: join(folder, 'cache') });
const resultsOf = (text: string): string => /results (.*)/.exec(text)![1]!;
const inNode = async (file: string): Promise<string> =>
  resultsOf(await output(process.execPath, [file], dirname(file)));

/** A bundler of test/engines, if it is there. */
async function bundler<T>(name: string): Promise<T> {
  const require = createRequire(join(INSTALL, 'package.json'));
  return (await import(pathToFileURL(require.resolve(name)).href)) as T;
}
const has = (name: string, title: string): boolean =>
  skipUnless(
    existsSync(join(INSTALL, 'node_modules', name)),
    title,
    `${name} is not installed: npm ci --prefix test/engines`,
  );

/** Runs a page of a folder in Chromium. */
const inChromium = (out: string): Promise<string> =>
  serving({ folder: out }, (base) =>
    browsing(async (page) => {
      const printed = page.waitForEvent('console', { predicate: (m) => m.text().startsWith('results ') });
      await page.goto(`${base}/index.html`);
      return resultsOf((await printed).text());
    }),
  );

test('esbuild', async () => {
  const out = join(folder, 'esbuild');
  const plugins = [plugin.esbuild(options())];
  await esbuild({
    entryPoints: [join(folder, 'main.mjs')],
    outdir: out,
    bundle: true,
    format: 'esm',
    plugins,
    logLevel: 'silent',
  });
  assert.ok(readdirSync(out).some((file) => file.endsWith('.wasm')));
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }');
  assert.is(await inNode(join(out, 'main.js')), expected);
});

interface Rollup {
  rollup(options: object): Promise<{ write(options: object): Promise<unknown>; close(): Promise<void> }>;
}
if (has('rollup', 'Rollup'))
  test('Rollup', async () => {
    const { rollup } = await bundler<Rollup>('rollup');
    const out = join(folder, 'rollup');
    const bundle = await rollup({ input: join(folder, 'main.mjs'), plugins: [plugin.rollup(options())] });
    await bundle.write({ dir: out, format: 'es', entryFileNames: '[name].mjs' });
    await bundle.close();
    assert.is(await inNode(join(out, 'main.mjs')), expected);
  });

interface Vite {
  build(options: object): Promise<unknown>;
}
for (const [title, entry] of [
  ['Vite', 'main.mjs'],
  ['Vite without the plugin', 'plain.mjs'],
] as const)
  if (has('vite', title) && skipUnless(existsSync(CHROMIUM), title, `${CHROMIUM} is not installed`))
    test(title, async () => {
      const { build } = await bundler<Vite>('vite');
      const root = join(folder, `vite-${entry}`);
      mkdirSync(root);
      for (const file of ['digits.onnx', 'digits.mjs', 'digits.wasm', entry])
        copyFileSync(join(folder, file), join(root, file));
      writeFileSync(join(root, 'index.html'), `<!doctype html><script type="module" src="/${entry}"></script>`);
      await build({
        root,
        configFile: false,
        logLevel: 'error',
        plugins: entry === 'main.mjs' ? [plugin.vite(options())] : [],
        build: { target: 'es2022' },
      });
      assert.ok(readdirSync(join(root, 'dist/assets')).some((file) => file.endsWith('.wasm')));
      assert.is(await inChromium(join(root, 'dist')), expected);
    });

interface Webpack {
  default(
    options: object,
    done: (error: Error | null, stats?: { hasErrors(): boolean; toString(o?: object): string }) => void,
  ): void;
}
for (const [title, entry] of [
  ['webpack', 'main.mjs'],
  ['webpack without the plugin', 'plain.mjs'],
] as const)
  if (has('webpack', title) && skipUnless(existsSync(CHROMIUM), title, `${CHROMIUM} is not installed`))
    test(title, async () => {
      const { default: webpack } = await bundler<Webpack>('webpack');
      const out = join(folder, `webpack-${entry}`);
      await new Promise<void>((done, failed) =>
        webpack(
          {
            mode: 'production',
            context: folder,
            entry: join(folder, entry),
            output: { path: out, filename: 'main.js' },
            experiments: { topLevelAwait: true },
            plugins: entry === 'main.mjs' ? [plugin.webpack(options())] : [],
          },
          (error, stats) => {
            if (error || stats?.hasErrors()) failed(error ?? new Error(stats?.toString({ all: false, errors: true })));
            else done();
          },
        ),
      );
      writeFileSync(join(out, 'index.html'), '<!doctype html><script type="module" src="main.js"></script>');
      assert.is(await inChromium(out), expected);
    });

test('the cache knows content and options', async () => {
  const cache = join(folder, 'own-cache');
  const model = join(folder, 'digits.onnx');
  const first = await compileCached(model, {}, cache);
  writeFileSync(first.loader, '// kept');
  const again = await compileCached(model, {}, cache);
  assert.equal(again, first);
  assert.is(readFileSync(again.loader, 'utf8'), '// kept');
  assert.is.not((await compileCached(model, { target: 'relaxed' }, cache)).folder, first.folder);
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'digits.onnx'), readFileSync(join(ROOT, 'examples/digits/digits-fp32.onnx')));
  assert.is.not((await compileCached(join(other, 'digits.onnx'), {}, cache)).folder, first.folder);
});

test('a model that cannot be compiled fails the build with file and remedy', async () => {
  writeFileSync(join(folder, 'broken.onnx'), 'not a model');
  writeFileSync(join(folder, 'broken.mjs'), "import './broken.onnx?qc';");
  const plugins = [plugin.esbuild(options())];
  await esbuild({
    entryPoints: [join(folder, 'broken.mjs')],
    outdir: join(folder, 'broken'),
    bundle: true,
    plugins,
    logLevel: 'silent',
  }).then(
    () => assert.unreachable('must fail'),
    (error: Error) => assert.match(error.message, /qc: .*broken\.onnx/),
  );
});

test.run();
