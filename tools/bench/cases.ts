/** What is measured: engines on the zoo's models, and what each needs before it can run. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from '../../src/runtime/abi.js';
import { writeAtomically } from '../zoo/files.js';
import type { Scale } from '../zoo/network.js';
import { seededImage } from '../zoo/random.js';
import { generate, networkOf } from '../zoo/zoo.js';
import { type Agreement, compare } from './compare.js';
import type { EngineName } from './job.js';
import { type Compiled, compileModel, interpreted, measureJob, PACKAGES, ROOT, readFloats } from './processes.js';

/** An engine on a style of file, written `ENGINE:STYLE`. */
export interface CaseName {
  readonly engine: EngineName;
  readonly style: string;
}

/** A case on one network, ready to be measured. */
export interface Case extends CaseName {
  readonly network: string;
  readonly macs: number;
  readonly file: string;
  readonly shape: readonly number[];
  readonly input: string;
  readonly output: string;
  /** Output of onnxruntime with its optimizations disabled; qc also has that of its interpreter. */
  readonly references: { readonly unoptimized: Float32Array; readonly interpreter?: Float32Array };
  readonly compiled?: Compiled;
  /** The Node that runs it, where it is not that of the setup. */
  readonly node?: string;
  /** qc: with 256-bit code. */
  readonly revectorize?: boolean;
}

export interface Setup {
  /** Folder of models, modules and scratch files. */
  readonly cache: string;
  readonly children: string;
  readonly probe: string;
  readonly node: string;
  readonly core: string;
  readonly target: Target;
  readonly scale: Scale;
}

const INPUT_SEED = 1;

/** `qc:u8` as engine and style. */
export function parseCase(text: string): CaseName {
  const [engine, style, ...rest] = text.split(':');
  if (!style || rest.length > 0 || !['qc', 'ort-web', 'ort-node'].includes(engine as string))
    throw new Error(`a case is qc:STYLE, ort-web:STYLE or ort-node:STYLE, not ${text}`);
  return { engine: engine as EngineName, style };
}

const hash = (parts: readonly (string | Uint8Array)[]): string =>
  parts
    .reduce((h, part) => h.update(part), createHash('sha256'))
    .digest('hex')
    .slice(0, 12);

/** A name that changes with the generator. */
function generatorHash(): string {
  const folder = join(ROOT, 'tools/zoo');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return hash(files.sort().map((file) => readFileSync(join(folder, file))));
}

/** The files of a network by style, generated where they are not in the cache. */
async function modelFiles(
  network: string,
  styles: readonly string[],
  { cache, scale }: Setup,
): Promise<Map<string, string>> {
  const folder = join(cache, `models-${generatorHash()}-${scale.size}-${scale.width}-${scale.classes}`);
  mkdirSync(folder, { recursive: true });
  const files = new Map(styles.map((style) => [style, join(folder, `${network}.${style}.onnx`)]));
  const missing = styles.filter((style) => !existsSync(files.get(style) as string));
  for await (const { style, bytes } of missing.length > 0 ? generate(network, scale, missing) : [])
    writeAtomically(files.get(style) as string, bytes);
  return files;
}

/** The output of a reference, kept in the cache under all that it depends on. */
function cached(cache: string, key: readonly (string | Uint8Array)[], make: (output: string) => void): Float32Array {
  const file = join(cache, `reference-${hash(key)}.f32`);
  if (!existsSync(file)) make(file);
  return readFloats(file);
}

/** Everything that does not depend on the engine, for one file of a network. */
function references(setup: Setup, file: string, shape: readonly number[], input: string): Required<Case['references']> {
  const [model, x] = [readFileSync(file), readFileSync(input)];
  const program = readFileSync(join(setup.children, 'reference.mjs'));
  const shared = { file, shape, input, probe: setup.probe, packages: PACKAGES, seconds: 0 };
  return {
    interpreter: cached(setup.cache, [model, x, program], (output) => interpreted(setup.children, file, input, output)),
    unoptimized: cached(setup.cache, [model, x, 'onnxruntime'], (output) =>
      measureJob(setup.children, process.execPath, setup.core, { ...shared, engine: 'ort-node', output, exact: true }),
    ),
  };
}

/** Generates the models of a network, compiles them for qc, computes the references. */
export async function prepare(network: string, names: readonly CaseName[], setup: Setup): Promise<Case[]> {
  const { macs, shapes } = networkOf(network, setup.scale);
  const image = shapes.input as number[];
  const shape = [1, ...image];
  const input = join(setup.cache, `input-${shape.join('x')}.f32`);
  writeFileSync(input, new Uint8Array(seededImage(image, INPUT_SEED).buffer));
  const styles = [...new Set(names.map(({ style }) => style))];
  const files = await modelFiles(network, styles, setup);
  const expected = new Map(styles.map((s) => [s, references(setup, files.get(s) as string, shape, input)]));
  return names.map(({ engine, style }) => {
    const [model, { unoptimized, interpreter }] = [
      files.get(style) as string,
      expected.get(style) as Required<Case['references']>,
    ];
    const folder = join(setup.cache, `compiled-${process.pid}`);
    const compiled = engine === 'qc' ? compileModel(setup.children, model, setup.target, folder) : undefined;
    const file = compiled?.loader ?? model;
    const output = join(setup.cache, `output-${process.pid}.f32`);
    const known = engine === 'qc' ? { unoptimized, interpreter } : { unoptimized };
    const base = { engine, style, network, macs, file, shape, input, output, references: known };
    return compiled ? { ...base, compiled } : base;
  });
}

/** Float results may differ from the interpreter's, which sums in float64, by this share of the greatest. */
const FLOAT_TOLERANCE = 1e-5;

/** How a case's output compares; throws where qc is not what its interpreter says. */
export function check(c: Case): Agreement {
  const output = readFloats(c.output);
  if (c.references.interpreter) {
    const own = compare(output, c.references.interpreter);
    const fits = c.style === 'fp32' ? own.relativeError < FLOAT_TOLERANCE : own.identical;
    if (!fits) throw new Error(`qc's ${c.network}.${c.style} differs from the interpreter: ${JSON.stringify(own)}`);
  }
  return compare(output, c.references.unoptimized);
}
