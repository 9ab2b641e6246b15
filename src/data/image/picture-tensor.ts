import type { Tensor } from '../../ir/tensor.js';
import { modelError, usageError } from '../../support/errors.js';
import type { SampleInput } from '../sample.js';
import { type Pixels, rgbaOf } from './pixels.js';
import { type ImageOptions, imageTensor, resolvePreprocessing } from './preprocess.js';

/** How the pictures of a source become the tensors of an input. */
export interface PictureTensors {
  /** In words, for reports. */
  readonly description: string;
  /** Throws a model error where the input takes no such picture. */
  readonly make: (pixels: Pixels) => Tensor;
}

/** Pictures as they are, for a module that was compiled to take them: u8 [height, width, 4]. */
function wholePictures({ name, shape, image }: SampleInput, options: ImageOptions): PictureTensors {
  const [given] = Object.keys(options);
  if (given !== undefined)
    throw usageError(`--${given} says how pictures become tensors, but the module does that itself (--image-input)`);
  const [height, width] = shape as [number, number];
  return {
    description: 'as they are: the module resizes and normalizes them',
    make(pixels) {
      const size = `${pixels.width}x${pixels.height}`;
      if (image?.resize === 'none' && (pixels.width !== image.width || pixels.height !== image.height))
        throw modelError(`input "${name}" takes pictures of ${image.width}x${image.height} only, not ${size}`);
      if (pixels.width * pixels.height > width * height)
        throw modelError(
          `a picture of ${size} has more pixels than the ${width}x${height} that input "${name}" takes`,
          {
            remedy: 'Compile with a greater largest= in --image-input.',
          },
        );
      return { type: { dtype: 'u8', shape: [pixels.height, pixels.width, 4] }, data: rgbaOf(pixels) };
    },
  };
}

/** Decides how pictures become the tensors of an input. Throws usage and model errors. */
export function pictureTensors(input: SampleInput, options: ImageOptions = {}): PictureTensors {
  if (input.image) return wholePictures(input, options);
  const how = resolvePreprocessing(input, options);
  const { fit, size, interpolation } = how;
  return {
    description: `${fit} ${size.height}x${size.width} by ${interpolation}`,
    make: (pixels) => imageTensor(pixels, how),
  };
}
