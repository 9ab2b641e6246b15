import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { npyFromTensor } from '../data/npy.js';
import { batchShape, itemsIn, readNamedTensor, tensorFromRaw } from '../data/tensor-file.js';
import { readFile, writeFiles } from '../host/files.js';
import type { Tensor } from '../ir/tensor.js';
import type { EntryInfo, ModuleInfo, TensorInfo } from '../runtime/abi.js';
import { createLoader, type Net } from '../runtime/loader.js';
import { isWasm } from '../runtime/module-info.js';
import type { EntryNet } from '../runtime/net.js';
import { entries } from '../runtime/parts/entries.js';
import { threads } from '../runtime/parts/threads.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import { chosenEntry, chosenText, entriesText, namedEntry } from '../tasks/entries.js';
import { checkSelfTest } from './check-self-test.js';
import type { Command, Flags } from './command.js';
import { ENTRY_FLAG } from './data-flags.js';
import { moduleInfoOf } from './inspect.js';
import { nearest } from './suggest.js';
import { tensorText } from './summary.js';
import { colors, formatTime, human, resultJson } from './terminal.js';

/** A file of data, and the input it was named for, if any. */
interface Given {
  readonly file: string;
  readonly input: TensorInfo | undefined;
}

/** A module file, its description and an instance of it. */
function openModule(path: string): { info: ModuleInfo; net: Net & { readonly entries: readonly EntryNet[] } } {
  const bytes = readFile(path) as Uint8Array<ArrayBuffer>;
  if (!isWasm(bytes))
    throw modelError('not a WebAssembly module', {
      file: path,
      remedy: 'qc run takes a .wasm; qc compile makes it from a model.',
    });
  const { info } = moduleInfoOf(path, bytes);
  try {
    const net = createLoader(info.name, () => bytes, [entries, threads()]).loadSync(bytes);
    return { info, net: net as Net & { readonly entries: readonly EntryNet[] } };
  } catch (cause) {
    const remedy =
      info.target === 'relaxed' ? 'The module needs relaxed SIMD, which Node has from version 21 on.' : undefined;
    throw modelError((cause as Error).message, { file: path, cause, ...(remedy ? { remedy } : {}) });
  }
}

/** Splits `name=file`; names and paths may hold "=", so known names and existing files decide. */
function parseInput(text: string, inputs: readonly TensorInfo[]): Given {
  const named = inputs.filter((t) => text.startsWith(`${t.name}=`)).sort((a, b) => b.name.length - a.name.length)[0];
  if (named) return { input: named, file: text.slice(named.name.length + 1) };
  if (!text.includes('=') || existsSync(text)) return { input: undefined, file: text };
  const name = text.slice(0, text.indexOf('='));
  const guess = nearest(
    name,
    inputs.map((t) => t.name),
  );
  throw usageError(`there is no input "${name}"`, {
    remedy: `The inputs are ${inputs.map((t) => `"${t.name}"`).join(', ')}.${guess ? ` Did you mean "${guess}"?` : ''}`,
  });
}

/** The data of one file for the input that it is for: the named one, the TensorProto's, or the first that is left. */
function readInput(
  { file, input }: Given,
  left: readonly TensorInfo[],
): { info: TensorInfo; tensor: Tensor; items: number } {
  const bytes = readFile(file);
  const named = readNamedTensor(file, bytes);
  const info = input ?? left.find((t) => t.name === named?.name) ?? left[0];
  if (!info) throw usageError(`${file} is one --input too many`);
  const wanted = { dtype: info.dtype, shape: info.shape };
  const tensor = named?.tensor ?? tensorFromRaw(file, bytes, wanted);
  return { info, tensor, items: itemsIn(file, tensor, wanted, info.name) };
}

/** The data of all inputs, and the number of items in them. */
function readInputs(
  given: readonly string[],
  { inputs }: EntryInfo,
): { feeds: Record<string, Tensor['data']>; items: number } {
  const parsed = given.map((text) => parseInput(text, inputs));
  const names = parsed.flatMap((g) => g.input?.name ?? []);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw usageError(`input "${twice}" was given twice`);
  let left = inputs.filter((t) => !names.includes(t.name));
  const read = parsed.map((g) => {
    const one = readInput(g, left);
    left = left.filter((t) => t !== one.info);
    return one;
  });
  if (left.length > 0)
    throw usageError(`no data for input${left.length > 1 ? 's' : ''} ${left.map((t) => `"${t.name}"`).join(', ')}`, {
      remedy: `Give --input NAME=FILE for each of: ${inputs.map(tensorText).join('; ')}.`,
    });
  const items = read[0]?.items ?? 1;
  const odd = read.find((r) => r.items !== items);
  if (odd) throw modelError(`the inputs hold different numbers of items: ${read.map((r) => r.items).join(', ')}`);
  return { feeds: Object.fromEntries(read.map((r) => [r.info.name, r.tensor.data])), items };
}

/** The entry that is asked for, else the one that data fits as one item, else as several; with the data. */
export function chooseEntry(given: readonly string[], { entries }: ModuleInfo, asked?: number) {
  const at = asked ?? (entries.length === 1 ? 0 : undefined);
  if (at !== undefined) {
    const entry = entries[at] as EntryInfo;
    return { entry, at, ...readInputs(given, entry) };
  }
  const tried = entries.flatMap((entry, at) => {
    try {
      return [{ entry, at, ...readInputs(given, entry) }];
    } catch (error) {
      if (error instanceof QcError && error.kind === 'model') return [];
      throw error;
    }
  });
  const found = tried.find(({ items }) => items === 1) ?? tried[0];
  if (found) return found;
  throw modelError('the data fits no entry of the module', { remedy: `The entries are ${entriesText(entries)}.` });
}

async function run(path: string, flags: Flags): Promise<void> {
  const out = flags.required('out') ?? '.';
  const { info, net } = openModule(path);
  if (flags.on('self-test')) return checkSelfTest(path, info, net);
  const asked = flags.required('entry');
  const { entry, at, feeds, items } = chooseEntry(
    flags.list('input'),
    info,
    asked === undefined ? undefined : namedEntry(asked, info.entries),
  );
  const start = performance.now();
  const results = (net.entries[at] as EntryNet).run(feeds);
  const milliseconds = performance.now() - start;
  const outputs = entry.outputs.map(({ name, dtype, shape }, i) => {
    const type = { dtype, shape: batchShape(shape, items) };
    return { file: `output_${i}.npy`, name, type, npy: npyFromTensor({ type, data: results[name] as Tensor['data'] }) };
  });
  const index = { module: path, outputs: outputs.map(({ name, file, type }) => ({ name, file, ...type })) };
  writeFiles(out, [
    ...outputs.map(({ file, npy }) => ({ name: file, data: npy })),
    { name: 'index.json', data: `${JSON.stringify(index, null, 2)}\n` },
  ]);
  const chosen = chosenEntry(info.entries, at);
  human(`${colors.green('ran')} ${items} item${items > 1 ? 's' : ''} in ${formatTime(milliseconds)}`);
  if (chosen) human(`  ${colors.dim('entry')} ${chosenText(chosen)}`);
  for (const { file, name, type } of outputs)
    human(`  ${join(out, file)}  ${name}: ${type.dtype} [${type.shape.join(', ')}]`);
  if (flags.on('json'))
    resultJson({ ...index, ...(chosen ? { entry: chosen } : {}), folder: out, items, milliseconds });
}

/** `qc run`. */
export const runCommand: Command = {
  name: 'run',
  summary: 'Run a compiled module on data from files',
  subject: { name: 'MODULE', doc: 'A .wasm made by qc compile' },
  flags: {
    input: {
      alias: 'i',
      string: true,
      requiresArg: true,
      describe: 'NAME=FILE or FILE (by the name in a .pb, else in order): .npy, .pb or raw; repeat for each input',
    },
    out: {
      alias: 'o',
      string: true,
      requiresArg: true,
      describe: 'Folder for output_<i>.npy and index.json (default: .)',
    },
    ...ENTRY_FLAG,
    'self-test': {
      boolean: true,
      describe: 'Check the module against the outputs that the compiler saw, without data',
    },
    json: { boolean: true, describe: 'The content of index.json on stdout' },
  },
  examples: [
    ['qc run build/digits.wasm --input image=seven.npy -o out', 'out/output_0.npy, out/index.json'],
    ['qc run net.wasm -i a.pb -i b.pb', 'inputs by the names in the files, else in order'],
    ['qc run net.wasm --self-test', 'does this engine compute what the compiler expected?'],
  ],
  run,
};
