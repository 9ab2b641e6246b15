import { basename, dirname } from 'node:path';
import { type Items, itemAt, itemsOf } from '../data/items.js';
import { decodeNpz, isZip } from '../data/npz.js';
import type { Sample, SampleInput, SampleSource, SampleTensor } from '../data/sample.js';
import { readNamedTensor } from '../data/tensor-file.js';
import type { Tensor } from '../ir/tensor.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import { readFile } from './files.js';
import type { SampleOptions } from './open-samples.js';

/** Names of files that hold arrays. */
export const TENSOR_FILES = /\.(npy|npz|pb)$/i;

/** Names that arrays of classes have in a .npz file. */
const LABELS = /^(labels?|classes|y)$/i;
/** Names of arrays and files to compare outputs with. */
const TARGETS = /^(targets?|masks?|outputs?(_\d+)?)$/i;

/** One tensor of a file, with the name that the file gives it, possibly empty. */
interface Found {
  readonly name: string;
  readonly tensor: Tensor;
}

/** Files that belong together: their tensors are read at once and split into samples. */
interface Group {
  readonly name: string;
  readonly files: readonly string[];
}

/** The number in names like input_3.pb, by which the files of one test set are in order. */
const numberIn = (file: string): number => Number(/_(\d+)\.\w+$/.exec(file)?.[1] ?? 0);

/**
 * Files named input_N and output_N of one folder are one sample (a test data set of an ONNX model), every other file
 * stands for itself.
 */
function groupFiles(files: readonly string[]): Group[] {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const key = /^(in|out)put_\d+\./.test(basename(file)) ? dirname(file) : file;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups].map(([name, list]) => ({ name, files: list.sort((a, b) => numberIn(a) - numberIn(b)) }));
}

/** The tensors of one file; errors name it. */
async function readTensors(file: string): Promise<Found[]> {
  const bytes = readFile(file);
  if (!isZip(bytes) && !/\.npz$/i.test(file)) {
    const found = readNamedTensor(file, bytes);
    if (!found) throw modelError('no array in a form that is known', { file });
    return [/^output_\d+\./.test(basename(file)) ? { ...found, name: basename(file).replace(/\..*$/, '') } : found];
  }
  try {
    return [...(await decodeNpz(bytes))].map(([name, tensor]) => ({ name, tensor }));
  } catch (error) {
    throw error instanceof QcError ? new QcError(error.kind, error.message, { file, ...error.where }) : error;
  }
}

/** A group in memory: the tensors by what they are for, and how many samples they make. */
interface Loaded {
  readonly group: Group;
  readonly count: number;
  readonly tensors: readonly { readonly name: string | null; readonly tensor: Tensor; readonly items: Items }[];
  readonly targets: readonly { readonly name: string | null; readonly tensor: Tensor }[];
  readonly labels: Tensor | undefined;
}

/** Which input each tensor is for: the one of its name, else the first that is left. */
function assign(found: readonly Found[], inputs: readonly SampleInput[] | undefined): (SampleInput | undefined)[] {
  const left = [...(inputs ?? [])];
  const named = found.map(({ name }) => {
    const at = left.findIndex((input) => input.name === name);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
  return named.map((input) => input ?? left.shift());
}

async function load(group: Group, inputs: readonly SampleInput[] | undefined): Promise<Loaded> {
  const found = (await Promise.all(group.files.map(readTensors))).flat();
  const isInput = ({ name }: Found): boolean => inputs?.some((input) => input.name === name) ?? false;
  const labels = found.find((f) => LABELS.test(f.name) && !isInput(f))?.tensor;
  const targets = found.filter((f) => TARGETS.test(f.name) && !isInput(f));
  const data = found.filter((f) => f.tensor !== labels && !targets.includes(f));
  const owners = assign(data, inputs);
  if (data.length === 0 || (inputs && data.length > inputs.length))
    throw modelError(`holds ${data.length} arrays for ${inputs?.length ?? 'the'} inputs`, { file: group.name });
  const tensors = data.map(({ name, tensor }, i) => {
    const owner = owners[i];
    return { name: owner?.name ?? (name || null), tensor, items: itemsOf(group.name, tensor, owner) };
  });
  const count = tensors[0]?.items.count ?? 0;
  const odd = [...tensors.map((t) => t.items.count), ...(labels ? [labels.data.length] : [])].find((n) => n !== count);
  if (odd !== undefined)
    throw modelError(`its arrays hold different numbers of samples: ${count} and ${odd}`, { file: group.name });
  return { group, count, tensors, targets: targets.map((t) => ({ name: t.name || null, tensor: t.tensor })), labels };
}

function sampleOf({ group, count, tensors, targets, labels }: Loaded, i: number, index: number): Sample {
  const cut = (t: { name: string | null; tensor: Tensor }, items: Items): SampleTensor => ({
    name: t.name,
    tensor:
      count === 1
        ? { type: { dtype: t.tensor.type.dtype, shape: items.shape }, data: t.tensor.data }
        : itemAt(t.tensor, items, i),
  });
  const targetItems = ({ type }: Tensor): Items =>
    count > 1 && type.shape[0] === count
      ? { count, shape: [1, ...type.shape.slice(1)] }
      : { count: 1, shape: type.shape };
  return {
    index,
    name: count === 1 ? group.name : `${group.name}[${i}]`,
    tensors: tensors.map((t) => cut(t, t.items)),
    ...(labels ? { label: Number(labels.data[i]) } : {}),
    ...(targets.length > 0 ? { targets: targets.map((t) => cut(t, targetItems(t.tensor))) } : {}),
  };
}

/** Samples from arrays in .npy, .npz and .pb files. One file is in memory at a time. */
export async function openTensorFiles(
  files: readonly string[],
  what: string,
  { inputs }: SampleOptions,
): Promise<SampleSource> {
  const pixels = inputs?.find((input) => input.image);
  if (pixels)
    throw usageError(`input "${pixels.name}" of the module takes pictures (--image-input), not arrays`, {
      remedy: 'Give a folder of pictures, or a data set of qc preprocess --dtype u8.',
    });
  const groups = groupFiles(files);
  const counts: number[] = [];
  let last: Loaded | undefined;
  for (const group of groups) {
    last = await load(group, inputs);
    counts.push(last.count);
  }
  const open = async (group: Group): Promise<Loaded> => {
    if (last?.group !== group) last = await load(group, inputs);
    return last;
  };
  const length = counts.reduce((a, b) => a + b, 0);
  return {
    length,
    description: what,
    async *samples(from = 0, to = length) {
      let start = 0;
      for (const [g, group] of groups.entries()) {
        const count = counts[g] as number;
        for (let i = Math.max(0, from - start); i < Math.min(count, to - start); i++)
          yield sampleOf(await open(group), i, start + i);
        start += count;
      }
    },
  };
}
