import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Loader } from '../../src/runtime/loader.js';
import { declarations, loaderSource } from '../../src/runtime/package-files.js';
import { INFO, moduleBytes } from './module.js';

const WASM = moduleBytes();
const X = 'x/in "1"';
const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'qc-package-'));
});
test.after(() => rmSync(folder, { recursive: true }));

async function emit(name: string, inline: boolean, info = INFO): Promise<Loader> {
  if (!inline) writeFileSync(join(folder, `${name}.wasm`), moduleBytes(info));
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, loaderSource(name, info, { binaries: { wasm: moduleBytes(info) }, inline }));
  return (await import(pathToFileURL(path).href)) as Loader;
}

for (const name of ['tiny', 'odd name #1? 100% é'])
  for (const inline of [false, true])
    test(`an emitted package runs: ${name}${inline ? ', inline' : ''}`, async () => {
      const { load } = await emit(inline ? `${name} inline` : name, inline);
      const net = await load();
      const { y } = net.run({ [X]: new Float32Array([1, 2, 3, 4]), m: new BigInt64Array(1) });
      assert.equal([...(y as Float32Array)], [3, 5, 7, 9]);
    });

test('names that would end a comment or a line stay inside', async () => {
  const [entry] = INFO.entries;
  const name = 'a*/b\u2028c\nd`"e';
  const info = { ...INFO, entries: [{ ...entry!, inputs: [{ ...entry!.inputs[0]!, name }] }] };
  const net = await (await emit('hostile', false, info)).load();
  assert.equal([...(net.run({ [name]: new Float32Array(4) }).y as Float32Array)], [1, 1, 1, 1]);
  assert.not.match(declarations('hostile', info), /[^\n\x20-\x7e]/);
});

test('the address of the module is a form that bundlers recognize', () => {
  assert.match(loaderSource('tiny', INFO), /new URL\("\.\/tiny\.wasm", import\.meta\.url\)/);
  assert.not.match(loaderSource('tiny', INFO, { binaries: { wasm: WASM }, inline: true }), /import\.meta/);
});

const USE = `
import { load, loadSync, type Inputs, type Net } from './net/tiny.mjs';
const net: Net = await load();
const given: Inputs = { ${JSON.stringify(X)}: new Float32Array(4), m: new BigInt64Array(1) };
const { y, n } = net.run(given);
const a: Float32Array = y; const b: BigInt64Array = n;
const view: BigInt64Array = net.input('m');
const name: 'y' | 'n' = net.outputs[0]!.name;
await load({ fetch }); await load(fetch('x')); await load(new URL('a:b'), { fetch });
loadSync(new Uint8Array()).free();
// @ts-expect-error a wrong name
net.run({ x: new Float32Array(4), m: new BigInt64Array(1) });
// @ts-expect-error a wrong type
net.run({ ...given, m: new Float32Array(1) });
// @ts-expect-error no such output
net.output('z');
console.log(a, b, view, name);
`;

function typecheck(project: string, options: object): void {
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', skipLibCheck: false, ...options };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const run = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
  assert.is(run.stdout, '');
  assert.is(run.status, 0);
}

test('the declarations type the import in a project that holds them', () => {
  const project = join(folder, 'project');
  mkdirSync(join(project, 'net'), { recursive: true });
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'));
  symlinkSync(join(root, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'));
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(join(project, 'net/tiny.mjs'), loaderSource('tiny', INFO));
  writeFileSync(join(project, 'net/tiny.d.ts'), declarations('tiny', INFO));
  writeFileSync(join(project, 'main.ts'), USE);
  typecheck(project, { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] });
  typecheck(project, { module: 'nodenext', lib: ['es2022'], types: ['node'], skipLibCheck: true });
});

test('the declarations tell shape, size and grid', () => {
  assert.match(
    declarations('tiny', INFO),
    /\/\*\* f32, shape \[1, 4\], 4 elements; the network quantizes it: scale 0.5, zero point 3 \*\/\n\s+readonly "x\/in \\"1\\"": Float32Array;/,
  );
});

test.run();
