import { imageTensor, type Preprocessing } from '../data/image/preprocess.js';
import { type Decoder, type DecoderOptions, openDecoder } from './decode-image.js';
import { readPicture, reasonOf } from './picture-samples.js';

/** How pictures are made into the elements of a data set. */
export interface PreprocessSetup {
  readonly how: Preprocessing;
  readonly decoder: DecoderOptions;
}

/** The path of a picture. */
export type PictureRequest = string;

/** The bytes of its elements, or why it has none. */
export type PictureResult = { readonly bytes: Uint8Array } | { readonly reason: string };

/** The job of a thread of `qc preprocess`. */
export async function openPreprocessJob({
  how,
  decoder: options,
}: PreprocessSetup): Promise<(path: string) => Promise<PictureResult>> {
  const decoder: Decoder = await openDecoder(options);
  return async (path) => {
    try {
      const { data } = imageTensor(await readPicture(path, decoder), how);
      return { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  };
}
