/**
 * Builds the package into dist/: index.js (the library), cli.js (the `qc` command), worker.js (its threads),
 * bench-child.js (its measuring processes), chunks they share, declarations.
 *
 * onnx-proto is bundled with the protobufjs of this repo (8.x), because the 6.x it asks for has open advisories and
 * npm overrides do not reach those who install the package. The library's part must run in a page too, so it may not
 * reach a Node builtin; binaryen stays an external dynamic import, loaded only by those who compile.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { maintainedProtobuf } from './maintained-protobuf.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };

/** The plugins for bundlers, each an entry point of its own. */
const PLUGINS = Object.fromEntries(
  ['vite', 'rollup', 'webpack', 'esbuild'].map((name) => [name, `src/plugin/${name}.ts`]),
);

/** The external imports reachable from one output file through static imports and shared chunks. */
function externalsOf(output: string, meta: Metafile): Set<string> {
  const seen = new Set<string>();
  const externals = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { path, external } of meta.outputs[file].imports) external ? externals.add(path) : visit(path);
  };
  visit(output);
  return externals;
}

/** Throws if a bundle imports what it must not. */
function checkBundle(meta: Metafile): void {
  const builtins = [...externalsOf('dist/index.js', meta)].filter((path) => path.startsWith('node:'));
  if (builtins.length > 0) throw new Error(`dist/index.js must run without Node, but imports ${builtins.join(', ')}`);
  for (const [file, output] of Object.entries(meta.outputs)) {
    const eager = output.imports.filter((i) => i.path === 'binaryen' && i.kind !== 'dynamic-import');
    if (eager.length > 0) throw new Error(`${file} imports binaryen statically`);
  }
  const versions = Object.keys(meta.inputs).filter((path) => /protobufjs\/src\/index-minimal/.test(path));
  if (versions.length !== 1)
    throw new Error(`expected one bundled protobufjs, found: ${versions.join(', ') || 'none'}`);
}

/** Writes the licences of the packages inside the bundle, as these licences ask. */
function thirdPartyLicences(meta: Metafile): void {
  const inside = Object.keys(meta.inputs).flatMap(
    (path) => /^node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(path)?.[1] ?? [],
  );
  const texts = [...new Set(inside)].sort().map((name) => {
    const path = join(root, 'node_modules', name, 'LICENSE');
    if (!existsSync(path)) throw new Error(`${name} is bundled but has no LICENSE file`);
    return `${name}\n\n${readFileSync(path, 'utf8').trim()}\n`;
  });
  writeFileSync(
    join(root, 'dist/THIRD-PARTY-LICENSES.txt'),
    texts.join('\n----------------------------------------\n\n'),
  );
}

/** Bundles both entry points; what they share goes to dist/chunks. */
async function bundle(): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      index: 'src/index.ts',
      cli: 'src/cli/main.ts',
      worker: 'src/host/worker.ts',
      'bench-child': 'src/host/bench/child.ts',
      ...PLUGINS,
    },
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['module', 'main'],
    external: ['node:*', ...Object.keys(pkg.dependencies)],
    plugins: [maintainedProtobuf],
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  checkBundle(metafile);
  thirdPartyLicences(metafile);
}

/** Gives the command its shebang and its executable bit. */
function finishCommand(): void {
  const path = join(root, 'dist/cli.js');
  const text = readFileSync(path, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(path, `#!/usr/bin/env node\n${text}`);
  chmodSync(path, 0o755);
}

/** Lets `npx qc` in this folder run the build: npm links the commands of dependencies, not a package's own. */
function linkCommand(): void {
  if (process.platform === 'win32') return; // links take rights there
  const link = join(root, 'node_modules/.bin/qc');
  rmSync(link, { force: true });
  symlinkSync('../../dist/cli.js', link);
}

/** Declarations of everything that src/index.ts reaches. */
function declarations(): void {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (run.status !== 0) throw new Error('tsc could not write the declarations');
  writeFileSync(join(root, 'dist/index.d.ts'), "export * from './types/index.js';\n");
  for (const name of Object.keys(PLUGINS)) {
    const path = `./types/plugin/${name}.js`;
    writeFileSync(join(root, `dist/${name}.d.ts`), `export * from '${path}';\nexport { default } from '${path}';\n`);
  }
  copyFileSync(join(root, 'src/plugin/client.d.ts'), join(root, 'dist/client.d.ts'));
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
await bundle();
finishCommand();
linkCommand();
declarations();
