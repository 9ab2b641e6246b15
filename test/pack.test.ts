/** The package as users get it: packed, installed into an empty folder, run from there. `npm test` has built dist/. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { INSTALL } from './embed/engines.js';
import { skipUnless } from './support/skip.js';

const pkg = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string };
const temp = mkdtempSync(join(tmpdir(), 'qc-pack-'));
const home = join(temp, 'user');

function run(cwd: string, command: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

/** Packs the repo; the answer lists the files of the tarball. */
function pack(): { tarball: string; files: string[] } {
  const { code, out, err } = run('.', 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', temp);
  if (code !== 0) throw new Error(`npm pack failed: ${err}`);
  const result = JSON.parse(out) as unknown;
  const [packed] = Object.values(result as object) as { filename: string; files: { path: string }[] }[];
  return { tarball: join(temp, packed.filename), files: packed.files.map((file) => file.path) };
}

/** Installs the tarball where nothing else is. */
function install(tarball: string): { ok: boolean; offline: boolean; err: string } {
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', home];
  const { code, err } = run(home, 'npm', 'install', ...flags, tarball);
  return { ok: code === 0, offline: /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(err), err };
}

/** Name and version of every installed package, nested ones included. */
function installed(folder: string): { name: string; version: string }[] {
  const manifests = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|[\\/])package\.json$/.test(path),
  );
  return manifests.map((path) => JSON.parse(readFileSync(join(folder, path), 'utf8')));
}

const { tarball, files } = pack();
const { ok, offline, err } = install(tarball);
const online = skipUnless(!offline, 'the packed tarball installs and runs', 'the package registry is unreachable');

test.after(() => rmSync(temp, { recursive: true, force: true }));

test('the tarball holds the build product and the papers, nothing else', () => {
  const expected = /^(dist\/|docs\/|README\.md$|CHANGELOG\.md$|LICENSE$|package\.json$)/;
  assert.equal(
    files.filter((file) => !expected.test(file)),
    [],
  );
  for (const file of ['dist/index.js', 'dist/index.d.ts', 'dist/cli.js', 'dist/THIRD-PARTY-LICENSES.txt', 'LICENSE']) {
    assert.ok(files.includes(file), `${file} is missing`);
  }
});

const publint = join(INSTALL, 'node_modules/publint/src/cli.js');
if (skipUnless(existsSync(publint), 'publint finds nothing', 'publint is not installed: npm ci --prefix test/engines'))
  test('publint finds nothing', () => {
    const { code, out, err } = run(temp, process.execPath, publint, 'run', tarball, '--strict');
    assert.is(code, 0, out + err);
  });

if (online) {
  test('it installs into an empty folder', () => assert.ok(ok, err));

  test('no protobufjs with open advisories comes along', () => {
    const versions = installed(join(home, 'node_modules')).filter(
      (p) => p.name === 'protobufjs' || p.name === 'onnx-proto',
    );
    for (const { name, version } of versions) {
      const [major, minor] = version.split('.').map(Number);
      assert.ok(name === 'protobufjs' && (major > 7 || (major === 7 && minor >= 5)), `${name} ${version}`);
    }
  });

  test('qc --version', () => {
    const { code, out } = run(home, 'npx', '--no-install', 'qc', '--version');
    assert.is(code, 0);
    assert.is(out.trim(), pkg.version);
  });

  test('the library is importable', () => {
    const script = `import * as qc from '${pkg.name}'; console.log(typeof qc.compile);`;
    const { code, out, err } = run(home, process.execPath, '--input-type=module', '-e', script);
    assert.is(code, 0, err);
    assert.is(out.trim(), 'function');
  });

  test('the plugins for bundlers are importable', () => {
    for (const bundler of ['vite', 'rollup', 'webpack', 'esbuild']) {
      const script = `const { default: qc } = await import('${pkg.name}/${bundler}'); console.log(typeof qc, qc().name ?? '')`;
      const { code, out, err } = run(home, process.execPath, '--input-type=module', '-e', script);
      assert.is(code, 0, err);
      assert.match(out, /^function/);
    }
  });

  test('its declarations stand on their own', () => {
    writeFileSync(join(home, 'user.ts'), `import { compile } from '${pkg.name}';\nexport const f = compile;\n`);
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom'];
    const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');
    const { code, out } = run(home, process.execPath, tsc, ...flags, 'user.ts');
    assert.is(code, 0, out);
  });

  test('the installed command compiles a model', () => {
    const folder = join(process.cwd(), 'examples/digits');
    const model = readdirSync(folder).find((name) => name.endsWith('.onnx'));
    assert.ok(model, 'examples/digits holds no model');
    const { code, err } = run(home, 'npx', '--no-install', 'qc', 'compile', join(folder, model!), '-o', 'out');
    assert.is(code, 0, err);
    const stem = model!.replace(/\.onnx$/, '');
    for (const end of ['wasm', 'mjs', 'd.ts']) assert.ok(existsSync(join(home, 'out', `${stem}.${end}`)), `no .${end}`);
  });
}

test.run();
