import type { EntryInfo, ImageInfo, TensorInfo } from '../abi.js';
import type { Net, TypedArray } from '../net.js';
import type { LoaderPart, NetContext } from '../part.js';

/** What a canvas gives (ImageData), and every object like it. */
interface Picture {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

type PixelTensor = TensorInfo & { readonly image: ImageInfo };
type Feeds = Readonly<Record<string, unknown>>;

const isSide = (side: unknown): side is number => Number.isInteger(side) && (side as number) > 0;

/** Throws unless a picture fits. */
function checkPicture({ name }: NetContext, { name: input, image, shape }: PixelTensor, picture: unknown): Picture {
  const wanted = `${name}: image "${input}"`;
  const { data, width, height } = (picture ?? {}) as Picture;
  const pixels = (shape[0] as number) * (shape[1] as number);
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray) || !isSide(width) || !isSide(height))
    throw new TypeError(`${wanted} takes ImageData or { data, width, height } with RGBA bytes`);
  if (data.length !== 4 * width * height)
    throw new RangeError(
      `${wanted} of ${width} x ${height} has ${data.length} bytes instead of ${4 * width * height}: 4 for each pixel`,
    );
  if (image.resize === 'none' && (width !== image.width || height !== image.height))
    throw new RangeError(`${wanted} must be ${image.width} x ${image.height}, not ${width} x ${height}`);
  if (width * height > pixels || width > 32768 || height > 32768)
    throw new RangeError(`${wanted} of ${width} x ${height} has more than the ${pixels} pixels it was compiled for`);
  return data && { data, width, height };
}

/** One output of several runs, one after another. */
function join(parts: readonly TypedArray[]): TypedArray {
  const [first] = parts as [Uint8Array];
  const all = new (first.constructor as typeof Uint8Array)(first.length * parts.length);
  for (const [i, part] of parts.entries()) all.set(part as Uint8Array, i * first.length);
  return all;
}

/** Inputs that are pictures: `run` takes ImageData for them, or a list of them. */
export const image: LoaderPart = {
  extend(net, context) {
    const entry = context.info.entries[0] as EntryInfo;
    const isPixels = (tensor: TensorInfo): tensor is PixelTensor => !!tensor.image;
    const pixels = entry.inputs.filter(isPixels);
    const others = { ...entry, inputs: entry.inputs.filter((tensor) => !isPixels(tensor)) };
    const { run } = context.bind(others);
    const put = (tensor: PixelTensor, picture: Picture): void => {
      const { buffer } = context.exports().memory;
      new Uint8Array(buffer, tensor.offset, picture.data.length).set(picture.data);
      new Int32Array(buffer, tensor.image.size, 2).set([picture.width, picture.height]);
    };
    const runPictures: Net['run'] = (feeds) => {
      context.exports();
      const rest: Record<string, unknown> = { ...(feeds as Feeds) };
      const lists = pixels.map((tensor) => {
        const given = rest[tensor.name];
        delete rest[tensor.name];
        return (Array.isArray(given) ? given : [given]).map((picture) => checkPicture(context, tensor, picture));
      });
      const items = (lists[0] as Picture[]).length;
      if (!items || lists.some((list) => list.length !== items))
        throw new RangeError(`${context.name}: image inputs need the same number of images, at least one`);
      const slice = (k: number): Record<string, TypedArray> =>
        Object.fromEntries(
          Object.entries(rest).map(([key, value]) => {
            const data = value as Uint8Array;
            if (items === 1 || !data?.subarray) return [key, data];
            return [key, data.subarray((k * data.length) / items, ((k + 1) * data.length) / items)];
          }),
        );
      const results: Record<string, TypedArray>[] = [];
      for (let k = 0; k < items; k++) {
        for (const [i, tensor] of pixels.entries()) put(tensor, (lists[i] as Picture[])[k] as Picture);
        results.push(run(slice(k)));
      }
      return Object.fromEntries(net.outputs.map(({ name }) => [name, join(results.map((r) => r[name] as TypedArray))]));
    };
    Object.assign(net, { run: runPictures });
  },
};
