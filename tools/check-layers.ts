/**
 * Checks the shape of src/: imports run downwards only, no file imports itself in a circle, files stay small.
 * (The linter checks the length of functions.) Usage: tsx tools/check-layers.ts [directory of the repo]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What each layer may import besides itself. A layer is the longest path listed here that holds the file: a folder with
 * all below it, or a single file, such as the contracts that ops and codegen share. `.` are the files directly in src/.
 */
const LAYERS: Record<string, readonly string[]> = {
  support: [],
  'runtime/abi.ts': [],
  runtime: ['runtime/abi.ts'],
  ir: ['support'],
  quant: ['support', 'ir'],
  data: ['support', 'ir'],
  'codegen/builder': ['support'],
  'codegen/kernel.ts': ['support', 'ir', 'quant', 'codegen/builder'],
  'codegen/lowering.ts': ['support', 'ir', 'quant', 'codegen/kernel.ts'],
  'codegen/gemm-table.ts': ['codegen/kernels'],
  'codegen/winograd-table.ts': [],
  'codegen/select.ts': [
    'support',
    'codegen/gemm-table.ts',
    'codegen/winograd-table.ts',
    'codegen/kernels',
    'codegen/kernel.ts',
  ],
  'codegen/kernels': ['support', 'ir', 'quant', 'codegen/builder', 'codegen/kernel.ts'],
  ops: [
    'support',
    'ir',
    'quant',
    'codegen/kernels',
    'codegen/kernel.ts',
    'codegen/lowering.ts',
    'codegen/select.ts',
    'codegen/winograd-table.ts',
  ],
  frontends: ['support', 'ir', 'quant', 'ops'],
  passes: ['support', 'ir', 'quant', 'ops'],
  codegen: ['support', 'ir', 'quant', 'ops', 'codegen/*', 'runtime/abi.ts'],
  '.': ['support', 'ir', 'quant', 'ops', 'data', 'frontends', 'passes', 'codegen', 'codegen/*', 'runtime', 'runtime/*'],
  'index.ts': ['.', 'support', 'passes', 'runtime', 'runtime/*', 'tasks'],
  tasks: ['.', 'support', 'ir', 'quant', 'data', 'ops', 'passes', 'frontends', 'runtime', 'runtime/*'],
  report: ['.', 'support', 'ir', 'data', 'runtime', 'runtime/*', 'tasks'],
  host: ['.', 'support', 'ir', 'data', 'runtime', 'runtime/*', 'tasks'],
  plugin: ['.', 'support', 'host', 'runtime', 'runtime/*'],
  cli: ['*'],
};

/** Which layers may import a package; every other package is free, `node:` stands for all of Node's builtins. */
const PACKAGES: Record<string, readonly string[]> = {
  'node:': ['host', 'cli', 'plugin'],
  unplugin: ['plugin'],
  binaryen: ['codegen/builder'],
  'onnx-proto': ['frontends'],
  protobufjs: ['frontends'],
  yargs: ['cli'],
  picocolors: ['cli', 'host'],
  'cli-progress': ['cli', 'host'],
};

const MAX_LINES = 500;
const MAX_MEDIAN = 150;

interface Import {
  readonly target: string;
  readonly line: number;
  /** Type-only imports vanish at build: they must obey the layers, but cannot make a cycle at run time. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

interface SourceFile {
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

const STATIC_IMPORT = /^\s*(import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** The imports of a source text. `import('x').T` in a type position counts as type-only. */
export function findImports(text: string): Import[] {
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*\/\/.*$/gm, '');
  const lineAt = (index: number): number => code.slice(0, index).split('\n').length;
  const found: Import[] = [];
  for (const match of code.matchAll(STATIC_IMPORT)) {
    const start = match.index + match[0].search(/\S/);
    found.push({ target: match[3], line: lineAt(start), typeOnly: match[2] !== undefined, dynamic: false });
  }
  for (const match of code.matchAll(DYNAMIC_IMPORT)) {
    const before = code.slice(0, match.index).trimEnd();
    const typeOnly = /typeof$|[:|&<]$/.test(before) || /^\.[A-Z]/.test(code.slice(match.index + match[0].length));
    found.push({ target: match[1], line: lineAt(match.index), typeOnly, dynamic: true });
  }
  return found;
}

/** The layer that owns a file of src/, or undefined for a folder that the table does not know. */
export function layerOf(path: string): string | undefined {
  for (let at = path; at !== '.'; at = posix.dirname(at)) if (at in LAYERS) return at;
  return path.includes('/') ? undefined : '.';
}

/** Why `from` may not import `to` (both paths in src/), or undefined if it may. */
export function layerError(from: string, to: string): string | undefined {
  const layer = layerOf(from);
  const target = layerOf(to);
  if (layer === undefined || target === undefined) return `no layer is defined for ${layer === undefined ? from : to}`;
  const allowed = LAYERS[layer];
  const matches = (name: string): boolean =>
    name === target || name === '*' || (name.endsWith('/*') && target.startsWith(name.slice(0, -1)));
  if (target === layer || allowed.some(matches)) return undefined;
  return `layer ${layer} must not import ${to} (it may import ${allowed.join(', ') || 'nothing outside itself'})`;
}

/** Why a file of src/ may not import a package, or undefined if it may. */
export function packageError(from: string, found: Import): string | undefined {
  const name = Object.keys(PACKAGES).find(
    (p) => found.target === p || found.target.startsWith(p.endsWith(':') ? p : `${p}/`),
  );
  if (name === undefined) return undefined;
  const layer = layerOf(from) ?? '';
  if (!PACKAGES[name].includes(layer)) return `only ${PACKAGES[name].join(' and ')} may import ${found.target}`;
  if (name === 'binaryen' && !found.dynamic && !found.typeOnly)
    return 'binaryen must be imported lazily: await import()';
  return undefined;
}

/** The cycles among files that import each other at run time, each as a list of paths. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}

/** Resolves a relative import to a path in src/; undefined if no such file exists or it leaves src/. */
function resolve(from: string, target: string, known: ReadonlySet<string>): string | undefined {
  const base = posix.join(posix.dirname(from), target);
  return [base, base.replace(/\.js$/, '.ts'), `${base}.ts`, `${base}/index.ts`].find((path) => known.has(path));
}

/** Why one import is not allowed, or undefined if it is. `target` is the file it resolves to, if it is one of src/. */
function importError(from: string, found: Import, target: string | undefined): string | undefined {
  if (!found.target.startsWith('.')) return packageError(from, found);
  if (target !== undefined) return layerError(from, target);
  return posix.join(posix.dirname(from), found.target) === '../package.json'
    ? undefined
    : `cannot find ${found.target} in src/`;
}

function readSources(src: string): SourceFile[] {
  const names = readdirSync(src, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(src, path), 'utf8');
      return { path, lines: text.replace(/\n$/, '').split('\n').length, imports: findImports(text) };
    });
}

/** The median number of lines of the files. */
function medianLines(files: readonly SourceFile[]): number {
  const sorted = files.map((file) => file.lines).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** All complaints about the files of one src folder, as lines to print. */
export function check(src: string): { errors: string[]; files: number; median: number } {
  const files = readSources(src);
  const known = new Set(files.map((file) => file.path));
  const errors: string[] = [];
  const edges = new Map<string, string[]>();
  for (const file of files) {
    const next: string[] = [];
    for (const found of file.imports) {
      const target = found.target.startsWith('.') ? resolve(file.path, found.target, known) : undefined;
      const error = importError(file.path, found, target);
      if (error !== undefined) errors.push(`src/${file.path}:${found.line}: ${error}`);
      if (target !== undefined && !found.typeOnly) next.push(target);
    }
    edges.set(file.path, next);
    if (file.lines > MAX_LINES) errors.push(`src/${file.path}: ${file.lines} lines, the limit is ${MAX_LINES}`);
  }
  for (const cycle of findCycles(edges)) errors.push(`import cycle: ${cycle.join(' -> ')}`);
  const median = medianLines(files);
  if (median >= MAX_MEDIAN) errors.push(`the median file has ${median} lines, the limit is below ${MAX_MEDIAN}`);
  return { errors, files: files.length, median };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const repo = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..');
  const { errors, files, median } = check(join(repo, 'src'));
  for (const error of errors) console.error(error);
  console.log(`layers: ${files} files, median length ${median} lines, ${errors.length} problems`);
  process.exitCode = errors.length > 0 || files === 0 ? 1 : 0;
}
