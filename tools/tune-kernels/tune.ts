/**
 * Measures which tile is the fastest for every class of matrix products and writes src/codegen/gemm-table.ts; see README.md.
 *
 *     npm run tune -- [--node PATH,PATH] [--milliseconds 20] [--core N] [--dry-run]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import type { GemmRow } from '../../src/codegen/gemm-table.js';
import type { GemmArithmetic } from '../../src/codegen/kernels/gemm-layout.js';
import { writeAtomically } from '../zoo/files.js';
import { ARITHMETICS, CLASSES } from './shapes.js';
import { type Measured, OPTIONAL_WEIGHT, rank, tableModule } from './table.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    milliseconds: { type: 'string', default: '20' },
    core: { type: 'string', default: String(cpus().length - 1) },
    'dry-run': { type: 'boolean', default: false },
  },
});

/** The first Node whose V8 has relaxed SIMD, and the first with the pass that makes 256-bit code. */
const [RELAXED, REVECTORIZES] = [22, 24];

function run(command: readonly string[]): string {
  const pinned =
    spawnSync('taskset', ['--version']).status === 0 ? ['taskset', '-c', values.core, ...command] : command;
  const { status, stdout, stderr } = spawnSync(pinned[0] as string, pinned.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return stdout;
}

interface Engine {
  readonly environment: string;
  readonly weight: number;
  readonly command: readonly string[];
}

/** The engines that count for an arithmetic. */
function enginesFor(arithmetic: GemmArithmetic): readonly Engine[] {
  const found: Engine[] = [];
  for (const node of values.node.split(',')) {
    const version = Number.parseInt(run([node, '--version']).slice(1), 10);
    if (arithmetic === 'relaxed' && version < RELAXED) continue;
    const environment = `Node ${version}`;
    found.push({ environment, weight: 1, command: [node] });
    const command = [node, '--experimental-wasm-revectorize'];
    if (version >= REVECTORIZES && arithmetic !== 'f32')
      found.push({ environment: `${environment} revectorized`, weight: OPTIONAL_WEIGHT, command });
  }
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'qc-tune-'));
try {
  const program = join(folder, 'measure.mjs');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const entry = join(ROOT, 'tools/tune-kernels/measure.ts');
  await build({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['binaryen'],
  });
  const rows: GemmRow[] = [];
  for (const arithmetic of Object.keys(ARITHMETICS) as GemmArithmetic[]) {
    const measured: Measured[] = enginesFor(arithmetic).map(({ command, ...engine }) => {
      process.stderr.write(`${arithmetic}, ${engine.environment}\n`);
      return { ...engine, ...JSON.parse(run([...command, program, arithmetic, values.milliseconds])) } as Measured;
    });
    rows.push(...CLASSES.map(({ columns, pixels }, i) => ({ arithmetic, columns, pixels, ...rank(measured, i) })));
  }
  const about = `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}`;
  const text = tableModule(rows, about);
  if (values['dry-run']) console.log(text);
  else writeAtomically(join(ROOT, 'src/codegen/gemm-table.ts'), text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
