import type { EntryInfo, TensorInfo } from './abi.js';
import type { EntryNet, TensorDescription, TypedArray } from './net.js';
import type { Exports } from './part.js';
import { ARRAYS, classOf, count, describe } from './values.js';

/** Throws unless `data` is what the input wants; gives the number of items. */
function checkInput(name: string, input: TensorInfo, batch: number, data: unknown): number {
  const wanted = ARRAYS[input.dtype].name;
  const given = classOf(data);
  const fits = given === wanted || (given === 'Uint8ClampedArray' && input.dtype === 'u8');
  if (!fits) {
    const what =
      data === undefined ? 'nothing' : data === null ? 'null' : `${/^[AEIOU]/.test(given) ? 'an' : 'a'} ${given}`;
    throw new TypeError(`${name}: input ${describe(input)} was given ${what}`);
  }
  const { length } = data as TypedArray;
  const size = count(input.shape) / batch;
  const items = size ? length / size : 1;
  if (!Number.isInteger(items) || items < 1 || items * size !== length)
    throw new RangeError(
      `${name}: input ${describe(input)} was given ${length} elements; a batch of k items has k x ${size}`,
    );
  return items;
}

/** Throws unless there is one piece of data for each input; gives the number of items. */
function checkInputs(name: string, entry: EntryInfo, batch: number, feeds: Readonly<Record<string, unknown>>): number {
  const list = entry.inputs.map(describe).join(', ');
  if (classOf(feeds) !== 'Object') throw new TypeError(`${name}: run takes an object with the inputs ${list}`);
  for (const key of Object.keys(feeds))
    if (!entry.inputs.some((input) => input.name === key))
      throw new TypeError(`${name}: there is no input "${key}"; the inputs are ${list}`);
  const items = entry.inputs.map((input) => checkInput(name, input, batch, feeds[input.name]));
  if (items.some((n) => n !== items[0]))
    throw new RangeError(`${name}: inputs of different batch sizes: ${items.join(', ')}`);
  return items[0] ?? batch;
}

const publicOf = (list: readonly TensorInfo[]): TensorDescription[] =>
  list.map(({ name, dtype, shape }) => ({ name, dtype, shape }));

/** The functions of an entry of an instance. `exports` throws where the instance is gone. */
export function bindEntry(name: string, entry: EntryInfo, exports: () => Exports): EntryNet {
  const execute = (): void => exports()[entry.export]?.();
  const view = ({ dtype, offset, shape }: TensorInfo): Uint8Array =>
    new ARRAYS[dtype](exports().memory.buffer, offset, count(shape)) as Uint8Array;
  const find = (kind: string, list: readonly TensorInfo[], key: string): TypedArray => {
    const info = list.find((t) => t.name === key);
    if (!info)
      throw new TypeError(`${name}: there is no ${kind} "${key}"; the ${kind}s are ${list.map(describe).join(', ')}`);
    return view(info);
  };
  const batch = entry.batch ?? 1;
  return {
    inputs: publicOf(entry.inputs),
    outputs: publicOf(entry.outputs),
    run(feeds) {
      exports();
      const items = checkInputs(name, entry, batch, feeds);
      const sources = entry.inputs.map((input) => feeds[input.name] as Uint8Array);
      const targets = entry.inputs.map(view);
      const results = entry.outputs.map(view);
      const copies = results.map(
        (from, i) => new ARRAYS[entry.outputs[i]!.dtype]((items * from.length) / batch) as Uint8Array,
      );
      // where a batch is left that does not fill the entry's, what the rest of the buffers holds does not matter
      for (let k = 0; k < items; k += batch) {
        const part = Math.min(batch, items - k) / batch;
        const at = k / batch;
        for (const [i, to] of targets.entries()) to.set(sources[i]!.subarray(at * to.length, (at + part) * to.length));
        execute();
        for (const [i, from] of results.entries())
          copies[i]!.set(from.subarray(0, part * from.length), at * from.length);
      }
      return Object.fromEntries(entry.outputs.map((o, i) => [o.name, copies[i] as TypedArray]));
    },
    runInPlace: execute,
    input: (key) => find('input', entry.inputs, key),
    output: (key) => find('output', entry.outputs, key),
  };
}
