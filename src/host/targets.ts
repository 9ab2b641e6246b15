import { existsSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { Sample, SampleSource, SampleTensor } from '../data/sample.js';
import { readNamedTensor } from '../data/tensor-file.js';
import type { Tensor } from '../ir/tensor.js';
import { ioError, modelError } from '../support/errors.js';
import { openDecoder } from './decode-image.js';
import { readFile } from './files.js';
import { isFolder } from './list-pictures.js';
import { readPicture } from './picture-samples.js';

const EXTENSIONS = ['.npy', '.pb', '.png'] as const;

/** A mask: the first channel of a picture, which for grey ones is the number of a class at each pixel. */
async function readMask(path: string): Promise<Tensor> {
  const { width, height, data } = await readPicture(path, await openDecoder({ decoder: 'js' }));
  return {
    type: { dtype: 'u8', shape: [height, width] },
    data: Uint8Array.from({ length: width * height }, (_, i) => data[3 * i] as number),
  };
}

async function readTarget(path: string): Promise<SampleTensor> {
  const tensor = path.endsWith('.png') ? await readMask(path) : readNamedTensor(path, readFile(path))?.tensor;
  if (!tensor) throw modelError('no array in a form that is known', { file: path });
  return { name: null, tensor };
}

/**
 * A source whose samples have a target each: the file of the same stem in a folder, .npy, .pb, or a grey .png (a mask of
 * class numbers, u8 [height, width]). Throws an io error where there is none.
 */
export function withTargets(source: SampleSource, folder: string): SampleSource {
  if (!isFolder(folder)) throw ioError('no such folder', { file: folder });
  const find = ({ name }: Sample): string => {
    const stem = parse(name).name;
    const path = EXTENSIONS.map((ext) => join(folder, stem + ext)).find((candidate) => existsSync(candidate));
    if (path === undefined)
      throw ioError(`no target for ${name}: there is no ${stem}.npy, .pb or .png`, { file: folder });
    return path;
  };
  return {
    ...source,
    async *samples(from, to) {
      for await (const sample of source.samples(from, to))
        yield { ...sample, targets: [await readTarget(find(sample))] };
    },
  };
}
