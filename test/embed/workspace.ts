/** A folder with emitted packages, the data they are run on, and a program for every engine. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../../src/compile.js';
import type { CompileOptions } from '../../src/options.js';
import type { ModuleInfo } from '../../src/runtime/abi.js';
import { selfTestInput } from '../../src/runtime/self-test.js';
import { DIGITS, hasModels, modelBytes, testSets } from '../support/models.js';
import { type Grid, Network } from '../support/network.js';

/** How packages are compiled; the name becomes a folder. */
const BUILDS: Readonly<Record<string, CompileOptions>> = {
  simd: { target: 'simd' },
  relaxed: { target: 'relaxed' },
  both: { target: 'both' },
};

/** Inputs by name, in base64. */
type InputSet = Readonly<Record<string, string>>;

interface Case {
  readonly name: string;
  readonly packages: readonly string[];
  readonly sets: readonly InputSet[];
}

export interface Workspace {
  readonly folder: string;
  /** Packages as BUILD/MODEL, with their files. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
}

const SHARED = ['resnet8_int8', 'kws_dscnn_int8', 'mobilenet_v2_qat_u8'];
const base64 = (bytes: ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

const S8: Grid = { dtype: 'i8', scale: 0.02, zeroPoint: 0 };

/** A network with layers that take relaxed SIMD: their operand is proven to be in 0..127. */
export function blockModel(): Uint8Array {
  const net = new Network(3);
  const conv = (x: string, n: number, c: number): string =>
    net.op('Conv', [x, net.weights([n, c, 1, 1], { axis: 0, scale: 0.004 }), net.values([n])]);
  const expanded = net.fake(net.op('Relu', [conv(net.fake(net.input('x', [1, 8, 9, 10]), S8), 20, 8)]), S8);
  const w = net.weights([20, 1, 3, 3], { axis: 0, scale: 0.004 });
  const depthwise = net.op('Conv', [expanded, w, net.values([20])], { pads: [1, 1, 1, 1], group: 20 });
  return net.bytes([net.fake(conv(net.fake(net.op('Relu', [depthwise]), S8), 8, 20), S8)]);
}

function setsOf(name: string, info: ModuleInfo): InputSet[] {
  const { inputs } = info.entries[0]!;
  const shared = testSets(name)
    .slice(0, 2)
    .map((set) => Object.fromEntries(inputs.map((t, i) => [t.name, base64(set.inputs[i]!.data)])));
  const generated = [1, 2].map((seed) =>
    Object.fromEntries(inputs.map((t) => [t.name, base64(selfTestInput(t, seed))])),
  );
  return shared.length > 0 ? shared : generated;
}

async function emitModel(
  folder: string,
  name: string,
  model: Uint8Array,
  files: Record<string, string[]>,
): Promise<Case> {
  let info: ModuleInfo | undefined;
  for (const [build, options] of Object.entries(BUILDS)) {
    const result = await compile(model, { ...options, name });
    info ??= result.report;
    files[`${build}/${name}`] = result.files.map((file) => file.name);
    for (const file of result.files) writeFileSync(join(folder, build, file.name), file.data);
  }
  return { name, packages: Object.keys(BUILDS).map((build) => `${build}/${name}`), sets: setsOf(name, info!) };
}

/** A program that runs some packages; `report` is a statement that hands on `results`. */
export function program(names: readonly string[], report: string, sources = false): string {
  const packages = names.map((name, i) => `import * as p${i} from './${name}.mjs';\n`);
  const modules = sources ? names.map((name, i) => `import m${i} from './${name}.wasm';\n`) : [];
  const table = (letter: string): string => names.map((name, i) => `'${name}': ${letter}${i}`).join(', ');
  return `import { run } from './suite.mjs';
import { cases } from './cases.mjs';
${packages.join('')}${modules.join('')}
const wanted = new Set(${JSON.stringify(names)});
const chosen = cases.map((c) => ({ ...c, packages: c.packages.filter((name) => wanted.has(name)) }));
const work = () => run({ ${table('p')} }, chosen, { ${sources ? table('m') : ''} });
${report}
`;
}

/** Compiles the digit model, a generated one, and shared models where they are, for every build. */
export async function makeWorkspace(): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), 'qc-engines-'));
  for (const build of Object.keys(BUILDS)) mkdirSync(join(folder, build));
  const packages: Record<string, string[]> = {};
  const cases = [
    await emitModel(folder, 'digits', readFileSync(DIGITS), packages),
    await emitModel(folder, 'block', blockModel(), packages),
  ];
  if (hasModels('shared models in every engine'))
    for (const name of SHARED) cases.push(await emitModel(folder, name, modelBytes(name), packages));
  copyFileSync(fileURLToPath(new URL('suite.mjs', import.meta.url)), join(folder, 'suite.mjs'));
  writeFileSync(join(folder, 'cases.mjs'), `export const cases = ${JSON.stringify(cases)};\n`);
  return { folder, packages };
}
