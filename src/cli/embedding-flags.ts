import type { Options } from 'yargs';
import { readFile } from '../host/files.js';
import type { ImageInputOptions } from '../image-input.js';
import type { CompileOptions } from '../options.js';
import { usageError } from '../support/errors.js';
import type { Flags } from './command.js';

/** Flags that say what the package around the module offers. */
export const EMBEDDING_FLAGS: Readonly<Record<string, Options>> = {
  'image-input': {
    string: true,
    requiresArg: true,
    describe: 'NAME,mean=..,std=..,range=1|255,order=rgb|bgr,resize=bilinear|none,largest=1920x1080: take RGBA bytes',
  },
  pool: { boolean: true, describe: 'Add NAME.pool.mjs: createPool(n) runs an instance in each of n workers' },
  threads: { boolean: true, describe: 'Several threads can share a run: load({ threads: n }); adds NAME.thread.mjs' },
  labels: { string: true, requiresArg: true, describe: 'File with the name of each class, one a line, for classify' },
};

type Settings = { -readonly [K in keyof ImageInputOptions]: ImageInputOptions[K] };

/** Settings of --image-input: each reads the values behind its `=`, or throws. */
const SETTINGS: Readonly<Record<string, (values: readonly string[]) => Settings>> = {
  mean: (values) => ({ mean: numbers('mean', values) }),
  std: (values) => ({ std: numbers('std', values) }),
  range: (values) => ({ range: Number(oneOf('range', values, ['1', '255'])) as 1 | 255 }),
  order: (values) => ({ order: oneOf<'rgb' | 'bgr'>('order', values, ['rgb', 'bgr']) }),
  layout: (values) => ({ layout: oneOf<'nchw' | 'nhwc'>('layout', values, ['nchw', 'nhwc']) }),
  resize: (values) => ({ resize: oneOf<'bilinear' | 'none'>('resize', values, ['bilinear', 'none']) }),
  largest: (values) => ({ largest: sides(values) }),
};

function numbers(name: string, values: readonly string[]): number[] {
  const list = values.map(Number);
  if (values.some((v) => v === '') || !list.every(Number.isFinite))
    throw usageError(`--image-input ${name} takes numbers such as 0.485,0.456,0.406, not "${values}"`);
  return list;
}

function oneOf<T extends string>(name: string, values: readonly string[], known: readonly T[]): T {
  const [value] = values;
  if (values.length === 1 && known.includes(value as T)) return value as T;
  throw usageError(`--image-input ${name} takes ${known.join(' or ')}, not "${values}"`);
}

function sides(values: readonly string[]): [number, number] {
  const match = /^([1-9]\d*)x([1-9]\d*)$/.exec(values.join());
  if (!match) throw usageError(`--image-input largest takes WIDTHxHEIGHT such as 1920x1080, not "${values}"`);
  return [Number(match[1]), Number(match[2])];
}

/** What --image-input says: the name, which may hold commas, up to the first word with `=`, then settings. */
export function parseImageInput(text: string): ImageInputOptions {
  const words = text.split(',');
  const keyOf = (word: string): string => word.slice(0, Math.max(0, word.indexOf('='))).trim();
  const found = words.findIndex((word, i) => (i === 0 ? keyOf(word) in SETTINGS : word.includes('=')));
  const start = found < 0 ? words.length : found;
  const name = words.slice(0, start).join(',');
  const settings: Settings = name === '' ? {} : { name };
  const groups: { key: string; values: string[] }[] = [];
  for (const word of words.slice(start)) {
    const key = keyOf(word);
    // a word without `=` is a further number of the setting before it
    if (!word.includes('=')) groups.at(-1)?.values.push(word.trim());
    else if (key in SETTINGS) groups.push({ key, values: [word.slice(word.indexOf('=') + 1).trim()] });
    else
      throw usageError(`--image-input knows no "${key}"`, {
        remedy: `The settings are ${Object.keys(SETTINGS).join(', ')}.`,
      });
  }
  for (const { key, values } of groups) {
    if (key in settings) throw usageError(`--image-input has ${key} twice`);
    Object.assign(settings, SETTINGS[key]?.(values));
  }
  return settings;
}

/** The lines of a file of labels; an empty one at the end is none. */
function readLabels(path: string): string[] {
  const lines = new TextDecoder().decode(readFile(path)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.trim());
}

/** The options of a package from the command line. */
export function embeddingOptions(flags: Flags): Pick<CompileOptions, 'imageInput' | 'labels' | 'pool' | 'threads'> {
  const image = flags.required('image-input');
  const labels = flags.required('labels');
  return {
    pool: flags.on('pool'),
    threads: flags.on('threads'),
    ...(image === undefined ? {} : { imageInput: parseImageInput(image) }),
    ...(labels === undefined ? {} : { labels: readLabels(labels) }),
  };
}
