import type { EntryNet, Net, TypedArray } from '../net.js';
import type { LoaderPart } from '../part.js';

/** What an input may be: data of a shape, or data whose length tells the shape. */
type Given = TypedArray | { readonly data: TypedArray; readonly shape: readonly number[] };

const isView = (given: Given): given is TypedArray => ArrayBuffer.isView(given);
const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Whether data of a shape are items of an input: its shape, or k times its first dimension. */
const fits = (shape: readonly number[], own: readonly number[]): boolean =>
  shape.length === own.length &&
  shape.every((d, i) => (i === 0 ? d > 0 && d % (own[0] as number) === 0 : d === own[i]));

/** Several entries, one per shape of the inputs: `run` picks the one that fits what is given. */
export const entries: LoaderPart = {
  extend(net, { name, info, bind }) {
    const nets = info.entries.map(bind);
    const accepts = ({ inputs }: EntryNet, given: Readonly<Record<string, Given>>): boolean =>
      inputs.every(({ name: key, shape }) => {
        const value = given[key];
        if (!value) return true; // the entry says what is missing
        return isView(value) ? value.length === count(shape) : fits(value.shape ?? [], shape);
      });
    const run: Net['run'] = (given) => {
      const feeds = given as Readonly<Record<string, Given>>;
      const found = nets.find((entry) => accepts(entry, feeds));
      if (!found) {
        const shapes = nets.map(({ inputs }) => inputs.map((t) => `"${t.name}" [${t.shape.join(', ')}]`).join(', '));
        throw new RangeError(`${name}: no entry has inputs of this shape; there are ${shapes.join('; ')}`);
      }
      for (const [key, value] of Object.entries(feeds))
        if (!isView(value) && value.data.length !== count(value.shape))
          throw new RangeError(
            `${name}: input "${key}" was given ${value.data.length} elements for the shape [${value.shape.join(', ')}]`,
          );
      const data = Object.entries(feeds).map(([key, value]) => [key, isView(value) ? value : value.data]);
      return found.run(Object.fromEntries(data));
    };
    Object.assign(net, { run, entries: nets });
  },
};
