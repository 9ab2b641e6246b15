import { pictureTensors } from '../data/image/picture-tensor.js';
import type { Pixels } from '../data/image/pixels.js';
import type { ListedFile } from '../data/label-list.js';
import type { Sample, SampleInput, SampleSource } from '../data/sample.js';
import { modelError, QcError, usageError } from '../support/errors.js';
import { type Decoder, openDecoder } from './decode-image.js';
import { readFile } from './files.js';
import { isFolder } from './list-pictures.js';
import type { SampleOptions } from './open-samples.js';

/** The one input that pictures go to; a second one can only be for labels. */
export function pictureInput(inputs: readonly SampleInput[] | undefined): SampleInput {
  const [input] = inputs ?? [];
  if (!input) throw usageError('pictures need a network that takes them');
  const others = (inputs ?? []).slice(1).filter(({ dtype }) => dtype !== 'i64');
  if (others.length > 0)
    throw usageError(
      `pictures go to one input, but the network also takes ${others.map((i) => `"${i.name}"`).join(', ')}`,
      {
        remedy: 'Give the samples as .npz, or as .pb files named input_0.pb, input_1.pb in a folder each.',
      },
    );
  return input;
}

/** Decodes one file. Errors name it. */
export async function readPicture(path: string, decoder: Decoder): Promise<Pixels> {
  try {
    if (isFolder(path)) throw modelError('it is a folder with the name of a picture');
    return await decoder.decode(readFile(path));
  } catch (error) {
    throw error instanceof QcError ? new QcError(error.kind, error.message, { file: path, ...error.where }) : error;
  }
}

/** An error as the reason why a sample is bad; errors of qc itself are thrown on. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof QcError) || error.kind === 'internal') throw error;
  return [error.message, error.where.remedy].filter(Boolean).join('. ');
}

/** Samples made from pictures. */
export async function openPictures(
  files: readonly ListedFile[],
  what: string,
  options: SampleOptions,
): Promise<SampleSource> {
  const input = pictureInput(options.inputs);
  const tensors = pictureTensors(input, options.image);
  const decoder = await openDecoder(options);
  const read = async ({ path, name = path, label }: ListedFile, index: number): Promise<Sample> => {
    const tensor = tensors.make(await readPicture(path, decoder));
    return { index, name, tensors: [{ name: input.name, tensor }], ...(label === undefined ? {} : { label }) };
  };
  return {
    length: files.length,
    description: `${what}, decoded by ${decoder.name}, ${tensors.description}`,
    picture: (index) => readPicture((files[index] as ListedFile).path, decoder),
    label: (index) => files[index]?.label,
    async *samples(from = 0, to = files.length) {
      for (let i = from; i < to; i++) {
        const file = files[i] as ListedFile;
        const sample = await read(file, i).catch((error) => {
          const reason = reasonOf(error);
          if (!options.skipBad) {
            const { kind, message, where } = error as QcError;
            throw new QcError(kind, message, { remedy: '--skip-bad leaves such samples out.', ...where });
          }
          options.onBad?.({ index: i, name: file.path, reason });
          return undefined;
        });
        if (sample) yield sample;
      }
    },
  };
}
